/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deadlines for acknowledgement, on each engine: what is due, who is reminded, and that a step is
 * done with what it says or not at all.
 */
#include "tests/unit/store/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOXES = 6, SENDER = 7, ENVELOPE = 20, PAYLOAD = 30 };

static struct bench bench;
static int64_t began_ms;

static void open_bench(int kind)
{
    char name[32];
    bench_init(&bench, (enum engine_kind)kind);
    bench_open(&bench);
    began_ms = bench.now_ms;
    for (uint32_t box = 1; box <= SENDER; box++) {
        (void)snprintf(name, sizeof name, "commune-%u/etat-civil", (unsigned)box);
        (void)bench_one(&bench, op_mailbox(box, name));
    }
}

static void shut(void)
{
    bench_fini(&bench);
    ck_assert_int_eq(bench_live_buffers(), 0);
}

/* Reminders after 1000 and 2000 ms, the deadline after 3000. */
static void append(const char *id, uint32_t boxes)
{
    struct store_recipient to[BOXES];
    struct stored_deadline deadline = {.accepted_ms = bench.now_ms,
                                       .deadline_ms = bench.now_ms + 3000,
                                       .remind_ms = {bench.now_ms + 1000, bench.now_ms + 2000},
                                       .remind_count = 2,
                                       .sender = "dila",
                                       .from = "dila/greffe",
                                       .flow = "NOTICE"};
    (void)snprintf(deadline.id, sizeof deadline.id, "%s", id);
    for (uint32_t i = 0; i < boxes; i++) {
        to[i] = (struct store_recipient){.mailbox = i + 1, .lane = LANE_NORMAL};
    }
    struct store_op op = op_append(id, ENVELOPE, PAYLOAD, to, boxes);
    op.append.deadline = &deadline;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
}

static struct store_due ask(void)
{
    struct store_result result = bench_one(&bench, (struct store_op){.kind = STORE_DUE});
    ck_assert_int_eq(result.status, STORE_DONE);
    struct store_due due = *result.due;
    result_drop(&result);
    return due;
}

/* Of the deadline that is first. */
static struct store_result pass(const char *id, uint8_t step, uint32_t max, bool warns)
{
    struct store_due due = ask();
    struct store_recipient sender = {.mailbox = SENDER, .lane = LANE_HIGH};
    struct store_op op = op_append(id, ENVELOPE, PAYLOAD, &sender, warns ? 1 : 0);
    op.append.sender = "relais";
    op.append.lane = LANE_HIGH;
    op.append.pass = (struct deadline_pass){
        .sequence = due.sequence, .at_ms = due.at_ms, .step = step, .max = max};
    return bench_one(&bench, op);
}

static void remind(const char *id, uint8_t step, uint32_t max, const char *expected)
{
    char boxes[64] = "";
    struct store_result result = pass(id, step, max, false);
    ck_assert_int_eq(result.status, STORE_DONE);
    for (uint32_t i = 0; i < result.append.replaced_count; i++) {
        size_t size = strlen(boxes);
        ck_assert(result.append.replaced[i].added && !result.append.replaced[i].gone);
        (void)snprintf(boxes + size, sizeof boxes - size, "%u",
                       (unsigned)result.append.replaced[i].mailbox);
    }
    result_drop(&result);
    ck_assert_str_eq(boxes, expected);
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

static void ack(uint32_t box)
{
    struct entry_key key = take(box, 1);
    ck_assert_int_eq(bench_one(&bench, op_ack(&key)).status, STORE_DONE);
}

START_TEST(the_first_step_is_told_with_what_was_said_of_it)
{
    open_bench(_i);
    ck_assert_uint_eq(ask().sequence, 0);
    bench.now_ms += 500;
    append("later", 1);
    bench.now_ms -= 500;
    append("first", 2);
    struct store_due due = ask();
    ck_assert_int_eq(due.at_ms, began_ms + 1000);
    ck_assert_str_eq(due.deadline.id, "first");
    ck_assert_str_eq(due.deadline.sender, "dila");
    ck_assert_str_eq(due.deadline.from, "dila/greffe");
    ck_assert_str_eq(due.deadline.flow, "NOTICE");
    ck_assert_int_eq(due.deadline.deadline_ms, began_ms + 3000);
    ck_assert_uint_eq(due.deadline.remind_count, 2);
    ck_assert_int_eq(due.deadline.remind_ms[1], began_ms + 2000);
    ck_assert_uint_eq(due.owing, 0); /* it is not time */
    shut();
}
END_TEST

START_TEST(who_has_not_acknowledged_is_reminded_in_steps)
{
    open_bench(_i);
    append("notice", BOXES);
    ack(2);
    (void)take(3, 1); /* delivered is not acknowledged */
    bench.now_ms += 1000;
    remind("r-1", 0, 2, "13");
    ck_assert_int_eq(ask().at_ms, began_ms + 1000); /* the same step, for the others */
    ck_assert_uint_eq(ask().deadline.after, 3);
    remind("r-2", 0, 2, "45");
    remind("r-3", 0, 2, "6");
    ck_assert_int_eq(ask().at_ms, began_ms + 2000);
    ck_assert_uint_eq(ask().deadline.step, 1);
    (void)take(1, 2); /* the message, and what reminds of it */
    (void)take(2, 0);
    shut();
}
END_TEST

START_TEST(who_answers_between_two_steps_is_not_reminded_again)
{
    open_bench(_i);
    append("notice", 3);
    bench.now_ms += 1000;
    ack(1);
    remind("r-1", 0, 9, "23");
    bench.now_ms += 1000;
    struct store_result taken = bench_one(&bench, op_take(2, 10));
    ck_assert_uint_eq(taken.take.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_int_eq(bench_one(&bench, op_ack(&taken.take.entries[i].key)).status, STORE_DONE);
    }
    result_drop(&taken);
    remind("r-2", 1, 9, "3");
    shut();
}
END_TEST

/* A later step takes the place of those that were slept through, and begins with the first. */
START_TEST(a_later_step_begins_anew)
{
    open_bench(_i);
    append("notice", 4);
    bench.now_ms += 1000;
    remind("r-1", 0, 2, "12");
    bench.now_ms += 1000;
    remind("r-2", 1, 3, "123");
    remind("r-3", 1, 3, "4");
    ck_assert_int_eq(ask().at_ms, began_ms + 3000);
    ck_assert_int_eq(pass("r-4", 1, 3, false).status, STORE_NOT_FOUND); /* it was done */
    shut();
}
END_TEST

START_TEST(nobody_left_to_remind_is_the_end_of_a_deadline)
{
    open_bench(_i);
    append("notice", 1);
    ack(1);
    append("other", 1);
    bench.now_ms += 1000;
    remind("r-1", 0, 9, "");
    ck_assert_str_eq(ask().deadline.id, "other");
    shut();
}
END_TEST

static void bury(uint32_t box, uint32_t code)
{
    struct entry_key key = take(box, 1);
    struct store_op op = op_bury(&key, "said");
    op.bury.code = code;
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_DONE);
}

START_TEST(at_the_deadline_those_who_owe_are_counted)
{
    open_bench(_i);
    append("notice", BOXES);
    ack(1);
    bury(2, STORED_CODE_REFUSED);
    bury(3, STORED_CODE_EXPIRED);
    bury(4, STORED_CODE_CANCELLED);
    bury(5, 23);
    struct entry_key five = {.mailbox = 5};
    struct store_result dead = bench_one(&bench, op_dead_list(5, 0, 1));
    five.sequence = dead.dead.entries[0].sequence;
    result_drop(&dead);
    (void)bench_one(&bench, op_dead(STORE_DROP, 5, five.sequence));
    bench.now_ms += 1000;
    remind("r-1", 0, 9, "236"); /* neither the cancelled nor the dropped */
    bench.now_ms += 2000;
    struct store_due due = ask();
    ck_assert_uint_eq(due.owing, 4);
    ck_assert_uint_eq(due.count, 4);
    ck_assert_uint_eq(due.rows[0].mailbox, 2);
    ck_assert_int_eq(due.rows[2].state, TRACK_DROPPED);
    ck_assert_uint_eq(due.totals[TRACK_ACKNOWLEDGED], 1);
    ck_assert_uint_eq(due.totals[TRACK_REFUSED], 1);
    ck_assert_uint_eq(due.totals[TRACK_CANCELLED], 1);
    ck_assert_uint_eq(due.totals[TRACK_WAITING], 1);
    struct store_result warned = pass("w", 2, 0, true);
    ck_assert_int_eq(warned.status, STORE_DONE);
    ck_assert_uint_eq(warned.append.replaced_count, 0);
    result_drop(&warned);
    (void)take(SENDER, 1);
    ck_assert_uint_eq(ask().sequence, 0);
    shut();
}
END_TEST

START_TEST(who_cannot_be_reminded_still_owes_an_answer)
{
    open_bench(_i);
    append("notice", 1);
    bury(1, 23);
    struct store_result dead = bench_one(&bench, op_dead_list(1, 0, 1));
    uint64_t sequence = dead.dead.entries[0].sequence;
    result_drop(&dead);
    (void)bench_one(&bench, op_dead(STORE_DROP, 1, sequence));
    bench.now_ms += 1000;
    remind("r-1", 0, 9, "");
    ck_assert_int_eq(ask().at_ms, began_ms + 2000);
    bench.now_ms += 2000;
    ck_assert_uint_eq(ask().owing, 1);
    shut();
}
END_TEST

START_TEST(nobody_to_warn_ends_it_as_well)
{
    open_bench(_i);
    append("notice", 1);
    bench.now_ms += 3000;
    struct store_result result = pass("w", 2, 0, false);
    ck_assert_int_eq(result.status, STORE_DONE);
    result_drop(&result);
    ck_assert_uint_eq(ask().sequence, 0);
    (void)take(SENDER, 0);
    shut();
}
END_TEST

START_TEST(tracking_tells_the_deadline)
{
    open_bench(_i);
    append("notice", 1);
    struct store_result result = bench_one(&bench, op_track("dila", "notice", 0, 5));
    ck_assert_int_eq(result.track.deadline_ms, began_ms + 3000);
    result_drop(&result);
    shut();
}
END_TEST

START_TEST(a_step_that_finds_no_room_is_not_done)
{
    bench_init(&bench, (enum engine_kind)_i);
    bench.settings.map_bytes = UINT64_C(4) * 1024 * 1024;
    bench_open(&bench);
    began_ms = bench.now_ms;
    (void)bench_one(&bench, op_mailbox(1, "commune-1/etat-civil"));
    append("notice", 1);
    struct store_recipient to = {.mailbox = 1, .lane = LANE_LOW};
    struct store_result result = {0};
    for (int i = 0; i < 400 && result.status == STORE_DONE; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "fill-%d", i);
        result = bench_one(&bench, op_append(id, ENVELOPE, 100000, &to, 1));
    }
    ck_assert_int_eq(result.status, STORE_NO_ROOM);
    bench.now_ms += 1000;
    struct store_due due = ask();
    struct store_op op = op_append("r-1", ENVELOPE, 100000, NULL, 0);
    op.append.sender = "relais";
    op.append.pass =
        (struct deadline_pass){.sequence = due.sequence, .at_ms = due.at_ms, .step = 0, .max = 9};
    ck_assert_int_eq(bench_one(&bench, op).status, STORE_NO_ROOM);
    ck_assert_int_eq(ask().at_ms, due.at_ms);
    ck_assert_uint_eq(ask().deadline.step, 0);
    shut();
}
END_TEST

START_TEST(a_restart_finds_the_step_where_it_was)
{
    open_bench(ENGINE_LMDB);
    append("notice", 3);
    bench.now_ms += 1000;
    remind("r-1", 0, 2, "12");
    bench_reopen(&bench);
    ck_assert_uint_eq(ask().deadline.after, 2);
    remind("r-2", 0, 2, "3");
    bench_reopen(&bench);
    ck_assert_int_eq(ask().at_ms, began_ms + 2000);
    (void)take(1, 2);
    (void)take(3, 2);
    shut();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store.deadline");
    TCase *tcase = tcase_create("deadline");
    const TTest *const tests[] = {
        the_first_step_is_told_with_what_was_said_of_it,
        who_has_not_acknowledged_is_reminded_in_steps,
        who_answers_between_two_steps_is_not_reminded_again,
        a_later_step_begins_anew,
        nobody_left_to_remind_is_the_end_of_a_deadline,
        at_the_deadline_those_who_owe_are_counted,
        who_cannot_be_reminded_still_owes_an_answer,
        nobody_to_warn_ends_it_as_well,
        tracking_tells_the_deadline,
        a_step_that_finds_no_room_is_not_done,
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_loop_test(tcase, tests[i], 0, ENGINE_COUNT);
    }
    tcase_add_test(tcase, a_restart_finds_the_step_where_it_was);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
