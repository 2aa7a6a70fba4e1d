/* SPDX-License-Identifier: EUPL-1.2
 *
 * Order on each engine: of one order, one entry is given out at a time, by sequence, until it is
 * gone for good; what is behind counts as waiting. And on the disk alone: what a restart finds, and
 * that damage neither holds an order up nor is passed over in silence.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOX = 7, ENVELOPE = 20, PAYLOAD = 100, KEY = 77, OTHER_KEY = 78 };

static struct bench bench;

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static uint64_t append_to(const char *id, uint64_t order, uint8_t lane, int64_t due_ms)
{
    struct store_recipient to = {.mailbox = BOX, .lane = lane, .due_ms = due_ms};
    struct store_op op = op_append(id, ENVELOPE, PAYLOAD, &to, 1);
    op.append.order = order;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    return result.append.sequence;
}

static uint64_t append(const char *id, uint64_t order)
{
    return append_to(id, order, LANE_NORMAL, 0);
}

/* Takes all that can be had: `count` of them, the first's key. */
static struct entry_key take(uint32_t count)
{
    struct entry_key key = {0};
    struct store_result result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.take.count, count);
    if (count > 0) {
        key = result.take.entries[0].key;
    }
    result_drop(&result);
    return key;
}

static struct entry_key take_sequence(uint64_t sequence)
{
    struct entry_key key = take(1);
    ck_assert_uint_eq(key.sequence, sequence);
    return key;
}

static struct store_turn gone(struct store_op op)
{
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    return result.turn;
}

START_TEST(one_of_an_order_is_given_out_at_a_time)
{
    open_bench(_i);
    uint64_t first = append("a", KEY);
    uint64_t second = append("b", KEY);
    uint64_t third = append("c", KEY);
    struct entry_key key = take_sequence(first);
    (void)take(0);
    ck_assert(gone(op_ack(&key)).passed);
    key = take_sequence(second);
    (void)take(0);
    ck_assert(gone(op_bury(&key, "no")).passed);
    key = take_sequence(third);
    ck_assert(!gone(op_ack(&key)).passed);
    uint64_t fourth = append("d", KEY);
    (void)take_sequence(fourth);
    shut();
}
END_TEST

START_TEST(other_orders_and_none_are_not_held_up)
{
    open_bench(_i);
    (void)append("a", KEY);
    (void)append("b", KEY);
    (void)append("c", OTHER_KEY);
    (void)append("d", 0);
    (void)append("e", 0);
    (void)take(4);
    shut();
}
END_TEST

START_TEST(a_deferred_or_released_one_keeps_the_others_behind)
{
    open_bench(_i);
    uint64_t first = append("a", KEY);
    uint64_t second = append("b", KEY);
    struct entry_key key = take_sequence(first);
    struct store_op back = op_release(&key);
    bench_submit(&bench, &back, 1);
    key = take_sequence(first);
    ck_assert_int_eq(bench_one(&bench, op_defer(&key, 1, bench.now_ms + 500)).status, STORE_DONE);
    (void)take(0);
    (void)append("c", KEY);
    (void)take(0);
    bench.now_ms += 500;
    key = take_sequence(first);
    ck_assert(gone(op_ack(&key)).passed);
    (void)take_sequence(second);
    shut();
}
END_TEST

START_TEST(the_sequence_decides_across_lanes_and_times)
{
    open_bench(_i);
    uint64_t low = append_to("low", KEY, LANE_LOW, 0);
    uint64_t later = append_to("later", KEY, LANE_NORMAL, bench.now_ms + 1000);
    uint64_t high = append_to("high", KEY, LANE_HIGH, 0);
    struct entry_key key = take_sequence(low);
    struct store_turn turn = gone(op_ack(&key));
    ck_assert(turn.passed);
    ck_assert_int_eq(turn.due_ms, bench.now_ms + 1000);
    (void)take(0);
    bench.now_ms += 1000;
    key = take_sequence(later);
    ck_assert_int_eq(gone(op_ack(&key)).due_ms, 0);
    key = take_sequence(high);
    ck_assert_int_eq(key.lane, LANE_HIGH);
    shut();
}
END_TEST

START_TEST(a_replayed_one_stands_where_its_sequence_says)
{
    open_bench(_i);
    uint64_t first = append("a", KEY);
    uint64_t second = append("b", KEY);
    uint64_t third = append("c", KEY);
    struct entry_key key = take_sequence(first);
    (void)gone(op_bury(&key, "no"));
    struct entry_key held = take_sequence(second);
    ck_assert_int_eq(bench_one(&bench, op_dead(STORE_REPLAY, BOX, first)).status, STORE_DONE);
    (void)take(0);
    ck_assert(gone(op_ack(&held)).passed);
    key = take_sequence(first);
    ck_assert(gone(op_ack(&key)).passed);
    (void)take_sequence(third);
    shut();
}
END_TEST

static struct stored_mailbox found(void)
{
    size_t count = 0;
    const struct stored_mailbox *mailboxes = store_mailboxes(bench.store, &count);
    ck_assert_uint_eq(count, 1);
    return mailboxes[0];
}

START_TEST(a_restart_finds_the_order)
{
    open_bench(ENGINE_LMDB);
    uint64_t first = append("a", KEY);
    uint64_t second = append("b", KEY);
    (void)append("c", KEY);
    (void)take_sequence(first);
    bench_reopen(&bench);
    ck_assert_uint_eq(found().waiting, 3);
    ck_assert_uint_eq(found().waiting_bytes, 3 * (ENVELOPE + PAYLOAD));
    struct entry_key key = take_sequence(first);
    (void)gone(op_ack(&key));
    bench_reopen(&bench);
    ck_assert_uint_eq(found().waiting, 2);
    (void)take_sequence(second);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "order_head"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "behind"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "ready"), 1);
    bench_open(&bench);
    shut();
}
END_TEST

START_TEST(nothing_is_left_of_an_order_that_is_done)
{
    open_bench(ENGINE_LMDB);
    (void)append("a", KEY);
    (void)append("b", KEY);
    for (int i = 0; i < 2; i++) {
        struct entry_key key = take(1);
        (void)gone(op_ack(&key));
    }
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "order_head"), 0);
    ck_assert_uint_eq(raw_count(bench.path, "behind"), 0);
    ck_assert_uint_eq(raw_count(bench.path, "message"), 0);
    bench_open(&bench);
    ck_assert_uint_eq(found().waiting, 0);
    shut();
}
END_TEST

START_TEST(a_damaged_head_lets_the_next_pass)
{
    open_bench(ENGINE_LMDB);
    (void)append("broken", KEY);
    uint64_t second = append("b", KEY);
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "broken", 50));
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, 5));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert_uint_eq(result.take.count, 0);
    ck_assert(result.take.more);
    result_drop(&result);
    (void)take_sequence(second);
    shut();
}
END_TEST

START_TEST(an_order_that_lost_its_head_is_told_and_goes_on)
{
    open_bench(ENGINE_LMDB);
    (void)append("a", KEY);
    uint64_t second = append("b", KEY);
    uint64_t third = append("c", KEY);
    (void)append("d", OTHER_KEY);
    uint64_t other = append("e", OTHER_KEY);
    bench_close(&bench);
    raw_drop_table(bench.path, "ready");
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, 5));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert(result.take.more);
    result_drop(&result);
    result = bench_one(&bench, op_take(BOX, 5));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.take.count, 2);
    struct entry_key keys[] = {result.take.entries[0].key, result.take.entries[1].key};
    ck_assert_uint_eq(keys[0].sequence, second);
    ck_assert_uint_eq(keys[1].sequence, other);
    result_drop(&result);
    ck_assert(gone(op_ack(&keys[0])).passed);
    ck_assert(!gone(op_ack(&keys[1])).passed);
    (void)take_sequence(third);
    shut();
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const each[] = {
        one_of_an_order_is_given_out_at_a_time,
        other_orders_and_none_are_not_held_up,
        a_deferred_or_released_one_keeps_the_others_behind,
        the_sequence_decides_across_lanes_and_times,
        a_replayed_one_stands_where_its_sequence_says,
    };
    const TTest *const disk[] = {
        a_restart_finds_the_order,
        nothing_is_left_of_an_order_that_is_done,
        a_damaged_head_lets_the_next_pass,
        an_order_that_lost_its_head_is_told_and_goes_on,
    };
    Suite *suite = suite_create("store.order");
    TCase *tcase = tcase_create("each engine");
    tcase_set_timeout(tcase, 30);
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        tcase_add_loop_test(tcase, each[i], 0, ENGINE_COUNT);
    }
    for (size_t i = 0; i < sizeof disk / sizeof disk[0]; i++) {
        tcase_add_test(tcase, disk[i]);
    }
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
