/* SPDX-License-Identifier: EUPL-1.2
 *
 * What became of a message, on each engine: a row for each recipient that changes with its entry,
 * totals and pages, and how long it is remembered. On the disk alone: that nothing is left behind.
 */
#include "tests/unit/store/bench.h"
#include "tests/unit/store/rawfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { BOX = 7, OTHER = 9, THIRD = 12, MANY = 3000, ROWS = 250 };

static struct bench bench;

static const struct store_recipient ALL[] = {{.mailbox = OTHER, .lane = LANE_LOW},
                                             {.mailbox = BOX, .lane = LANE_HIGH},
                                             {.mailbox = THIRD, .lane = LANE_NORMAL}};

static void open_bench(int kind)
{
    bench_init(&bench, (enum engine_kind)kind);
    bench.settings.duplicate_window_ms = 1000;
    bench.settings.track_ms = 5000;
    bench_open(&bench);
    (void)bench_one(&bench, op_mailbox(BOX, "commune-76540/etat-civil"));
    (void)bench_one(&bench, op_mailbox(OTHER, "commune-06088/etat-civil"));
    (void)bench_one(&bench, op_mailbox(THIRD, "dila/greffe"));
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

static uint64_t append(const char *id, uint32_t count)
{
    struct store_op op = op_append(id, 20, 10, ALL, count);
    op.append.flow = 4711;
    op.append.expires_ms = 1;
    struct store_result result = bench_one(&bench, op);
    ck_assert_int_eq(result.status, STORE_DONE);
    ck_assert(!result.append.duplicate);
    return result.append.sequence;
}

static struct entry_key take_key(uint32_t mailbox)
{
    struct store_result result = bench_one(&bench, op_take(mailbox, 1));
    ck_assert_uint_eq(result.take.count, 1);
    struct entry_key key = result.take.entries[0].key;
    result_drop(&result);
    return key;
}

static struct store_result ask(const char *id)
{
    return bench_one(&bench, op_track("dila", id, 0, ROWS));
}

/* The row of a mailbox. */
static struct store_track_row row_of(const char *id, uint32_t mailbox)
{
    struct store_result result = ask(id);
    struct store_track_row row = {0};
    for (uint32_t i = 0; i < result.track.count; i++) {
        if (result.track.rows[i].mailbox == mailbox) {
            row = result.track.rows[i];
        }
    }
    ck_assert_uint_eq(row.mailbox, mailbox);
    result_drop(&result);
    return row;
}

/* A few recipients a step, whatever is wanted of them: together as if they had been looked at in
 * one. */
START_TEST(steps_are_bounded_and_leave_out_nobody)
{
    uint32_t steps = 0;
    uint32_t rows = 0;
    uint32_t waiting = 0;
    open_bench(_i);
    (void)append("notice", 3);
    struct store_op op = op_track("dila", "notice", 0, ROWS);
    op.track.looks = 2;
    do {
        struct store_result result = bench_one(&bench, op);
        ck_assert_uint_le(result.track.count, 2);
        rows += result.track.count;
        waiting += result.track.totals[TRACK_WAITING];
        op.track.from = result.track.next;
        steps++;
        result_drop(&result);
    } while (op.track.from > 0);
    ck_assert_uint_eq(steps, 2);
    ck_assert_uint_eq(rows, 3);
    ck_assert_uint_eq(waiting, 3);
    shut();
}
END_TEST

static bool is_known(const char *id)
{
    struct store_result result = ask(id);
    result_drop(&result);
    return result.status == STORE_DONE;
}

static void expect(const char *id, uint32_t mailbox, enum track_state state, uint32_t attempts)
{
    struct store_track_row row = row_of(id, mailbox);
    ck_assert_int_eq(row.state, state);
    ck_assert_uint_eq(row.attempts, attempts);
}

START_TEST(each_recipient_has_a_row_that_changes_with_its_entry)
{
    open_bench(_i);
    int64_t accepted_ms = bench.now_ms;
    uint64_t sequence = append("m", 3);
    struct store_result result = ask("m");
    ck_assert_uint_eq(result.track.sequence, sequence);
    ck_assert_int_eq(result.track.accepted_ms, accepted_ms);
    ck_assert_int_eq(result.track.expires_ms, 1);
    ck_assert_uint_eq(result.track.flow, 4711);
    ck_assert_uint_eq(result.track.count, 3);
    ck_assert_uint_eq(result.track.rows[0].mailbox, BOX);
    ck_assert_uint_eq(result.track.rows[2].mailbox, THIRD);
    ck_assert_uint_eq(result.track.totals[TRACK_WAITING], 3);
    result_drop(&result);
    struct entry_key key = take_key(BOX);
    expect("m", BOX, TRACK_DELIVERED, 0);
    (void)bench_one(&bench, op_defer(&key, 1, bench.now_ms + 50));
    expect("m", BOX, TRACK_WAITING, 1);
    ck_assert_int_eq(row_of("m", BOX).since_ms, accepted_ms);
    bench.now_ms += 100;
    key = take_key(BOX);
    expect("m", BOX, TRACK_DELIVERED, 1);
    (void)bench_one(&bench, op_ack(&key));
    expect("m", BOX, TRACK_ACKNOWLEDGED, 2);
    ck_assert_int_eq(row_of("m", BOX).since_ms, bench.now_ms);
    expect("m", OTHER, TRACK_WAITING, 0);
    shut();
}
END_TEST

START_TEST(a_dead_letter_has_its_reason_and_what_is_done_with_it)
{
    static const struct {
        uint32_t code;
        enum track_state state;
    } ends[] = {{STORED_CODE_REFUSED, TRACK_REFUSED},
                {STORED_CODE_EXPIRED, TRACK_EXPIRED},
                {STORED_CODE_CANCELLED, TRACK_CANCELLED},
                {23, TRACK_DEAD}};
    open_bench(_i);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "m%zu", i);
        uint64_t sequence = append(id, 2);
        struct entry_key key = take_key(BOX);
        struct store_op op = op_bury(&key, "no");
        op.bury.code = ends[i].code;
        bench.now_ms += 3;
        (void)bench_one(&bench, op);
        expect(id, BOX, ends[i].state, 3);
        ck_assert_uint_eq(row_of(id, BOX).code, ends[i].code);
        (void)bench_one(&bench, op_dead(STORE_REPLAY, BOX, sequence));
        expect(id, BOX, TRACK_WAITING, 0);
        ck_assert_uint_eq(row_of(id, BOX).code, 0);
        key = take_key(BOX);
        op = op_bury(&key, "no");
        op.bury.code = ends[i].code;
        (void)bench_one(&bench, op);
        (void)bench_one(&bench, op_dead(STORE_DROP, BOX, sequence));
        expect(id, BOX, TRACK_DROPPED, 3);
        ck_assert_uint_eq(row_of(id, BOX).code, ends[i].code);
        expect(id, OTHER, TRACK_WAITING, 0);
    }
    shut();
}
END_TEST

START_TEST(pages_begin_behind_a_mailbox_and_may_leave_out_who_has_it)
{
    open_bench(_i);
    (void)append("m", 3);
    struct entry_key key = take_key(OTHER);
    (void)bench_one(&bench, op_ack(&key));
    struct store_op op = op_track("dila", "m", 0, 1);
    struct store_result result = bench_one(&bench, op);
    ck_assert_uint_eq(result.track.count, 1);
    ck_assert(result.track.more);
    ck_assert_uint_eq(result.track.totals[TRACK_WAITING], 2);
    ck_assert_uint_eq(result.track.totals[TRACK_ACKNOWLEDGED], 1);
    result_drop(&result);
    op.track.after = BOX;
    result = bench_one(&bench, op);
    ck_assert_uint_eq(result.track.rows[0].mailbox, OTHER);
    ck_assert(result.track.more);
    ck_assert_uint_eq(result.track.totals[TRACK_WAITING], 0);
    result_drop(&result);
    op.track.missing = true;
    result = bench_one(&bench, op);
    ck_assert_uint_eq(result.track.rows[0].mailbox, THIRD);
    ck_assert(!result.track.more);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(what_was_not_sent_is_not_found)
{
    open_bench(_i);
    (void)append("m", 1);
    ck_assert(is_known("m"));
    ck_assert(!is_known("n"));
    struct store_result result = bench_one(&bench, op_track("dgs", "m", 0, ROWS));
    ck_assert_int_eq(result.status, STORE_NOT_FOUND);
    result_drop(&result);
    shut();
}
END_TEST

/* The window says what is the same message; that is shorter than what is remembered. */
START_TEST(an_id_that_is_used_again_behind_the_window_is_another_message)
{
    open_bench(_i);
    uint64_t first = append("m", 2);
    bench.now_ms += 1000;
    uint64_t second = append("m", 1);
    ck_assert_uint_ne(first, second);
    struct store_result result = ask("m");
    ck_assert_uint_eq(result.track.sequence, second);
    ck_assert_uint_eq(result.track.count, 1);
    result_drop(&result);
    shut();
}
END_TEST

static void acknowledge(uint32_t mailbox)
{
    struct entry_key key = take_key(mailbox);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
}

START_TEST(it_is_remembered_so_long_and_while_an_entry_lives)
{
    open_bench(_i);
    (void)append("gone", 1);
    acknowledge(OTHER);
    (void)append("live", 2);
    acknowledge(OTHER);
    bench.now_ms += 4999;
    (void)append("tick-1", 1);
    ck_assert(is_known("gone"));
    bench.now_ms += 1;
    (void)append("tick-2", 1);
    ck_assert(!is_known("gone"));
    ck_assert(is_known("live"));
    acknowledge(BOX);
    bench.now_ms += 4999;
    (void)append("tick-3", 1);
    expect("live", BOX, TRACK_ACKNOWLEDGED, 1);
    bench.now_ms += 1;
    (void)append("tick-4", 1);
    ck_assert(!is_known("live"));
    shut();
}
END_TEST

START_TEST(it_is_on_the_disk_and_leaves_nothing_there)
{
    open_bench(ENGINE_LMDB);
    (void)append("m", 3);
    acknowledge(BOX);
    bench_reopen(&bench);
    expect("m", BOX, TRACK_ACKNOWLEDGED, 1);
    expect("m", OTHER, TRACK_WAITING, 0);
    acknowledge(OTHER);
    acknowledge(THIRD);
    bench.now_ms += 10000;
    (void)append("n", 1);
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "track"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "duplicate"), 1);
    ck_assert_uint_eq(raw_count(bench.path, "duplicate_age"), 1);
    shut();
}
END_TEST

/* Of a notice to many the rows go some a batch, and then all of them. */
START_TEST(a_notice_to_many_is_forgotten_bit_by_bit)
{
    struct store_recipient *many = calloc(MANY, sizeof *many);
    ck_assert_ptr_nonnull(many);
    open_bench(ENGINE_LMDB);
    for (uint32_t i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "commune-%u/accueil", i);
        many[i] = (struct store_recipient){.mailbox = 100 + i, .lane = LANE_NORMAL};
        (void)bench_one(&bench, op_mailbox(100 + i, name));
    }
    (void)bench_one(&bench, op_append("notice", 20, 10, many, MANY));
    struct store_result result = ask("notice");
    ck_assert_uint_eq(result.track.totals[TRACK_WAITING], MANY);
    ck_assert_uint_eq(result.track.count, ROWS);
    result_drop(&result);
    for (uint32_t i = 0; i < MANY; i++) {
        acknowledge(100 + i);
    }
    bench.now_ms += 10000;
    (void)append("tick-1", 1);
    ck_assert(is_known("notice"));
    (void)append("tick-2", 1);
    (void)append("tick-3", 1);
    ck_assert(!is_known("notice"));
    bench_close(&bench);
    ck_assert_uint_eq(raw_count(bench.path, "track"), 3);
    free(many);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store track");
    TCase *each = tcase_create("engine");
    tcase_set_timeout(each, 120);
    tcase_add_loop_test(each, steps_are_bounded_and_leave_out_nobody, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, each_recipient_has_a_row_that_changes_with_its_entry, 0,
                        ENGINE_COUNT);
    tcase_add_loop_test(each, a_dead_letter_has_its_reason_and_what_is_done_with_it, 0,
                        ENGINE_COUNT);
    tcase_add_loop_test(each, pages_begin_behind_a_mailbox_and_may_leave_out_who_has_it, 0,
                        ENGINE_COUNT);
    tcase_add_loop_test(each, what_was_not_sent_is_not_found, 0, ENGINE_COUNT);
    tcase_add_loop_test(each, an_id_that_is_used_again_behind_the_window_is_another_message, 0,
                        ENGINE_COUNT);
    tcase_add_loop_test(each, it_is_remembered_so_long_and_while_an_entry_lives, 0, ENGINE_COUNT);
    tcase_add_test(each, it_is_on_the_disk_and_leaves_nothing_there);
    tcase_add_test(each, a_notice_to_many_is_forgotten_bit_by_bit);
    suite_add_tcase(suite, each);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
