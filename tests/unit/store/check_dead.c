/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters on each engine: listed in order and in pages, read whole, replayed to their lane,
 * dropped with their bytes. And on the disk alone: the counters and tables that are left, and what
 * damage does.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOX = 7, OTHER = 9, ENVELOPE = 20 };

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

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

/* Appended to a lane of the mailbox and buried at once; its sequence. */
static uint64_t bury_in(uint32_t mailbox, const char *id, size_t size, uint8_t lane)
{
    struct store_recipient to = {.mailbox = mailbox, .lane = lane};
    struct store_op op = op_append(id, ENVELOPE, size, &to, 1);
    op.append.expires_ms = 77;
    (void)bench_one(&bench, op);
    struct entry_key key = take_key(mailbox);
    bench.now_ms += 5;
    ck_assert_int_eq(bench_one(&bench, op_bury(&key, id)).status, STORE_DONE);
    return key.sequence;
}

static uint64_t bury(const char *id, size_t size)
{
    return bury_in(BOX, id, size, LANE_NORMAL);
}

static enum store_status status_of(enum store_op_kind kind, uint32_t mailbox, uint64_t sequence)
{
    struct store_result result = bench_one(&bench, op_dead(kind, mailbox, sequence));
    result_drop(&result);
    return result.status;
}

static uint32_t count_dead(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_dead_list(mailbox, 0, 100));
    uint32_t count = result.dead.count;
    ck_assert(!result.dead.more);
    result_drop(&result);
    return count;
}

static bool is_envelope(const struct store_dead *dead, const char *id)
{
    struct store_entry entry = {.message = dead->message};
    return content_is(&entry, id, ENVELOPE, 0);
}

START_TEST(a_list_shows_each_with_its_envelope)
{
    open_bench(_i);
    int64_t accepted_ms = bench.now_ms;
    uint64_t low = bury_in(BOX, "low", 70000, LANE_LOW);
    uint64_t high = bury_in(BOX, "high", 0, LANE_HIGH);
    (void)bury_in(OTHER, "elsewhere", 10, LANE_HIGH);
    struct store_result result = bench_one(&bench, op_dead_list(BOX, 0, 10));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.dead.count, 2);
    ck_assert(!result.dead.more);
    const struct store_dead *first = &result.dead.entries[0];
    ck_assert_uint_eq(first->sequence, low);
    ck_assert_uint_eq(first->attempts, 3);
    ck_assert_uint_eq(first->code, 7);
    ck_assert_str_eq(first->reason, "low");
    ck_assert_int_eq(first->accepted_ms, accepted_ms);
    ck_assert_int_eq(first->died_ms, accepted_ms + 5);
    ck_assert_int_eq(first->expires_ms, 77);
    ck_assert_uint_eq(first->bytes, ENVELOPE + 70000);
    ck_assert(!first->damaged);
    ck_assert(is_envelope(first, "low"));
    ck_assert_uint_eq(result.dead.entries[1].sequence, high);
    ck_assert(is_envelope(&result.dead.entries[1], "high"));
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(a_list_comes_in_pages)
{
    uint64_t sequences[5];
    open_bench(_i);
    for (size_t i = 0; i < 5; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "m%zu", i);
        sequences[i] = bury(id, 10);
    }
    struct store_result result = bench_one(&bench, op_dead_list(BOX, 0, 3));
    ck_assert_uint_eq(result.dead.count, 3);
    ck_assert(result.dead.more);
    result_drop(&result);
    result = bench_one(&bench, op_dead_list(BOX, sequences[2], 2));
    ck_assert_uint_eq(result.dead.count, 2);
    ck_assert(!result.dead.more);
    ck_assert_uint_eq(result.dead.entries[0].sequence, sequences[3]);
    result_drop(&result);
    struct store_op few = op_dead_list(BOX, 0, 5);
    few.dead_list.max_bytes = ENVELOPE * 2;
    result = bench_one(&bench, few);
    ck_assert_uint_eq(result.dead.count, 2);
    ck_assert(result.dead.more);
    result_drop(&result);
    few.dead_list.max_bytes = 1;
    result = bench_one(&bench, few);
    ck_assert_uint_eq(result.dead.count, 1);
    result_drop(&result);
    result = bench_one(&bench, op_dead_list(BOX, UINT64_MAX, 5));
    ck_assert_uint_eq(result.dead.count, 0);
    ck_assert(!result.dead.more);
    result_drop(&result);
    ck_assert_int_eq(bench_one(&bench, op_dead_list(99, 0, 5)).status, STORE_NOT_FOUND);
    shut();
}
END_TEST

START_TEST(one_is_read_with_its_payload)
{
    open_bench(_i);
    uint64_t sequence = bury("large", 200000);
    struct store_result result = bench_one(&bench, op_dead(STORE_DEAD_READ, BOX, sequence));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.dead.count, 1);
    struct store_entry entry = {.message = result.dead.entries[0].message};
    ck_assert(content_is(&entry, "large", ENVELOPE, 200000));
    ck_assert_str_eq(result.dead.entries[0].reason, "large");
    result_drop(&result);
    ck_assert_int_eq(status_of(STORE_DEAD_READ, BOX, sequence + 1), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(STORE_DEAD_READ, OTHER, sequence), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(STORE_DEAD_READ, 99, sequence), STORE_NOT_FOUND);
    shut();
}
END_TEST

START_TEST(a_replayed_one_is_offered_again_in_its_lane)
{
    open_bench(_i);
    uint64_t sequence = bury_in(BOX, "urgent", 70000, LANE_HIGH);
    struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    (void)bench_one(&bench, op_append("later", ENVELOPE, 10, &to, 1));
    struct store_result result = bench_one(&bench, op_dead(STORE_REPLAY, BOX, sequence));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.replayed_bytes, ENVELOPE + 70000);
    ck_assert_uint_eq(count_dead(BOX), 0);
    result = bench_one(&bench, op_take(BOX, 1));
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(result.take.more);
    const struct store_entry *entry = &result.take.entries[0];
    ck_assert_uint_eq(entry->key.sequence, sequence);
    ck_assert_int_eq(entry->key.lane, LANE_HIGH);
    ck_assert_int_eq(entry->key.due_ms, 0);
    ck_assert_uint_eq(entry->attempts, 0);
    ck_assert_int_eq(entry->expires_ms, 77);
    ck_assert(content_is(entry, "urgent", ENVELOPE, 70000));
    struct entry_key key = entry->key;
    result_drop(&result);
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, sequence), STORE_NOT_FOUND);
    ck_assert_int_eq(bench_one(&bench, op_bury(&key, "again")).status, STORE_DONE);
    ck_assert_uint_eq(count_dead(BOX), 1);
    shut();
}
END_TEST

START_TEST(one_that_was_deferred_before_its_death_is_replayed_at_once)
{
    open_bench(_i);
    struct store_recipient to = {.mailbox = BOX, .lane = LANE_LOW, .due_ms = bench.now_ms - 1};
    (void)bench_one(&bench, op_append("due", ENVELOPE, 10, &to, 1));
    struct entry_key key = take_key(BOX);
    ck_assert_int_gt(key.due_ms, 0);
    (void)bench_one(&bench, op_bury(&key, "dead"));
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, key.sequence), STORE_DONE);
    struct entry_key again = take_key(BOX);
    ck_assert_uint_eq(again.sequence, key.sequence);
    ck_assert_int_eq(again.lane, LANE_LOW);
    ck_assert_int_eq(again.due_ms, 0);
    shut();
}
END_TEST

START_TEST(a_dropped_one_is_gone_and_the_others_stay)
{
    open_bench(_i);
    uint64_t first = bury("first", 10);
    uint64_t second = bury("second", 10);
    ck_assert_int_eq(status_of(STORE_DROP, OTHER, first), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(STORE_DROP, BOX, first), STORE_DONE);
    ck_assert_int_eq(status_of(STORE_DROP, BOX, first), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, first), STORE_NOT_FOUND);
    ck_assert_int_eq(status_of(STORE_DEAD_READ, BOX, second), STORE_DONE);
    ck_assert_uint_eq(count_dead(BOX), 1);
    shut();
}
END_TEST

START_TEST(bytes_stay_for_the_entries_that_live)
{
    struct store_recipient both[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                     {.mailbox = OTHER, .lane = LANE_NORMAL}};
    open_bench(_i);
    (void)bench_one(&bench, op_append("fan", ENVELOPE, 300, both, 2));
    struct entry_key key = take_key(BOX);
    (void)bench_one(&bench, op_bury(&key, "dead"));
    ck_assert_int_eq(status_of(STORE_DROP, BOX, key.sequence), STORE_DONE);
    struct store_result result = bench_one(&bench, op_take(OTHER, 1));
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(content_is(&result.take.entries[0], "fan", ENVELOPE, 300));
    result_drop(&result);
    shut();
}
END_TEST

/* Tried and given back so often, then refused; its sequence. */
static uint64_t try_and_bury(uint32_t tries)
{
    struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    struct stored_attempt attempt = {.ending = ENDING_NACK, .client = "files"};
    (void)bench_one(&bench, op_append("tried", ENVELOPE, 10, &to, 1));
    struct entry_key key = take_key(BOX);
    for (attempt.number = 1; attempt.number <= tries; attempt.number++) {
        (void)snprintf(attempt.reason, sizeof attempt.reason, "why %u", attempt.number);
        struct store_op op = op_defer(&key, attempt.number, bench.now_ms);
        op.defer.attempt = &attempt;
        ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
        key = take_key(BOX);
    }
    attempt.ending = ENDING_REFUSE;
    struct store_op op = op_bury(&key, "never");
    op.bury.attempt = &attempt;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
    return key.sequence;
}

static struct store_result read_dead(uint64_t sequence)
{
    struct store_result result = bench_one(&bench, op_dead(STORE_DEAD_READ, BOX, sequence));
    ck_assert_int_eq(result.status, STORE_DONE);
    return result;
}

START_TEST(a_letter_has_its_last_attempts)
{
    open_bench(_i);
    uint64_t sequence = try_and_bury(2);
    struct store_result result = read_dead(sequence);
    const struct store_dead *dead = result.dead.entries;
    ck_assert_uint_eq(dead->history_count, 3);
    ck_assert_uint_eq(dead->history[0].number, 1);
    ck_assert_int_eq(dead->history[0].ending, ENDING_NACK);
    ck_assert_str_eq(dead->history[0].client, "files");
    ck_assert_str_eq(dead->history[1].reason, "why 2");
    ck_assert_int_eq(dead->history[2].ending, ENDING_REFUSE);
    result_drop(&result);
    /* Played again, it begins anew. */
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, sequence), STORE_DONE);
    struct entry_key key = take_key(BOX);
    (void)bench_one(&bench, op_bury(&key, "again"));
    result = read_dead(sequence);
    ck_assert_uint_eq(result.dead.entries[0].history_count, 0);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(of_many_attempts_the_last_are_kept)
{
    open_bench(_i);
    struct store_result result = read_dead(try_and_bury(20));
    ck_assert_uint_eq(result.dead.entries[0].history_count, STORED_HISTORY);
    ck_assert_uint_eq(result.dead.entries[0].history[0].number, 21 - STORED_HISTORY + 1);
    ck_assert_uint_eq(result.dead.entries[0].history[STORED_HISTORY - 1].number, 21);
    result_drop(&result);
    shut();
}
END_TEST

static struct stored_mailbox found(void)
{
    size_t count = 0;
    const struct stored_mailbox *mailboxes = store_mailboxes(bench.store, &count);
    ck_assert_uint_eq(mailboxes[0].id, BOX);
    return mailboxes[0];
}

START_TEST(attempts_go_with_their_entry)
{
    open_bench(ENGINE_LMDB);
    uint64_t dropped = try_and_bury(2);
    ck_assert_int_eq(status_of(STORE_DROP, BOX, dropped), STORE_DONE);
    struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    struct stored_attempt attempt = {.number = 1, .ending = ENDING_LEASE};
    (void)bench_one(&bench, op_append("done", ENVELOPE, 10, &to, 1));
    struct entry_key key = take_key(BOX);
    struct store_op op = op_defer(&key, 1, bench.now_ms);
    op.defer.attempt = &attempt;
    (void)bench_one(&bench, op);
    key = take_key(BOX);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "attempt"), 0);
    bench_open(&bench);
    shut();
}
END_TEST

START_TEST(counters_and_tables_are_right_on_the_disk)
{
    open_bench(ENGINE_LMDB);
    uint64_t replayed = bury("replayed", 100);
    uint64_t dropped = bury("dropped", 200000);
    uint64_t kept = bury("kept", 300);
    (void)kept;
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, replayed), STORE_DONE);
    ck_assert_int_eq(status_of(STORE_DROP, BOX, dropped), STORE_DONE);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "dead"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "ready"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "message"), 2); /* a segment each */
    bench_open(&bench);
    ck_assert_uint_eq(found().dead, 1);
    ck_assert_uint_eq(found().waiting, 1);
    ck_assert_uint_eq(found().waiting_bytes, ENVELOPE + 100);
    shut();
}
END_TEST

START_TEST(a_damaged_one_is_shown_not_replayed_and_can_be_dropped)
{
    open_bench(ENGINE_LMDB);
    uint64_t sequence = bury("damaged", 200000);
    uint64_t whole = bury("whole", 100);
    bench_close(&bench);
    /* In the last segment: the envelope can still be read. */
    ck_assert(raw_flip_content(bench.path, "damaged", 190000));
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_dead_list(BOX, 0, 10));
    ck_assert_uint_eq(result.dead.count, 2);
    ck_assert(is_envelope(&result.dead.entries[0], "damaged"));
    result_drop(&result);
    result = bench_one(&bench, op_dead(STORE_DEAD_READ, BOX, sequence));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert_uint_eq(result.dead.count, 1);
    ck_assert(result.dead.entries[0].damaged);
    ck_assert_str_eq(result.dead.entries[0].reason, "damaged");
    ck_assert_uint_eq(result.dead.entries[0].message.payload.size, 0);
    result_drop(&result);
    ck_assert_int_eq(status_of(STORE_REPLAY, BOX, sequence), STORE_DAMAGED);
    ck_assert_uint_eq(count_dead(BOX), 2);
    ck_assert_int_eq(status_of(STORE_DROP, BOX, sequence), STORE_DONE);
    ck_assert_int_eq(status_of(STORE_DEAD_READ, BOX, whole), STORE_DONE);
    shut();
}
END_TEST

START_TEST(what_a_take_moved_aside_is_told_and_listed)
{
    struct store_recipient to = {.mailbox = BOX, .lane = LANE_NORMAL};
    open_bench(ENGINE_LMDB);
    (void)bench_one(&bench, op_append("broken", ENVELOPE, 500, &to, 1));
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "broken", 100));
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, 5));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert_uint_eq(result.take.aside, 1);
    ck_assert_uint_eq(result.take.aside_bytes, ENVELOPE + 500);
    result_drop(&result);
    result = bench_one(&bench, op_dead_list(BOX, 0, 5));
    ck_assert_uint_eq(result.dead.count, 1);
    ck_assert(result.dead.entries[0].damaged);
    ck_assert_uint_eq(result.dead.entries[0].code, STORED_CODE_DAMAGED);
    ck_assert_uint_eq(result.dead.entries[0].message.envelope.size, 0);
    result_drop(&result);
    shut();
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const each[] = {
        a_list_shows_each_with_its_envelope,
        a_list_comes_in_pages,
        one_is_read_with_its_payload,
        a_replayed_one_is_offered_again_in_its_lane,
        one_that_was_deferred_before_its_death_is_replayed_at_once,
        a_dropped_one_is_gone_and_the_others_stay,
        bytes_stay_for_the_entries_that_live,
        a_letter_has_its_last_attempts,
        of_many_attempts_the_last_are_kept,
    };
    const TTest *const disk[] = {
        attempts_go_with_their_entry,
        counters_and_tables_are_right_on_the_disk,
        a_damaged_one_is_shown_not_replayed_and_can_be_dropped,
        what_a_take_moved_aside_is_told_and_listed,
    };
    Suite *suite = suite_create("store.dead");
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
