/* SPDX-License-Identifier: EUPL-1.2
 *
 * What every engine does, each case on each engine: promises 3 and 5 of store.h, and the meaning of
 * each op.
 */
#include "tests/unit/store/bench.h"

#include "store/record.h"
#include "store/turn.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOX = 7, OTHER = 9 };

static struct bench bench;

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    struct store_result results[2];
    struct store_op ops[] = {op_mailbox(BOX, "commune-76540/etat-civil"),
                             op_mailbox(OTHER, "commune-06088/etat-civil")};
    bench_do(&bench, ops, 2, results);
    ck_assert_int_eq(results[0].status, STORE_DONE);
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static uint64_t append(const char *id, size_t size)
{
    struct store_result result = bench_one(&bench, op_append(id, 20, size, TO_BOX, 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert(!result.append.duplicate);
    return result.append.sequence;
}

static uint64_t append_lane(const char *id, enum lane lane, int64_t due_ms)
{
    struct store_recipient to = {.mailbox = BOX, .lane = (uint8_t)lane, .due_ms = due_ms};
    struct store_result result = bench_one(&bench, op_append(id, 20, 30, &to, 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    return result.append.sequence;
}

static struct store_result take(uint32_t mailbox, uint32_t max)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, max));
    ck_assert_int_eq(result.status, STORE_DONE);
    return result;
}

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = take(mailbox, 1);
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

static void expect_none(uint32_t mailbox)
{
    struct store_result result = take(mailbox, 10);
    ck_assert_uint_eq(result.take.count, 0);
    ck_assert(!result.take.more);
    result_drop(&result);
}

static enum store_status status_of(struct store_op op)
{
    return bench_one(&bench, op).status;
}

START_TEST(a_message_comes_back_byte_for_byte)
{
    static const size_t envelopes[] = {0, 1, 300, MESSAGE_FIRST_BYTES, MESSAGE_FIRST_BYTES + 5};
    static const size_t payloads[] = {0,
                                      1,
                                      1024,
                                      MESSAGE_FIRST_BYTES - 301,
                                      MESSAGE_FIRST_BYTES - 300,
                                      MESSAGE_FIRST_BYTES - 299,
                                      MESSAGE_FIRST_BYTES - 300 + MESSAGE_NEXT_BYTES - 1,
                                      MESSAGE_FIRST_BYTES - 300 + MESSAGE_NEXT_BYTES,
                                      MESSAGE_FIRST_BYTES - 300 + MESSAGE_NEXT_BYTES + 1,
                                      (size_t)3 * MESSAGE_NEXT_BYTES,
                                      (size_t)20 * MESSAGE_NEXT_BYTES};
    open_bench(_i);
    for (size_t e = 0; e < sizeof envelopes / sizeof envelopes[0]; e++) {
        for (size_t p = 0; p < sizeof payloads / sizeof payloads[0]; p++) {
            char id[32];
            (void)snprintf(id, sizeof id, "m-%zu-%zu", e, p);
            struct store_op op = op_append(id, envelopes[e], payloads[p], TO_BOX, 1);
            op.append.expires_ms = 99;
            struct store_result result = bench_one(&bench, op);
            ck_assert_int_eq(result.status, STORE_DONE);
            uint64_t sequence = result.append.sequence;
            result = take(BOX, 10);
            ck_assert_uint_eq(result.take.count, 1);
            const struct store_entry *entry = &result.take.entries[0];
            ck_assert_uint_eq(entry->key.sequence, sequence);
            ck_assert_int_eq(entry->accepted_ms, bench.now_ms);
            ck_assert_int_eq(entry->expires_ms, 99);
            ck_assert_uint_eq(entry->attempts, 0);
            ck_assert(content_is(entry, id, envelopes[e], payloads[p]));
            ck_assert_int_eq(status_of(op_ack(&entry->key)), STORE_DONE);
            result_drop(&result);
        }
    }
    shut();
}
END_TEST

START_TEST(a_lane_is_in_order_and_taken_once)
{
    open_bench(_i);
    for (int i = 0; i < 30; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", i);
        (void)append(id, 50);
    }
    struct store_result first = take(BOX, 20);
    struct store_result second = take(BOX, 20);
    ck_assert_uint_eq(first.take.count, 20);
    ck_assert(first.take.more);
    ck_assert_uint_eq(second.take.count, 10);
    ck_assert(!second.take.more);
    for (uint32_t i = 1; i < 20; i++) {
        ck_assert_uint_lt(first.take.entries[i - 1].key.sequence,
                          first.take.entries[i].key.sequence);
    }
    ck_assert_uint_lt(first.take.entries[19].key.sequence, second.take.entries[0].key.sequence);
    expect_none(BOX);
    result_drop(&first);
    result_drop(&second);
    shut();
}
END_TEST

START_TEST(bytes_bound_a_take_but_the_first_entry_always_comes)
{
    open_bench(_i);
    (void)append("large", 5000);
    (void)append("small-1", 100);
    (void)append("small-2", 100);
    struct store_op op = op_take(BOX, 10);
    op.take.max_bytes = 1000;
    struct store_result result = bench_one(&bench, op);
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(result.take.more);
    ck_assert(content_is(&result.take.entries[0], "large", 20, 5000));
    result_drop(&result);
    op.take.max_bytes = 239; /* one byte less than both */
    result = bench_one(&bench, op);
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(result.take.more);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(an_ack_forgets_the_entry_once)
{
    open_bench(_i);
    (void)append("a", 10);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
    ck_assert_int_eq(status_of(op_ack(&key)), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(op_defer(&key, 1, 5)), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(op_bury(&key, "no")), STORE_NOT_FOUND);
    expect_none(BOX);
    shut();
}
END_TEST

START_TEST(a_released_entry_comes_again_in_its_place)
{
    open_bench(_i);
    for (int i = 0; i < 5; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", i);
        (void)append(id, 50);
    }
    struct store_result taken = take(BOX, 4);
    struct store_op ops[] = {op_release(&taken.take.entries[2].key),
                             op_release(&taken.take.entries[1].key), op_take(BOX, 10)};
    struct store_result result;
    bench_do(&bench, ops, 3, &result);
    ck_assert_uint_eq(result.take.count, 3);
    ck_assert(content_is(&result.take.entries[0], "m1", 20, 50));
    ck_assert(content_is(&result.take.entries[1], "m2", 20, 50));
    ck_assert(content_is(&result.take.entries[2], "m4", 20, 50));
    result_drop(&taken);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(a_deferred_entry_waits_for_its_time_and_comes_first)
{
    open_bench(_i);
    (void)append("early", 50);
    (void)append("other", 50);
    struct entry_key key = take_key(BOX);
    int64_t due_ms = bench.now_ms + 500;
    ck_assert_int_eq(status_of(op_defer(&key, 3, due_ms)), STORE_DONE);
    key = take_key(BOX); /* the other one */
    ck_assert_int_eq(key.due_ms, 0);
    struct store_result result = take(BOX, 10);
    ck_assert_uint_eq(result.take.count, 0);
    ck_assert(!result.take.more);
    ck_assert_int_eq(result.take.next_due_ms, due_ms);
    ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
    (void)append("late", 50);
    bench.now_ms = due_ms;
    result = take(BOX, 1);
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(result.take.more);
    ck_assert_int_eq(result.take.next_due_ms, 0);
    ck_assert(content_is(&result.take.entries[0], "early", 20, 50));
    ck_assert_uint_eq(result.take.entries[0].attempts, 3);
    ck_assert_int_eq(result.take.entries[0].key.due_ms, due_ms);
    ck_assert_int_eq(status_of(op_defer(&result.take.entries[0].key, 4, due_ms)), STORE_DONE);
    result_drop(&result);
    result = take(BOX, 1);
    ck_assert_uint_eq(result.take.entries[0].attempts, 4);
    ck_assert_int_eq(status_of(op_ack(&result.take.entries[0].key)), STORE_DONE);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(deferred_entries_come_by_time_whatever_the_order_of_deferring)
{
    open_bench(_i);
    struct store_result result;
    static const int64_t delays[] = {300, 100, 200, 400};
    for (size_t i = 0; i < 4; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%zu", i);
        (void)append_lane(id, LANE_LOW, bench.now_ms + delays[i]);
    }
    result = take(BOX, 10);
    ck_assert_uint_eq(result.take.count, 0);
    ck_assert_int_eq(result.take.next_due_ms, bench.now_ms + 100);
    bench.now_ms += 350;
    result = take(BOX, 2);
    ck_assert_uint_eq(result.take.count, 2);
    ck_assert(result.take.more);
    ck_assert_int_eq(result.take.next_due_ms, bench.now_ms + 50);
    ck_assert(content_is(&result.take.entries[0], "m1", 20, 30));
    ck_assert(content_is(&result.take.entries[1], "m2", 20, 30));
    /* One is deferred to a time before those that are claimed. */
    (void)append_lane("before", LANE_HIGH, bench.now_ms - 340);
    result_drop(&result);
    result = take(BOX, 10);
    ck_assert_uint_eq(result.take.count, 2);
    ck_assert(content_is(&result.take.entries[0], "before", 20, 30));
    ck_assert(content_is(&result.take.entries[1], "m0", 20, 30));
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(a_buried_entry_is_never_offered_again)
{
    open_bench(_i);
    (void)append("a", 10);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(status_of(op_bury(&key, "refused by the recipient")), STORE_DONE);
    expect_none(BOX);
    ck_assert_int_eq(status_of(op_ack(&key)), STORE_NOT_FOUND);
    shut();
}
END_TEST

START_TEST(a_repeated_id_is_stored_once_within_the_window)
{
    open_bench(_i);
    uint64_t sequence = append("same", 10);
    struct store_result result = bench_one(&bench, op_append("same", 20, 10, TO_BOX, 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert(result.append.duplicate);
    ck_assert_uint_eq(result.append.sequence, sequence);
    struct store_op ops[] = {op_append("new", 20, 10, TO_BOX, 1),
                             op_append("new", 20, 10, TO_BOX, 1),
                             op_append("same", 20, 10, TO_BOX, 1)};
    ops[2].append.sender = "dgs"; /* another member's id is another message */
    struct store_result results[3];
    bench_do(&bench, ops, 3, results);
    ck_assert(!results[0].append.duplicate);
    ck_assert(results[1].append.duplicate);
    ck_assert_uint_eq(results[1].append.sequence, results[0].append.sequence);
    ck_assert(!results[2].append.duplicate);
    result = take(BOX, 10);
    ck_assert_uint_eq(result.take.count, 3);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(an_acked_message_is_still_known_until_the_window_ends)
{
    open_bench(_i);
    uint64_t sequence = append("same", 10);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
    bench.now_ms += bench.settings.duplicate_window_ms - 1;
    struct store_result result = bench_one(&bench, op_append("same", 20, 10, TO_BOX, 1));
    ck_assert(result.append.duplicate);
    ck_assert_uint_eq(result.append.sequence, sequence);
    expect_none(BOX);
    bench.now_ms += 1;
    result = bench_one(&bench, op_append("same", 20, 10, TO_BOX, 1));
    ck_assert(!result.append.duplicate);
    ck_assert_uint_gt(result.append.sequence, sequence);
    result = bench_one(&bench, op_append("same", 20, 10, TO_BOX, 1));
    ck_assert(result.append.duplicate);
    shut();
}
END_TEST

START_TEST(a_fan_out_is_stored_once_and_goes_with_its_last_entry)
{
    open_bench(_i);
    struct store_recipient both[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                     {.mailbox = OTHER, .lane = LANE_HIGH}};
    struct store_result result = bench_one(&bench, op_append("m", 20, 200000, both, 2));
    ck_assert_int_eq(result.status, STORE_DONE);
    struct entry_key first = take_key(BOX);
    ck_assert_int_eq(status_of(op_ack(&first)), STORE_DONE);
    result = take(OTHER, 1);
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(content_is(&result.take.entries[0], "m", 20, 200000));
    struct entry_key second = result.take.entries[0].key;
    result_drop(&result);
    ck_assert_int_eq(status_of(op_bury(&second, "kept")), STORE_DONE);
    shut();
}
END_TEST

START_TEST(lower_lanes_are_not_starved)
{
    open_bench(_i);
    uint64_t sequences[LANE_COUNT][40];
    for (size_t i = 0; i < 40; i++) {
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            char id[16];
            (void)snprintf(id, sizeof id, "m%zu-%d", i, lane);
            sequences[lane][i] = append_lane(id, (enum lane)lane, 0);
        }
    }
    size_t taken[LANE_COUNT] = {0};
    for (uint32_t pick = 0; pick < 32; pick++) {
        struct entry_key key = take_key(BOX);
        ck_assert_int_eq(key.lane, turn_order(pick)[0]);
        ck_assert_uint_eq(key.sequence, sequences[key.lane][taken[key.lane]++]);
        ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
    }
    ck_assert_uint_eq(taken[LANE_HIGH], 28);
    ck_assert_uint_eq(taken[LANE_NORMAL], 2);
    ck_assert_uint_eq(taken[LANE_LOW], 2);
    shut();
}
END_TEST

START_TEST(an_append_to_an_unknown_mailbox_writes_nothing)
{
    open_bench(_i);
    struct store_recipient to[] = {{.mailbox = BOX, .lane = 1}, {.mailbox = 1234, .lane = 1}};
    ck_assert_int_eq(status_of(op_append("m", 5, 5, to, 2)), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(op_take(1234, 1)), STORE_NOT_FOUND);
    expect_none(BOX);
    struct store_result result = bench_one(&bench, op_append("m", 5, 5, to, 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert(!result.append.duplicate);
    shut();
}
END_TEST

START_TEST(a_full_store_refuses_appends_and_still_takes_acks)
{
    bench_init(&bench, (enum engine_kind)_i);
    bench.settings.map_bytes = UINT64_C(4) << 20;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "a/b"));
    enum store_status status = STORE_DONE;
    int stored = 0;
    while (status == STORE_DONE) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", stored);
        status = status_of(op_append(id, 100, 50000, TO_BOX, 1));
        stored += status == STORE_DONE ? 1 : 0;
        ck_assert_int_lt(stored, 200);
    }
    ck_assert_int_eq(status, STORE_NO_ROOM);
    ck_assert_int_gt(stored, 30);
    for (int round = 0; round < 300; round++) {
        struct entry_key key = take_key(BOX);
        ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
        char id[16];
        (void)snprintf(id, sizeof id, "n%d", round);
        while (status_of(op_append(id, 100, 50000, TO_BOX, 1)) != STORE_DONE) {
            key = take_key(BOX);
            ck_assert_int_eq(status_of(op_ack(&key)), STORE_DONE);
        }
    }
    ck_assert(!store_failed(bench.store, NULL));
    uint64_t used = 0;
    uint64_t limit = 0;
    store_size(bench.store, &used, &limit);
    ck_assert_uint_gt(used, 0);
    ck_assert_uint_le(used, bench.settings.map_bytes);
    shut();
}
END_TEST

START_TEST(results_come_in_the_order_of_the_ops)
{
    open_bench(_i);
    enum { ROUNDS = 500 };
    struct store_op ops[ROUNDS * 2];
    struct store_result results[ROUNDS * 2];
    char ids[ROUNDS][16];
    for (size_t i = 0; i < ROUNDS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
        ops[2 * i] = op_append(ids[i], 20, 100, TO_BOX, 1);
        ops[2 * i + 1] = op_take(BOX, 1);
    }
    bench_do(&bench, ops, (size_t)ROUNDS * 2, results); /* checks tickets and kinds */
    for (size_t i = 0; i < ROUNDS; i++) {
        struct store_result *taken = &results[2 * i + 1];
        ck_assert_uint_eq(taken->take.count, 1);
        ck_assert_uint_eq(taken->take.entries[0].key.sequence, results[2 * i].append.sequence);
        ck_assert(content_is(&taken->take.entries[0], ids[i], 20, 100));
        result_drop(taken);
    }
    shut();
}
END_TEST

START_TEST(what_was_not_collected_is_freed)
{
    open_bench(_i);
    struct store_op ops[] = {op_append("m", 20, 100, TO_BOX, 1), op_take(BOX, 1)};
    bench_submit(&bench, ops, 2);
    shut();
}
END_TEST

START_TEST(many_held_entries_do_not_hide_the_next)
{
    open_bench(_i);
    enum { MANY = 3000 };
    for (int i = 0; i < MANY; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", i);
        struct store_op op = op_append(id, 20, 20, TO_BOX, 1);
        bench_submit(&bench, &op, 1);
    }
    static struct store_result results[MANY];
    ck_assert_uint_eq(bench_collect(&bench, results, MANY), MANY);
    struct store_result held = take(BOX, 2000);
    ck_assert_uint_eq(held.take.count, 2000);
    struct store_op release = op_release(&held.take.entries[5].key);
    bench_submit(&bench, &release, 1);
    struct entry_key key = take_key(BOX);
    ck_assert_uint_eq(key.sequence, held.take.entries[5].key.sequence);
    key = take_key(BOX);
    ck_assert_uint_eq(key.sequence, results[2000].append.sequence);
    for (uint32_t i = 0; i < 2000; i++) {
        struct store_op op = op_ack(&held.take.entries[i].key);
        bench_submit(&bench, &op, 1);
    }
    ck_assert_uint_eq(bench_collect(&bench, results, 2000), 2000);
    for (size_t i = 0; i < 2000; i++) {
        ck_assert_int_eq(results[i].status, STORE_DONE);
    }
    result_drop(&held);
    held = take(BOX, MANY);
    ck_assert_uint_eq(held.take.count, 999);
    ck_assert(!held.take.more);
    result_drop(&held);
    shut();
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        a_message_comes_back_byte_for_byte,
        a_lane_is_in_order_and_taken_once,
        bytes_bound_a_take_but_the_first_entry_always_comes,
        an_ack_forgets_the_entry_once,
        a_released_entry_comes_again_in_its_place,
        a_deferred_entry_waits_for_its_time_and_comes_first,
        deferred_entries_come_by_time_whatever_the_order_of_deferring,
        a_buried_entry_is_never_offered_again,
        a_repeated_id_is_stored_once_within_the_window,
        an_acked_message_is_still_known_until_the_window_ends,
        a_fan_out_is_stored_once_and_goes_with_its_last_entry,
        lower_lanes_are_not_starved,
        an_append_to_an_unknown_mailbox_writes_nothing,
        a_full_store_refuses_appends_and_still_takes_acks,
        results_come_in_the_order_of_the_ops,
        what_was_not_collected_is_freed,
        many_held_entries_do_not_hide_the_next,
    };
    Suite *suite = suite_create("store.engines");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        TCase *tcase = tcase_create(tests[i]->name);
        tcase_set_timeout(tcase, 30);
        tcase_add_loop_test(tcase, tests[i], 0, ENGINE_COUNT);
        suite_add_tcase(suite, tcase);
    }
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
