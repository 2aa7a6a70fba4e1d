/* SPDX-License-Identifier: EUPL-1.2
 *
 * Ids that are remembered, on each engine: beyond the most, who floods forgets its own and nobody
 * else's.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { BOX = 1, MOST = 60, CALM = 15, FLOOD = 400 };

static struct bench bench;

static bool is_duplicate(const char *sender, const char *prefix, int number)
{
    static const struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    char id[16];
    (void)snprintf(id, sizeof id, "%s%d", prefix, number);
    struct store_op op = op_append(id, 10, 10, &to, 1);
    op.append.sender = sender;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    return result.append.duplicate;
}

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench.settings.duplicate_max = MOST;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-1/etat-civil"));
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

/* Everything that waits is acknowledged, so that nothing is held. */
static void empty(void)
{
    for (;;) {
        struct store_result result = bench_one(&bench, op_take(BOX, 100));
        uint32_t count = result.take.count;
        for (uint32_t i = 0; i < count; i++) {
            (void)bench_one(&bench, op_ack(&result.take.entries[i].key));
        }
        result_drop(&result);
        if (count == 0) {
            return;
        }
    }
}

static bool knows(const char *sender, const char *prefix, int number)
{
    char id[16];
    (void)snprintf(id, sizeof id, "%s%d", prefix, number);
    struct store_op op = {.kind = STORE_KNOWN, .known = {.sender = sender, .id = id}};
    return bench_one(&bench, op).status == STORE_DONE;
}

static void flood(int from, int to)
{
    for (int i = from; i < to; i++) {
        ck_assert(!is_duplicate("flood", "f", i));
        if (i % 50 == 49) {
            empty();
        }
    }
}

static void check_calm(const char *sender)
{
    for (int i = 0; i < CALM; i++) {
        ck_assert_msg(knows(sender, "c", i), "%s c%d is forgotten", sender, i);
    }
}

START_TEST(a_flood_makes_nobody_elses_ids_forgotten)
{
    open_bench(_i);
    for (int i = 0; i < CALM; i++) {
        ck_assert(!is_duplicate("calm", "c", i));
        ck_assert(!is_duplicate("other", "c", i));
    }
    flood(0, FLOOD / 2);
    if (_i == ENGINE_LMDB) {
        bench_reopen(&bench); /* who has how many is known again */
    }
    flood(FLOOD / 2, FLOOD);
    check_calm("calm");
    check_calm("other");
    ck_assert(is_duplicate("flood", "f", FLOOD - 1));
    ck_assert(!is_duplicate("flood", "f", 3));
    shut();
}
END_TEST

START_TEST(among_equals_the_oldest_go)
{
    open_bench(_i);
    for (int i = 0; i < 100; i++) {
        ck_assert(!is_duplicate("calm", "c", i));
        ck_assert(!is_duplicate("other", "c", i));
    }
    for (int i = 85; i < 100; i++) {
        ck_assert(knows("calm", "c", i));
        ck_assert(knows("other", "c", i));
    }
    ck_assert(!knows("calm", "c", 0) && !knows("other", "c", 0));
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store.known");
    TCase *tcase = tcase_create("known");
    tcase_add_loop_test(tcase, a_flood_makes_nobody_elses_ids_forgotten, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, among_equals_the_oldest_go, 0, ENGINE_COUNT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
