/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that takes the place of an earlier one, on each engine: every past recipient gets it,
 * and a copy that nobody has taken goes, with its counters, its place in an order, and its bytes.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { BOX = 7, OTHER = 9, THIRD = 12, FOURTH = 15, ROWS = 250 };

static struct bench bench;

static const struct store_recipient THREE[] = {{.mailbox = OTHER, .lane = LANE_LOW},
                                               {.mailbox = BOX, .lane = LANE_LOW},
                                               {.mailbox = THIRD, .lane = LANE_LOW}};
static const struct store_recipient MORE[] = {{.mailbox = FOURTH, .lane = LANE_NORMAL},
                                              {.mailbox = BOX, .lane = LANE_NORMAL}};

static void open_bench(int kind)
{
    static const uint32_t boxes[] = {BOX, OTHER, THIRD, FOURTH};
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    for (size_t i = 0; i < 4; i++) {
        (void)bench_one(&bench, op_mailbox(boxes[i], "a/b"));
    }
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static struct store_op later(const char *id, const char *earlier)
{
    struct store_op op = op_append(id, 20, 30, NULL, 0);
    op.append.supersedes = earlier;
    op.append.lane = LANE_HIGH;
    return op;
}

static const struct store_replaced *of(const struct store_result *result, uint32_t mailbox)
{
    for (uint32_t i = 0; i < result->append.replaced_count; i++) {
        if (result->append.replaced[i].mailbox == mailbox) {
            return &result->append.replaced[i];
        }
    }
    ck_abort_msg("nothing is said of mailbox %u", (unsigned)mailbox);
    return NULL;
}

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

/* Exactly these ids wait, in this order. */
static void expect_ids(uint32_t mailbox, const char *first, const char *second)
{
    const char *const ids[] = {first, second};
    uint32_t count = (first ? 1U : 0U) + (second ? 1U : 0U);
    struct store_result result = bench_one(&bench, op_take(mailbox, 10));
    ck_assert_uint_eq(result.take.count, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert(content_is(&result.take.entries[i], ids[i], 20,
                             result.take.entries[i].message.payload.size));
        (void)bench_one(&bench, op_release(&result.take.entries[i].key));
    }
    result_drop(&result);
}

static enum track_state state_of(const char *id, uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_track("dila", id, 0, ROWS));
    enum track_state state = 0;
    for (uint32_t i = 0; i < result.track.count; i++) {
        state = result.track.rows[i].mailbox == mailbox ? result.track.rows[i].state : state;
    }
    result_drop(&result);
    return state;
}

START_TEST(every_past_recipient_gets_it_and_waiting_copies_go)
{
    open_bench(_i);
    (void)bench_one(&bench, op_append("old", 20, 10, THREE, 3));
    struct entry_key key = take_key(OTHER);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    key = take_key(THIRD); /* a consumer has it */
    struct store_result result = bench_one(&bench, later("new", "old"));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.append.replaced_count, 3);
    ck_assert(of(&result, BOX)->gone && of(&result, BOX)->added);
    ck_assert_uint_eq(of(&result, BOX)->bytes, 30);
    ck_assert(!of(&result, OTHER)->gone && !of(&result, THIRD)->gone);
    result_drop(&result);
    expect_ids(BOX, "new", NULL);
    expect_ids(OTHER, "new", NULL);
    expect_ids(THIRD, "new", NULL);
    ck_assert_int_eq(state_of("old", BOX), TRACK_SUPERSEDED);
    ck_assert_int_eq(state_of("old", OTHER), TRACK_ACKNOWLEDGED);
    ck_assert_int_eq(state_of("old", THIRD), TRACK_DELIVERED);
    ck_assert_int_eq(state_of("new", OTHER), TRACK_WAITING);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    ck_assert_int_eq(state_of("old", THIRD), TRACK_ACKNOWLEDGED);
    shut();
}
END_TEST

START_TEST(it_may_name_others_and_can_be_superseded_itself)
{
    open_bench(_i);
    (void)bench_one(&bench, op_append("old", 20, 10, THREE, 3));
    struct store_op op = later("new", "old");
    op.append.recipients = MORE;
    op.append.recipient_count = 2;
    struct store_result result = bench_one(&bench, op);
    ck_assert_uint_eq(result.append.replaced_count, 3);
    ck_assert(of(&result, BOX)->gone && !of(&result, BOX)->added);
    ck_assert(of(&result, OTHER)->gone && of(&result, OTHER)->added);
    result_drop(&result);
    expect_ids(FOURTH, "new", NULL);
    expect_ids(BOX, "new", NULL);
    result = bench_one(&bench, later("last", "new"));
    ck_assert_uint_eq(result.append.replaced_count, 4);
    result_drop(&result);
    expect_ids(FOURTH, "last", NULL);
    expect_ids(THIRD, "last", NULL);
    shut();
}
END_TEST

START_TEST(what_is_not_there_is_not_superseded)
{
    open_bench(_i);
    struct store_op op = op_append("old", 20, 10, THREE, 3);
    op.append.flow = 1;
    (void)bench_one(&bench, op);
    ck_assert_int_eq(bench_one(&bench, later("a", "nothing")).status, STORE_UNKNOWN_EARLIER);
    op = later("b", "old");
    op.append.flow = 2;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_UNKNOWN_EARLIER);
    op = later("c", "old");
    op.append.flow = 1;
    op.append.sender = "dgs";
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_UNKNOWN_EARLIER);
    expect_ids(BOX, "old", NULL);
    shut();
}
END_TEST

START_TEST(said_again_it_does_nothing_twice)
{
    open_bench(_i);
    (void)bench_one(&bench, op_append("old", 20, 10, THREE, 3));
    struct store_result result = bench_one(&bench, later("new", "old"));
    result_drop(&result);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    result = bench_one(&bench, later("new", "old"));
    ck_assert(result.append.duplicate);
    ck_assert_uint_eq(result.append.replaced_count, 0);
    result_drop(&result);
    expect_ids(BOX, NULL, NULL);
    expect_ids(OTHER, "new", NULL);
    shut();
}
END_TEST

static void append_in_order(const char *id)
{
    struct store_op op = op_append(id, 20, 10, THREE, 2);
    op.append.order = 4711;
    (void)bench_one(&bench, op);
}

/* The head of an order goes: the next has its turn. One behind goes: the order stays. */
START_TEST(an_order_goes_on_without_it)
{
    open_bench(_i);
    append_in_order("first");
    append_in_order("second");
    append_in_order("third");
    struct store_result result = bench_one(&bench, later("new", "second"));
    ck_assert(of(&result, BOX)->gone);
    ck_assert(!of(&result, BOX)->turn.passed);
    result_drop(&result);
    expect_ids(BOX, "new", "first");
    result = bench_one(&bench, later("newer", "first"));
    ck_assert(of(&result, BOX)->gone);
    ck_assert(of(&result, BOX)->turn.passed);
    result_drop(&result);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    expect_ids(BOX, "newer", "third");
    shut();
}
END_TEST

START_TEST(the_counters_and_the_bytes_are_right)
{
    open_bench(ENGINE_LMDB);
    size_t count = 0;
    (void)bench_one(&bench, op_append("old", 20, 100000, THREE, 3));
    struct store_result result = bench_one(&bench, later("new", "old"));
    result_drop(&result);
    bench_reopen(&bench);
    const struct stored_mailbox *boxes = store_mailboxes(bench.store, &count);
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(boxes[i].waiting, boxes[i].id == FOURTH ? 0 : 1);
        ck_assert_uint_eq(boxes[i].waiting_bytes, boxes[i].id == FOURTH ? 0 : 50);
    }
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "message"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "refs"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "ready"), 3);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store supersede");
    TCase *each = tcase_create("engine");
    tcase_set_timeout(each, 120);
    tcase_add_loop_test(each, every_past_recipient_gets_it_and_waiting_copies_go, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, it_may_name_others_and_can_be_superseded_itself, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, what_is_not_there_is_not_superseded, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, said_again_it_does_nothing_twice, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, an_order_goes_on_without_it, 0, ENGINE_COUNT);
    tcase_add_test(each, the_counters_and_the_bytes_are_right);
    suite_add_tcase(suite, each);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
