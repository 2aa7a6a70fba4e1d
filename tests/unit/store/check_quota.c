/* SPDX-License-Identifier: EUPL-1.2
 *
 * What members have in the store, on each engine: counted once a message from its append until its
 * bytes go, judged before anything is written, and on the disk the same after a restart.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BOX = 7,
    OTHER = 9,
    ENVELOPE = 20,
    LARGE = 200000,
    ONE = STORED_RECIPIENT_BYTES,
    BOTH = 2 * ONE
};

static struct bench bench;

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    (void)bench_one(&bench, op_mailbox(OTHER, "commune-06088/etat-civil"));
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static struct store_op append_of(const char *sender, const char *id, size_t size)
{
    static const struct store_recipient both[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                                  {.mailbox = OTHER, .lane = LANE_NORMAL}};
    struct store_op op = op_append(id, ENVELOPE, size, both, 2);
    op.append.sender = sender;
    return op;
}

static enum store_status append(const char *sender, const char *id, size_t size)
{
    return bench_one(&bench, append_of(sender, id, size)).status;
}

static void check_usage(const char *sender, uint64_t messages, uint64_t bytes)
{
    struct store_result result = bench_one(&bench, op_usage(sender));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.usage.messages, messages);
    ck_assert_uint_eq(result.usage.bytes, bytes);
}

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

static void ack(uint32_t mailbox)
{
    struct entry_key key = take_key(mailbox);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
}

START_TEST(a_message_counts_once_until_its_bytes_go)
{
    open_bench(_i);
    check_usage("dila", 0, 0);
    ck_assert_int_eq(append("dila", "one", LARGE), STORE_DONE);
    ck_assert_int_eq(append("dila", "one", LARGE), STORE_DONE); /* known already */
    ck_assert_int_eq(append("other", "two", 10), STORE_DONE);
    check_usage("dila", 1, ENVELOPE + LARGE + BOTH);
    check_usage("other", 1, ENVELOPE + 10 + BOTH);
    check_usage("nobody", 0, 0);
    ack(BOX);
    check_usage("dila", 1, ENVELOPE + LARGE + ONE);
    ack(OTHER);
    check_usage("dila", 0, 0);
    check_usage("other", 1, ENVELOPE + 10 + BOTH);
    shut();
}
END_TEST

START_TEST(a_dead_letter_counts_until_it_is_dropped)
{
    open_bench(_i);
    ck_assert_int_eq(append("dila", "one", 100), STORE_DONE);
    ack(BOX);
    struct entry_key key = take_key(OTHER);
    ck_assert_int_eq(bench_one(&bench, op_bury(&key, "no")).status, STORE_DONE);
    check_usage("dila", 1, ENVELOPE + 100 + ONE);
    ck_assert_int_eq(bench_one(&bench, op_dead(STORE_DROP, OTHER, key.sequence)).status,
                     STORE_DONE);
    check_usage("dila", 0, 0);
    shut();
}
END_TEST

static void check_over(const struct store_usage *quota, const char *id, size_t size,
                       enum store_status expected)
{
    struct store_op op = append_of("dila", id, size);
    op.append.quota = *quota;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, expected);
    if (expected == STORE_OVER_QUOTA) {
        ck_assert_uint_eq(result.append.quota.messages, quota->messages);
        ck_assert_uint_eq(result.append.quota.bytes, quota->bytes);
        ck_assert_uint_eq(result.append.usage.messages, 2);
        ck_assert_uint_eq(result.append.usage.bytes, 2 * (ENVELOPE + 80 + BOTH));
    }
}

START_TEST(a_quota_is_reached_exactly)
{
    open_bench(_i);
    ck_assert_int_eq(append("dila", "one", 80), STORE_DONE);
    ck_assert_int_eq(append("dila", "two", 80), STORE_DONE);
    check_over(&(struct store_usage){.messages = 2}, "a", 1, STORE_OVER_QUOTA);
    check_over(&(struct store_usage){.bytes = 299 + 3 * BOTH}, "a", 80, STORE_OVER_QUOTA);
    check_over(&(struct store_usage){.bytes = 50 + BOTH}, "a", 80, STORE_OVER_QUOTA);
    check_over(&(struct store_usage){.messages = 2}, "one", 80, STORE_DONE); /* known */
    check_usage("dila", 2, 200 + 2 * BOTH);
    check_over(&(struct store_usage){.messages = 3, .bytes = 300 + 3 * BOTH}, "a", 80, STORE_DONE);
    check_usage("dila", 3, 300 + 3 * BOTH);
    shut();
}
END_TEST

/* One batch, one commit: each op sees what those before it have stored. */
START_TEST(a_quota_holds_within_a_batch)
{
    struct store_op ops[6];
    struct store_result results[6];
    char ids[6][8];
    open_bench(_i);
    for (int i = 0; i < 6; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%d", i);
        ops[i] = append_of("dila", ids[i], 10);
        ops[i].append.quota.messages = 4;
    }
    bench_do(&bench, ops, 6, results);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(results[i].status, i < 4 ? STORE_DONE : STORE_OVER_QUOTA);
    }
    check_usage("dila", 4, 4 * (ENVELOPE + 10 + BOTH));
    shut();
}
END_TEST

START_TEST(a_restart_finds_what_was_counted)
{
    open_bench(ENGINE_LMDB);
    ck_assert_int_eq(append("dila", "one", LARGE), STORE_DONE);
    ck_assert_int_eq(append("commune-76540", "two", 30), STORE_DONE);
    ck_assert_int_eq(append("dila", "three", 40), STORE_DONE);
    bench_reopen(&bench);
    check_usage("dila", 2, 2 * (ENVELOPE + BOTH) + LARGE + 40);
    check_usage("commune-76540", 1, ENVELOPE + 30 + BOTH);
    ack(BOX);
    ack(OTHER);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "sender"), 2);
    bench_open(&bench);
    check_usage("dila", 1, ENVELOPE + 40 + BOTH);
    ck_assert_int_eq(append("new", "four", 1), STORE_DONE);
    bench_reopen(&bench);
    check_usage("new", 1, ENVELOPE + 1 + BOTH);
    check_usage("commune-76540", 1, ENVELOPE + 30 + BOTH);
    shut();
}
END_TEST

/* One message to many costs what they cost, wherever its entries end. */
START_TEST(each_recipient_counts_until_its_entry_ends)
{
    const uint64_t message = ENVELOPE + 100;
    open_bench(_i);
    struct store_op op = append_of("dila", "order", 100);
    op.append.order = 77;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    op = append_of("dila", "behind", 100);
    op.append.order = 77;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    check_usage("dila", 2, 2 * (message + BOTH));
    ack(BOX); /* the next has its turn, and counts as before */
    check_usage("dila", 2, 2 * message + 3 * ONE);
    op = append_of("dila", "later", 100);
    op.append.supersedes = "behind";
    op.append.recipient_count = 0;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    result_drop(&result);
    check_usage("dila", 2, message + ONE + message + BOTH);
    op = (struct store_op){.kind = STORE_CANCEL, .cancel = {.sender = "dila", .id = "later"}};
    result = bench_one(&bench, op);
    uint32_t withdrawn = result.cancel.count;
    result_drop(&result);
    ck_assert_uint_eq(withdrawn, 2);
    check_usage("dila", 2, message + ONE + message + BOTH);
    struct store_result dead = bench_one(&bench, op_dead_list(BOX, 0, 1));
    uint64_t sequence = dead.dead.entries[0].sequence;
    result_drop(&dead);
    (void)bench_one(&bench, op_dead(STORE_REPLAY, BOX, sequence));
    ack(BOX);
    (void)bench_one(&bench, op_dead(STORE_DROP, OTHER, sequence));
    check_usage("dila", 1, message + ONE);
    ack(OTHER);
    check_usage("dila", 0, 0);
    shut();
}
END_TEST

/* A bit of the message's head is flipped: its entries say whose it was. */
START_TEST(a_damaged_message_counts_no_more_when_it_is_dropped)
{
    open_bench(ENGINE_LMDB);
    ck_assert_int_eq(append("dila", "one", 100), STORE_DONE);
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "one", 5));
    bench_open(&bench);
    for (uint32_t box = BOX; box <= OTHER; box += OTHER - BOX) {
        struct store_result result = bench_one(&bench, op_take(box, 1));
        ck_assert_int_eq(result.status, STORE_DAMAGED);
        result_drop(&result);
        result = bench_one(&bench, op_dead_list(box, 0, 1));
        ck_assert_uint_eq(result.dead.count, 1);
        uint64_t sequence = result.dead.entries[0].sequence;
        result_drop(&result);
        ck_assert_int_eq(bench_one(&bench, op_dead(STORE_DROP, box, sequence)).status, STORE_DONE);
    }
    check_usage("dila", 0, 0);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store.quota");
    TCase *tcase = tcase_create("quota");
    tcase_add_loop_test(tcase, a_message_counts_once_until_its_bytes_go, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_dead_letter_counts_until_it_is_dropped, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_quota_is_reached_exactly, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, a_quota_holds_within_a_batch, 0, ENGINE_COUNT);
    tcase_add_loop_test(tcase, each_recipient_counts_until_its_entry_ends, 0, ENGINE_COUNT);
    tcase_add_test(tcase, a_damaged_message_counts_no_more_when_it_is_dropped);
    tcase_add_test(tcase, a_restart_finds_what_was_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
