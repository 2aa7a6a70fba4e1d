/* SPDX-License-Identifier: EUPL-1.2
 *
 * What only an engine with a disk has: what survives, how full and broken files end. statvfs() is
 * this program's own, so that a test can say what it answers.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include "store/turn.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BOX = 7, OTHER = 9, EMPTY = 11, FRESH = 13 };

static struct bench bench;
static uint64_t told_available; /* UINT64_MAX: the truth */

static const struct store_recipient TO_BOX[] = {{.mailbox = BOX, .lane = LANE_NORMAL}};

int statvfs(const char *path, struct statvfs *out_info)
{
    int (*real)(const char *, struct statvfs *) =
        (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs");
    int rc = real(path, out_info);
    if (told_available != UINT64_MAX) {
        out_info->f_bavail = told_available / out_info->f_frsize;
    }
    return rc;
}

static void set_up(void)
{
    told_available = UINT64_MAX;
    bench_init(&bench, ENGINE_LMDB);
    bench.settings.map_bytes = UINT64_C(256) << 20;
}

static void tear_down(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static void open_with_boxes(void)
{
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    (void)bench_one(&bench, op_mailbox(OTHER, "commune-06088/accueil"));
    (void)bench_one(&bench, op_mailbox(EMPTY, "departement-02/accueil"));
    (void)bench_one(&bench, op_mailbox(FRESH, "departement-02/courrier"));
}

static enum store_status append(const char *id, size_t size)
{
    return bench_one(&bench, op_append(id, 20, size, TO_BOX, 1)).status;
}

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

static struct stored_mailbox found(uint32_t id)
{
    size_t count = 0;
    const struct stored_mailbox *mailboxes = store_mailboxes(bench.store, &count);
    for (size_t i = 0; i < count; i++) {
        if (mailboxes[i].id == id) {
            return mailboxes[i];
        }
    }
    ck_abort_msg("mailbox %u is not there", id);
    return (struct stored_mailbox){0};
}

START_TEST(everything_is_there_after_reopening)
{
    struct store_recipient both[] = {{.mailbox = BOX, .lane = LANE_NORMAL},
                                     {.mailbox = OTHER, .lane = LANE_HIGH}};
    open_with_boxes();
    ck_assert_int_eq(append("waits", 100), STORE_DONE);
    ck_assert_int_eq(append("deferred", 70000), STORE_DONE);
    ck_assert_int_eq(append("dies", 100), STORE_DONE);
    ck_assert_int_eq(append("goes", 100), STORE_DONE);
    struct store_result result = bench_one(&bench, op_append("fan", 20, 300, both, 2));
    uint64_t last = result.append.sequence;
    struct entry_key keys[4];
    for (int i = 0; i < 4; i++) {
        keys[i] = take_key(BOX);
    }
    bench.now_ms += 10;
    (void)bench_one(&bench, op_defer(&keys[1], 5, bench.now_ms + 1000));
    (void)bench_one(&bench, op_bury(&keys[2], "no longer needed"));
    (void)bench_one(&bench, op_ack(&keys[3]));
    bench_reopen(&bench);

    ck_assert_int_eq(store_last_time(bench.store), bench.now_ms);
    ck_assert_str_eq(found(BOX).name, "commune-76540/etat-civil");
    ck_assert_uint_eq(found(BOX).waiting, 3);
    ck_assert_uint_eq(found(BOX).waiting_bytes, 120 + 70020 + 320);
    ck_assert_uint_eq(found(BOX).dead, 1);
    ck_assert_uint_eq(found(OTHER).waiting, 1);
    ck_assert_uint_eq(found(OTHER).waiting_bytes, 320);
    result = bench_one(&bench, op_take(BOX, 10)); /* claims did not survive */
    ck_assert_uint_eq(result.take.count, 2);
    ck_assert(content_is(&result.take.entries[0], "waits", 20, 100));
    ck_assert(content_is(&result.take.entries[1], "fan", 20, 300));
    ck_assert_int_eq(result.take.next_due_ms, bench.now_ms + 1000);
    result_drop(&result);
    bench.now_ms += 1000;
    result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_uint_eq(result.take.count, 1);
    ck_assert(content_is(&result.take.entries[0], "deferred", 20, 70000));
    ck_assert_uint_eq(result.take.entries[0].attempts, 5);
    result_drop(&result);
    result = bench_one(&bench, op_append("goes", 20, 100, TO_BOX, 1));
    ck_assert(result.append.duplicate);
    result = bench_one(&bench, op_append("new", 20, 100, TO_BOX, 1));
    ck_assert_uint_gt(result.append.sequence, last);
}
END_TEST

START_TEST(nothing_is_left_of_messages_that_all_have_acked)
{
    open_with_boxes();
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t limit = 0;
    bench_reopen(&bench);
    store_size(bench.store, &before, &limit);
    for (int round = 0; round < 50; round++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", round);
        ck_assert_int_eq(append(id, 500000), STORE_DONE);
        struct entry_key key = take_key(BOX);
        ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    }
    bench_reopen(&bench);
    store_size(bench.store, &after, &limit);
    ck_assert_uint_eq(found(BOX).waiting, 0);
    ck_assert_uint_eq(found(BOX).waiting_bytes, 0);
    /* Ids are still remembered; 25 MB of messages are not. */
    ck_assert_uint_lt(after, before + 200000);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "message"), 0);
    ck_assert_uint_eq(raw_count(bench.path, "duplicate"), 50);
}
END_TEST

START_TEST(the_oldest_ids_are_forgotten_beyond_the_most)
{
    bench.settings.duplicate_max = 20;
    open_with_boxes();
    for (int i = 0; i < 200; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "m%d", i);
        ck_assert_int_eq(append(id, 10), STORE_DONE);
    }
    ck_assert(bench_one(&bench, op_append("m199", 20, 10, TO_BOX, 1)).append.duplicate);
    ck_assert(!bench_one(&bench, op_append("m3", 20, 10, TO_BOX, 1)).append.duplicate);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "duplicate"), 20);
    ck_assert_uint_eq(raw_count(bench.path, "track"), 201); /* these are held by their messages */
}
END_TEST

START_TEST(a_disk_below_its_reserve_refuses_appends)
{
    bench.settings.reserve_bytes = 10 << 20;
    open_with_boxes();
    ck_assert_int_eq(append("before", 1000), STORE_DONE);
    told_available = 4 << 20;
    ck_assert_int_eq(append("full", 1000), STORE_NO_ROOM);
    ck_assert(bench_one(&bench, op_append("before", 20, 10, TO_BOX, 1)).append.duplicate);
    struct entry_key key = take_key(BOX);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
    told_available = UINT64_MAX;
    ck_assert_int_eq(append("full", 1000), STORE_DONE);
}
END_TEST

START_TEST(a_disk_below_its_reserve_keeps_no_history)
{
    struct stored_attempt attempt = {.number = 1, .ending = ENDING_NACK, .reason = "why"};
    bench.settings.reserve_bytes = 10 << 20;
    open_with_boxes();
    ck_assert_int_eq(append("tried", 1000), STORE_DONE);
    for (; attempt.number <= 2; attempt.number++) {
        struct entry_key key = take_key(BOX);
        struct store_op op = op_defer(&key, attempt.number, bench.now_ms);
        op.defer.attempt = &attempt;
        ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
        told_available = 4 << 20;
    }
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "attempt"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "later"), 1);
}
END_TEST

enum { SMALL_MOST = 400 };

/* Fills the file with messages of a page each, takes them all and acks every second: half of it is
 * free, page by page, and soon no 16 pages lie side by side. */
static struct store_result fill_with_holes(void)
{
    uint32_t stored = 0;
    char id[16];
    bool fits = true;
    while (fits && stored < SMALL_MOST) {
        (void)snprintf(id, sizeof id, "m%u", stored);
        fits = append(id, 3000) == STORE_DONE;
        stored += fits ? 1 : 0;
    }
    struct store_result taken = bench_one(&bench, op_take(BOX, SMALL_MOST));
    ck_assert_uint_eq(taken.take.count, stored);
    for (uint32_t i = 1; i < stored; i += 2) {
        (void)bench_one(&bench, op_ack(&taken.take.entries[i].key));
    }
    return taken;
}

/* One batch that takes, acks, releases and takes again, then appends a large message and takes it.
 * All but the append must be done either way, once. */
static enum store_status try_large(size_t number, const struct store_entry *entries)
{
    struct store_recipient to[] = {{.mailbox = OTHER, .lane = LANE_NORMAL}};
    struct store_recipient to_fresh[] = {{.mailbox = FRESH, .lane = LANE_NORMAL}};
    const struct entry_key *next = &entries[2 * number + 2].key;
    char id[16];
    char fresh_id[16];
    (void)snprintf(id, sizeof id, "large%zu", number);
    (void)snprintf(fresh_id, sizeof fresh_id, "fresh%zu", number);
    struct store_result fresh = bench_one(&bench, op_append(fresh_id, 20, 30, to_fresh, 1));
    ck_assert_int_eq(fresh.status, STORE_DONE);
    struct store_op ops[] = {
        op_take(BOX, 1),   op_ack(&entries[2 * number].key), op_release(next), op_take(BOX, 1),
        op_take(FRESH, 1), op_append(id, 20, 60000, to, 1),  op_take(OTHER, 1)};
    struct store_result results[6];
    bench_do(&bench, ops, 7, results);
    enum store_status status = results[4].status;
    ck_assert_uint_eq(results[0].take.count, 0); /* all are held */
    ck_assert_int_eq(results[1].status, STORE_DONE);
    ck_assert_uint_eq(results[2].take.count, 1);
    ck_assert_uint_eq(results[2].take.entries[0].key.sequence, next->sequence);
    ck_assert_uint_eq(results[3].take.count, 1);
    ck_assert_uint_eq(results[3].take.entries[0].key.sequence, fresh.append.sequence);
    ck_assert_uint_eq(results[5].take.count, status == STORE_DONE ? 1 : 0);
    result_drop(&results[2]);
    result_drop(&results[3]);
    result_drop(&results[5]);
    return status;
}

START_TEST(a_file_without_a_run_of_pages_refuses_the_append_alone)
{
    struct store_recipient to_empty[] = {{.mailbox = EMPTY, .lane = LANE_NORMAL}};
    bench.settings.map_bytes = 2 << 20;
    open_with_boxes();
    struct store_result taken = fill_with_holes();
    size_t large = 0;
    while (large < 100 && try_large(large++, taken.take.entries) == STORE_DONE) {
    }
    ck_assert_uint_lt(large, 100);
    uint64_t used = 0;
    uint64_t limit = 0;
    store_size(bench.store, &used, &limit);
    ck_assert_uint_lt(used, limit * 9 / 10); /* it was not the 80 % that refused */
    ck_assert(!store_failed(bench.store, NULL));
    /* The sequences that were given up are used again, and what has them is found. */
    struct store_result result = bench_one(&bench, op_append("small", 20, 10, to_empty, 1));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(take_key(EMPTY).sequence, result.append.sequence);
    size_t stored = taken.take.count;
    result_drop(&taken);
    bench_reopen(&bench);
    ck_assert_uint_eq(found(BOX).waiting, (stored + 1) / 2 - large);
    ck_assert_uint_eq(found(BOX).waiting_bytes, found(BOX).waiting * 3020);
    ck_assert_uint_eq(found(OTHER).waiting, large - 1);
    ck_assert_uint_eq(found(FRESH).waiting, large);
    result = bench_one(&bench, op_take(BOX, SMALL_MOST));
    ck_assert_uint_eq(result.take.count, found(BOX).waiting);
    result_drop(&result);
}
END_TEST

START_TEST(a_large_fan_out_fits_one_transaction)
{
    enum { BOXES = 5000 };
    static struct store_op ops[BOXES];
    static struct store_result results[BOXES];
    static struct store_recipient to[BOXES];
    bench_open(&bench);
    for (uint32_t i = 0; i < BOXES; i++) {
        ops[i] = op_mailbox(i * 3, "commune-76540/etat-civil");
        to[i] = (struct store_recipient){.mailbox = i * 3, .lane = LANE_LOW};
    }
    bench_do(&bench, ops, BOXES, results);
    ck_assert_int_eq(bench_one(&bench, op_append("m", 20, 30, to, BOXES)).status, STORE_DONE);
    bench_reopen(&bench);
    for (uint32_t i = 0; i < BOXES; i++) {
        struct entry_key key = {.mailbox = i * 3, .lane = LANE_LOW, .sequence = 1};
        ops[i] = op_ack(&key);
    }
    bench_do(&bench, ops, BOXES, results);
    for (uint32_t i = 0; i < BOXES; i++) {
        ck_assert_int_eq(results[i].status, STORE_DONE);
    }
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "message"), 0);
    ck_assert_uint_eq(raw_count(bench.path, "refs"), 0);
}
END_TEST

START_TEST(a_damaged_message_is_moved_aside_and_the_others_come)
{
    open_with_boxes();
    ck_assert_int_eq(append("first", 500), STORE_DONE);
    ck_assert_int_eq(append("second", 200000), STORE_DONE);
    ck_assert_int_eq(append("third", 500), STORE_DONE);
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "second", 20 + 150000));
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert_uint_eq(result.take.count, 2);
    ck_assert(content_is(&result.take.entries[0], "first", 20, 500));
    ck_assert(content_is(&result.take.entries[1], "third", 20, 500));
    result_drop(&result);
    result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert_uint_eq(result.take.count, 0);
    bench_reopen(&bench);
    ck_assert_uint_eq(found(BOX).waiting, 2);
    ck_assert_uint_eq(found(BOX).waiting_bytes, 1040);
    ck_assert_uint_eq(found(BOX).dead, 1);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "dead"), 1);
}
END_TEST

/* The batch that meets damage is done again: what it had picked must not count twice. */
START_TEST(a_batch_that_is_done_again_keeps_the_turns_of_the_lanes)
{
    struct store_recipient low = {.mailbox = BOX, .lane = LANE_LOW};
    struct store_recipient high = {.mailbox = BOX, .lane = LANE_HIGH};
    open_with_boxes();
    (void)bench_one(&bench, op_append("low", 20, 100, &low, 1));
    for (int i = 0; i < TURN_LOWER_EVERY + 1; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "high-%d", i);
        (void)bench_one(&bench, op_append(id, 20, 200000, &high, 1));
    }
    bench_close(&bench);
    ck_assert(raw_flip_content(bench.path, "high-4", 20 + 150000));
    bench_open(&bench);
    struct store_result result = bench_one(&bench, op_take(BOX, TURN_LOWER_EVERY));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    ck_assert_uint_eq(result.take.count, TURN_LOWER_EVERY);
    for (uint32_t i = 0; i < TURN_LOWER_EVERY; i++) {
        ck_assert_int_eq(result.take.entries[i].key.lane,
                         i + 1 < TURN_LOWER_EVERY ? LANE_HIGH : LANE_LOW);
    }
    result_drop(&result);
}
END_TEST

START_TEST(a_lost_entry_is_noticed_and_the_counters_mended)
{
    open_with_boxes();
    ck_assert_int_eq(append("m", 500), STORE_DONE);
    bench_close(&bench);
    raw_drop_table(bench.path, "ready");
    bench_open(&bench);
    ck_assert_uint_eq(found(BOX).waiting, 1);
    struct store_result result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_int_eq(result.status, STORE_DAMAGED);
    result = bench_one(&bench, op_take(BOX, 10));
    ck_assert_int_eq(result.status, STORE_DONE);
    bench_reopen(&bench);
    ck_assert_uint_eq(found(BOX).waiting, 0);
}
END_TEST

START_TEST(the_pulse_says_when_the_disk_answered)
{
    int64_t before = 0;
    int64_t after = 0;
    bool busy = true;
    open_with_boxes();
    store_pulse(bench.store, &before, &busy);
    ck_assert_int_gt(before, 0);
    (void)usleep(20000);
    ck_assert_int_eq(append("m", 10), STORE_DONE);
    store_pulse(bench.store, &after, &busy);
    ck_assert_int_ge(after, before + 20);
    for (int i = 0; busy && i < 1000; i++) {
        (void)usleep(1000);
        store_pulse(bench.store, &after, &busy);
    }
    ck_assert(!busy);
}
END_TEST

START_TEST(what_was_submitted_is_finished_on_closing)
{
    open_with_boxes();
    static struct store_op ops[300];
    static char ids[300][8];
    for (size_t i = 0; i < 300; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%zu", i);
        ops[i] = op_append(ids[i], 20, 30, TO_BOX, 1);
    }
    for (size_t i = 0; i < 300; i++) {
        bench_submit(&bench, &ops[i], 1);
    }
    bench_reopen(&bench);
    ck_assert_uint_eq(found(BOX).waiting, 300);
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        everything_is_there_after_reopening,
        nothing_is_left_of_messages_that_all_have_acked,
        the_oldest_ids_are_forgotten_beyond_the_most,
        a_disk_below_its_reserve_refuses_appends,
        a_disk_below_its_reserve_keeps_no_history,
        a_file_without_a_run_of_pages_refuses_the_append_alone,
        a_large_fan_out_fits_one_transaction,
        a_damaged_message_is_moved_aside_and_the_others_come,
        a_batch_that_is_done_again_keeps_the_turns_of_the_lanes,
        a_lost_entry_is_noticed_and_the_counters_mended,
        the_pulse_says_when_the_disk_answered,
        what_was_submitted_is_finished_on_closing,
    };
    Suite *suite = suite_create("store.lmdb");
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        TCase *tcase = tcase_create(tests[i]->name);
        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, tests[i]);
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
