/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that are withdrawn, on each engine: what waits becomes a dead letter, what is taken or
 * done stays, what is behind others of its order goes without giving anybody a turn, and again is
 * the same.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { BOXES = 4, ENVELOPE = 20 };

static struct bench bench;

static void open_bench(int kind)
{
    char name[32];
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    for (uint32_t box = 1; box <= BOXES; box++) {
        (void)snprintf(name, sizeof name, "commune-%u/etat-civil", (unsigned)box);
        (void)bench_one(&bench, op_mailbox(box, name));
    }
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static void append(const char *id, uint32_t boxes, uint64_t order, int64_t due_ms)
{
    struct store_recipient to[BOXES];
    for (uint32_t i = 0; i < boxes; i++) {
        to[i] = (struct store_recipient){.mailbox = i + 1, .lane = LANE_NORMAL, .due_ms = due_ms};
    }
    struct store_op op = op_append(id, ENVELOPE, 80, to, boxes);
    op.append.order = order;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
}

static struct entry_key take(uint32_t box, uint32_t expected)
{
    struct entry_key key = {0};
    struct store_result result = bench_one(&bench, op_take(box, 10));
    ck_assert_uint_eq(result.take.count, expected);
    if (expected > 0) {
        key = result.take.entries[0].key;
    }
    result_drop(&result);
    return key;
}

static void cancel(const char *id, uint32_t withdrawn, uint32_t too_late, uint32_t moved)
{
    struct store_op op = {.kind = STORE_CANCEL, .cancel = {.sender = "dila", .id = id}};
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.cancel.withdrawn, withdrawn);
    ck_assert_uint_eq(result.cancel.too_late, too_late);
    ck_assert_uint_eq(result.cancel.count, moved);
    if (moved > 0) {
        ck_assert_uint_eq(result.cancel.bytes, ENVELOPE + 80);
    }
    result_drop(&result);
}

static void check_dead(uint32_t box, uint32_t count)
{
    struct store_result result = bench_one(&bench, op_dead_list(box, 0, 10));
    ck_assert_uint_eq(result.dead.count, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(result.dead.entries[i].code, STORED_CODE_CANCELLED);
    }
    result_drop(&result);
}

START_TEST(what_nobody_has_taken_becomes_a_dead_letter)
{
    open_bench(_i);
    append("notice", 4, 0, 0);
    struct entry_key acked = take(1, 1);
    ck_assert_int_eq(bench_one(&bench, op_ack(&acked)).status, STORE_DONE);
    (void)take(2, 1);
    cancel("notice", 2, 2, 2);
    check_dead(1, 0);
    check_dead(2, 0);
    check_dead(3, 1);
    check_dead(4, 1);
    (void)take(3, 0);
    (void)take(4, 0);
    cancel("notice", 2, 2, 0); /* again is the same */
    check_dead(3, 1);
    shut();
}
END_TEST

START_TEST(what_waits_for_its_time_is_withdrawn)
{
    open_bench(_i);
    append("later", 1, 0, bench.now_ms + 5000);
    cancel("later", 1, 0, 1);
    bench.now_ms += 10000;
    (void)take(1, 0);
    append("tried", 1, 0, 0);
    struct entry_key key = take(1, 1);
    ck_assert_int_eq(bench_one(&bench, op_defer(&key, 1, bench.now_ms + 50)).status, STORE_DONE);
    cancel("tried", 1, 0, 1);
    bench.now_ms += 100;
    (void)take(1, 0);
    check_dead(1, 2);
    shut();
}
END_TEST

START_TEST(what_is_not_known_is_not_found)
{
    open_bench(_i);
    append("mine", 1, 0, 0);
    struct store_op op = {.kind = STORE_CANCEL, .cancel = {.sender = "other", .id = "mine"}};
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_NOT_FOUND);
    op.cancel.sender = "dila";
    op.cancel.id = "nothing";
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_NOT_FOUND);
    (void)take(1, 1);
    shut();
}
END_TEST

/* One order: the head is given back its turn to the next, what is behind goes silently. */
START_TEST(order_goes_on_behind_what_was_withdrawn)
{
    open_bench(_i);
    append("first", 1, 77, 0);
    append("second", 1, 77, 0);
    append("third", 1, 77, 0);
    cancel("second", 1, 0, 1);
    struct entry_key first = take(1, 1);
    ck_assert_int_eq(bench_one(&bench, op_ack(&first)).status, STORE_DONE);
    struct entry_key third = take(1, 1);
    ck_assert_uint_eq(third.sequence, first.sequence + 2);
    append("fourth", 1, 77, 0);
    cancel("third", 0, 1, 0);
    (void)bench_one(&bench, op_ack(&third));
    append("fifth", 1, 77, 0);
    cancel("fourth", 1, 0, 1); /* the head: the fifth has its turn */
    struct entry_key fifth = take(1, 1);
    ck_assert_uint_eq(fifth.sequence, first.sequence + 4);
    check_dead(1, 2);
    shut();
}
END_TEST

START_TEST(a_restart_finds_it_withdrawn)
{
    open_bench(ENGINE_LMDB);
    append("notice", 3, 0, 0);
    cancel("notice", 3, 0, 3);
    bench_reopen(&bench);
    (void)take(1, 0);
    check_dead(2, 1);
    cancel("notice", 3, 0, 0);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store.cancel");
    TCase *tcase = tcase_create("cancel");
    tcase_add_loop_test(tcase, what_nobody_has_taken_becomes_a_dead_letter, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, what_waits_for_its_time_is_withdrawn, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, what_is_not_known_is_not_found, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, order_goes_on_behind_what_was_withdrawn, 0, ENGINE_COUNT);
    tcase_add_test(tcase, a_restart_finds_it_withdrawn);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
