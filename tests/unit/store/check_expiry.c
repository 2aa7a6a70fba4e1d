/* SPDX-License-Identifier: EUPL-1.2
 *
 * What nobody takes in time, on each engine: a dead letter without a reader, in steps that are
 * bounded, whatever it waits behind; what is taken is left alone and looked at again.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { BOXES = 40, ENVELOPE = 20, PAYLOAD = 80, LIFE_MS = 1000, MOST = 100 };

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

static void append(const char *id, uint32_t boxes, uint64_t order, int64_t expires_ms)
{
    struct store_recipient to[BOXES];
    for (uint32_t i = 0; i < boxes; i++) {
        to[i] = (struct store_recipient){.mailbox = i + 1, .lane = LANE_NORMAL};
    }
    struct store_op op = op_append(id, ENVELOPE, PAYLOAD, to, boxes);
    op.append.order = order;
    op.append.expires_ms = expires_ms;
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

/* A step; gives how many became dead letters. */
static uint32_t expire(uint32_t most, int64_t *out_next_ms)
{
    struct store_result result = bench_one(&bench, op_expire(most));
    uint32_t count = result.expiry.count;
    ck_assert_int_eq(result.status, STORE_DONE);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(result.expiry.entries[i].bytes, ENVELOPE + PAYLOAD);
    }
    *out_next_ms = result.expiry.next_ms;
    result_drop(&result);
    return count;
}

static void expect(uint32_t count, int64_t next_ms)
{
    int64_t next = 0;
    ck_assert_uint_eq(expire(MOST, &next), count);
    ck_assert_int_eq(next, next_ms);
}

static uint32_t dead_in(uint32_t box)
{
    struct store_result result = bench_one(&bench, op_dead_list(box, 0, 10));
    uint32_t count = result.dead.count;
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(result.dead.entries[i].code, STORED_CODE_EXPIRED);
    }
    result_drop(&result);
    return count;
}

static void check_tracked(const char *id, enum track_state state, uint32_t count)
{
    struct store_result result = bench_one(&bench, op_track("dila", id, 0, 1));
    ck_assert_uint_eq(result.track.totals[state], count);
    result_drop(&result);
}

START_TEST(what_nobody_reads_is_a_dead_letter_when_its_time_comes)
{
    open_bench(_i);
    int64_t expires_ms = bench.now_ms + LIFE_MS;
    append("for-ever", 2, 0, 0);
    append("short", 3, 0, expires_ms);
    expect(0, expires_ms);
    bench.now_ms = expires_ms - 1;
    expect(0, expires_ms);
    bench.now_ms = expires_ms;
    expect(3, 0);
    check_tracked("short", TRACK_EXPIRED, 3);
    check_tracked("for-ever", TRACK_WAITING, 2);
    ck_assert_uint_eq(dead_in(3), 1);
    (void)take(3, 0);
    (void)take(1, 1);
    expect(0, 0);
    shut();
}
END_TEST

START_TEST(a_message_that_went_in_time_leaves_nothing_to_do)
{
    open_bench(_i);
    append("short", 1, 0, bench.now_ms + LIFE_MS);
    struct entry_key key = take(1, 1);
    (void)bench_one(&bench, op_ack(&key));
    expect(0, 0);
    shut();
}
END_TEST

START_TEST(a_step_is_bounded_and_the_next_goes_on)
{
    uint32_t gone = 0;
    int64_t next_ms = 1;
    open_bench(_i);
    append("notice", BOXES, 0, bench.now_ms + LIFE_MS);
    bench.now_ms += LIFE_MS;
    for (int steps = 0; next_ms > 0; steps++) {
        uint32_t some = expire(8, &next_ms);
        ck_assert_uint_le(some, 8);
        ck_assert_int_lt(steps, BOXES);
        gone += some;
    }
    ck_assert_uint_eq(gone, BOXES);
    check_tracked("notice", TRACK_EXPIRED, BOXES);
    shut();
}
END_TEST

START_TEST(what_is_taken_is_left_alone_and_looked_at_again)
{
    open_bench(_i);
    append("short", 2, 0, bench.now_ms + LIFE_MS);
    struct entry_key key = take(1, 1);
    bench.now_ms += LIFE_MS;
    int64_t again_ms = bench.now_ms + STORED_EXPIRY_AGAIN_MS;
    expect(1, again_ms);
    ck_assert_uint_eq(dead_in(1), 0);
    struct store_op release = op_release(&key);
    bench_submit(&bench, &release, 1);
    bench.now_ms = again_ms;
    expect(1, 0);
    ck_assert_uint_eq(dead_in(1), 1);
    shut();
}
END_TEST

/* Deferred, and behind others of its order. */
START_TEST(wherever_it_waits_it_expires)
{
    open_bench(_i);
    append("tried", 1, 0, bench.now_ms + LIFE_MS);
    struct entry_key key = take(1, 1);
    (void)bench_one(&bench, op_defer(&key, 1, bench.now_ms + 60 * LIFE_MS));
    append("first", 1, 77, 0);
    append("second", 1, 77, bench.now_ms + LIFE_MS);
    append("third", 1, 77, 0);
    bench.now_ms += LIFE_MS;
    expect(2, 0);
    struct entry_key first = take(1, 1);
    (void)bench_one(&bench, op_ack(&first));
    struct entry_key third = take(1, 1);
    ck_assert_uint_eq(third.sequence, first.sequence + 2);
    shut();
}
END_TEST

START_TEST(the_next_of_its_order_has_its_turn)
{
    open_bench(_i);
    append("first", 1, 77, bench.now_ms + LIFE_MS);
    append("second", 1, 77, 0);
    bench.now_ms += LIFE_MS;
    struct store_result result = bench_one(&bench, op_expire(MOST));
    ck_assert_uint_eq(result.expiry.count, 1);
    ck_assert(result.expiry.entries[0].turn.passed);
    result_drop(&result);
    (void)take(1, 1);
    shut();
}
END_TEST

START_TEST(what_is_replayed_too_late_expires_again)
{
    open_bench(_i);
    append("short", 1, 0, bench.now_ms + LIFE_MS);
    bench.now_ms += LIFE_MS;
    struct store_result result = bench_one(&bench, op_expire(MOST));
    uint64_t sequence = result.expiry.entries[0].sequence;
    result_drop(&result);
    ck_assert_int_eq(bench_one(&bench, op_dead(STORE_REPLAY, 1, sequence)).status, STORE_DONE);
    expect(1, 0);
    ck_assert_uint_eq(dead_in(1), 1);
    shut();
}
END_TEST

/* The id is forgotten since there are too many; what waits of its message is not. */
START_TEST(it_expires_though_its_id_is_forgotten)
{
    char id[16];
    bench_init(&bench, (enum engine_kind)_i);
    bench.settings.duplicate_max = 3;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(1, "commune-1/etat-civil"));
    for (int i = 0; i < 8; i++) {
        (void)snprintf(id, sizeof id, "m%d", i);
        append(id, 1, 0, bench.now_ms + LIFE_MS);
    }
    bench.now_ms += LIFE_MS;
    expect(8, 0);
    shut();
}
END_TEST

START_TEST(a_restart_finds_what_expires)
{
    open_bench(ENGINE_LMDB);
    append("short", 3, 0, bench.now_ms + LIFE_MS);
    bench_reopen(&bench);
    bench.now_ms += LIFE_MS;
    int64_t next_ms = 0;
    ck_assert_uint_eq(expire(2, &next_ms), 1); /* a look at the message, and at one recipient */
    bench_reopen(&bench);
    expect(2, 0);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store.expiry");
    TCase *tcase = tcase_create("expiry");
    tcase_add_loop_test(tcase, what_nobody_reads_is_a_dead_letter_when_its_time_comes, 0,
                        ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_message_that_went_in_time_leaves_nothing_to_do, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_step_is_bounded_and_the_next_goes_on, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, what_is_taken_is_left_alone_and_looked_at_again, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, wherever_it_waits_it_expires, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, the_next_of_its_order_has_its_turn, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, what_is_replayed_too_late_expires_again, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, it_expires_though_its_id_is_forgotten, 0, ENGINE_COUNT);
    tcase_add_test(tcase, a_restart_finds_what_expires);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
