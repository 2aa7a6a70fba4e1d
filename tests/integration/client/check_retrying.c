/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the library repeats by itself: refusals that pass, lost connections, a broker that restarts.
 * Repeated messages have the same bytes and keep their order.
 */
#include "tests/integration/client/fixture.h"
#include "wire/body.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 10, KEPT_BYTES = 1024, KEPT_MAX = 64 };

struct kept {
    unsigned connection;
    uint64_t number;
    size_t size;
    uint8_t envelope[KEPT_BYTES];
    char payload[32];
};

/* Written by the broker's thread, read when it has stopped. */
struct record {
    struct kept kept[KEPT_MAX];
    size_t count;
    unsigned refusals_left;
    atomic_bool silent; /* no answers on the first connection */
};

static void keep(struct record *record, const struct fake_heard *heard)
{
    const Relais__V1__Submit *submit = heard->command->submit;
    struct body_reader reader;
    body_reader_init(&reader, heard->frames, heard->frame_count);
    for (size_t i = 0; i < submit->n_parts && record->count < KEPT_MAX; i++) {
        struct kept *kept = &record->kept[record->count++];
        struct bytes piece = {NULL, 0};
        size_t frame = 0;
        kept->connection = heard->connection;
        kept->number = submit->first_number + i;
        (void)body_reader_next(&reader, submit->parts[i]->envelope_bytes, &piece, &frame);
        kept->size = piece.size;
        memcpy(kept->envelope, piece.data, piece.size);
        (void)body_reader_next(&reader, submit->parts[i]->payload_bytes, &piece, &frame);
        memcpy(kept->payload, piece.data, piece.size);
    }
}

static bool is_submit(const struct fake_heard *heard)
{
    return heard->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
}

struct tally {
    unsigned accepted;
    unsigned others;
};

static void count_outcome(void *context, const relais_outcome *outcome)
{
    struct tally *tally = context;
    if (outcome->error.status == RELAIS_OK) {
        tally->accepted++;
    } else {
        tally->others++;
    }
}

static void submit_all(relais_client *client, struct tally *tally)
{
    for (int i = 0; i < MESSAGES; i++) {
        char payload[32];
        (void)snprintf(payload, sizeof payload, "payload-%d", i);
        relais_message message = fixture_message(NULL, payload);
        ck_assert_int_eq(relais_submit(client, &message, count_outcome, tally, NULL), RELAIS_OK);
    }
}

static void same_envelope(const struct record *record, size_t end, const struct kept *again)
{
    for (size_t i = 0; i < end; i++) {
        const struct kept *before = &record->kept[i];
        if (strcmp(before->payload, again->payload) == 0) {
            ck_assert_uint_eq(before->size, again->size);
            ck_assert_mem_eq(before->envelope, again->envelope, again->size);
        }
    }
}

/* The messages of the last connection are the first ones, in order, byte for byte. */
static void same_in_order(const struct record *record, size_t second)
{
    ck_assert_uint_eq(record->count, second + MESSAGES);
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct kept *again = &record->kept[second + i];
        char payload[32];
        (void)snprintf(payload, sizeof payload, "payload-%zu", i);
        ck_assert_str_eq(again->payload, payload);
        ck_assert_uint_eq(again->number, i + 1);
        ck_assert_uint_eq(again->connection, 2);
        same_envelope(record, second, again);
    }
}

static bool drop_at_second_batch(struct fake_broker *broker, void *context,
                                 const struct fake_heard *heard)
{
    struct record *record = context;
    if (!is_submit(heard)) {
        return true;
    }
    keep(record, heard);
    if (heard->connection == 1) {
        if (record->count > 4) {
            fake_drop(broker);
        }
        return false;
    }
    return true;
}

START_TEST(a_lost_connection_repeats_the_same_bytes_in_order)
{
    struct record *record = calloc(1, sizeof *record);
    struct fake_script script = {
        .answer = drop_at_second_batch, .context = record, .batch_messages = 4};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct tally tally = {0, 0};
    relais_session session;
    submit_all(client, &tally);
    fixture_wait_answered(client);
    relais_client_session(client, &session);
    ck_assert_uint_eq(session.reconnects, 1);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(tally.accepted, MESSAGES);
    ck_assert_uint_eq(tally.others, 0);
    same_in_order(record, 8);
    free(record);
}
END_TEST

static bool hello_first(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    if (!is_submit(heard)) {
        return true;
    }
    keep(context, heard);
    if (heard->connection == 1) {
        fake_say_error(broker, RELAIS__V1__CODE__CODE_HELLO_FIRST, 0);
        return false;
    }
    return true;
}

START_TEST(a_broker_that_forgot_us_is_greeted_again)
{
    struct record *record = calloc(1, sizeof *record);
    struct fake_script script = {.answer = hello_first, .context = record};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct tally tally = {0, 0};
    submit_all(client, &tally);
    fixture_wait_answered(client);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(tally.accepted, MESSAGES);
    same_in_order(record, MESSAGES);
    free(record);
}
END_TEST

static bool busy_at_first(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct record *record = context;
    if (!is_submit(heard)) {
        return true;
    }
    keep(record, heard);
    if (record->refusals_left == 0) {
        return true;
    }
    record->refusals_left--;
    fake_say_refused(broker, heard->command->submit->first_number, RELAIS__V1__CODE__CODE_BUSY,
                     100);
    return false;
}

START_TEST(busy_is_tried_again_at_the_pace_of_the_broker)
{
    struct record *record = calloc(1, sizeof *record);
    record->refusals_left = 3;
    struct fake_script script = {.answer = busy_at_first, .context = record};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message(NULL, "payload-0");
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    int64_t start = fixture_now_ms();
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    ck_assert_int_ge(fixture_now_ms() - start, 300);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(record->count, 4);
    ck_assert_uint_eq(record->kept[3].number, 4);
    ck_assert_uint_eq(record->kept[3].size, record->kept[0].size);
    ck_assert_mem_eq(record->kept[3].envelope, record->kept[0].envelope, record->kept[0].size);
    free(record);
}
END_TEST

static void note_status(void *context, const relais_outcome *outcome)
{
    relais_status *status = context;
    *status = outcome->error.status;
}

START_TEST(what_rests_for_a_refusal_ends_with_it)
{
    enum { PATIENCE_MS = 50 }; /* the refusal asks for 100 */
    struct record *record = calloc(1, sizeof *record);
    record->refusals_left = 1000;
    struct fake_script script = {.answer = busy_at_first, .context = record};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message(NULL, "payload-0");
    relais_status closed = RELAIS_OK;
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    ck_assert_int_eq(relais_send(client, &message, PATIENCE_MS, &error), RELAIS_BUSY);
    ck_assert_str_ne(error.right, "");
    ck_assert_uint_eq(relais_unanswered(client), 0);
    ck_assert_int_eq(relais_submit(client, &message, note_status, &closed, &error), RELAIS_OK);
    ck_assert_int_eq(relais_wait(client, PATIENCE_MS, NULL, 0), RELAIS_TIMED_OUT);
    relais_client_close(client);
    ck_assert_int_eq(closed, RELAIS_BUSY);
    fake_stop(broker);
    free(record);
}
END_TEST

static bool answer_late(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct record *record = context;
    if (!is_submit(heard)) {
        return true;
    }
    record->count++;
    if (record->count == 1) {
        return false; /* answered together with the second */
    }
    fake_say_accepted(broker, 1, 2);
    return false;
}

START_TEST(a_send_that_timed_out_is_given_up)
{
    struct record *record = calloc(1, sizeof *record);
    struct fake_script script = {.answer = answer_late, .context = record};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m", "payload-0");
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    ck_assert_int_eq(relais_send(client, &message, 300, &error), RELAIS_TIMED_OUT);
    ck_assert_uint_eq(relais_unanswered(client), 0);
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    relais_client_close(client);
    fake_stop(broker);
    free(record);
}
END_TEST

static bool drop_once(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct record *record = context;
    if (!is_submit(heard)) {
        return true;
    }
    keep(record, heard);
    if (record->silent) {
        return false;
    }
    if (heard->connection == 1) {
        fake_drop(broker);
        return false;
    }
    return true;
}

START_TEST(what_was_given_up_is_not_repeated)
{
    struct record *record = calloc(1, sizeof *record);
    struct fake_script script = {.answer = drop_once, .context = record, .batch_messages = 1};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message gone = fixture_message("gone", "gone");
    relais_message kept = fixture_message("kept", "kept");
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    record->silent = true; /* read by the other thread only when something comes */
    ck_assert_int_eq(relais_send(client, &gone, 200, &error), RELAIS_TIMED_OUT);
    record->silent = false;
    ck_assert_int_eq(relais_send(client, &kept, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(record->count, 3);
    ck_assert_str_eq(record->kept[0].payload, "gone");
    ck_assert_str_eq(record->kept[1].payload, "kept");
    ck_assert_str_eq(record->kept[2].payload, "kept");
    free(record);
}
END_TEST

static bool accept_what_nobody_sent(struct fake_broker *broker, void *context,
                                    const struct fake_heard *heard)
{
    struct record *record = context;
    if (!is_submit(heard)) {
        return true;
    }
    switch (record->refusals_left) {
    case 0:
        fake_say_accepted(broker, 1, 99);
        break;
    case 1:
        fake_say_accepted(broker, 1, 1);
        fake_say_accepted(broker, 1, 1);
        break;
    case 2:
        fake_say_accepted(broker, 2, 1);
        break;
    default:
        fake_say_refused(broker, 77, RELAIS__V1__CODE__CODE_BUSY, 5);
        break;
    }
    return false;
}

START_TEST(an_answer_to_what_nobody_asked_is_malformed)
{
    struct record *record = calloc(1, sizeof *record);
    record->refusals_left = (unsigned)_i;
    struct fake_script script = {.answer = accept_what_nobody_sent, .context = record};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m", "x");
    relais_status status = RELAIS_OK;
    relais_error error;
    ck_assert_int_eq(relais_submit(client, &message, NULL, NULL, &error), RELAIS_OK);
    int64_t end = fixture_now_ms() + FIXTURE_PATIENCE_MS;
    while (status == RELAIS_OK && fixture_now_ms() < end) {
        status = relais_wait(client, FIXTURE_PATIENCE_MS, NULL, 0);
    }
    ck_assert_int_eq(status, RELAIS_MALFORMED);
    relais_client_close(client);
    fake_stop(broker);
    free(record);
}
END_TEST

static void add(void *tcase)
{
    tcase_add_test(tcase, a_lost_connection_repeats_the_same_bytes_in_order);
    tcase_add_test(tcase, a_broker_that_forgot_us_is_greeted_again);
    tcase_add_test(tcase, busy_is_tried_again_at_the_pace_of_the_broker);
    tcase_add_test(tcase, what_rests_for_a_refusal_ends_with_it);
    tcase_add_test(tcase, a_send_that_timed_out_is_given_up);
    tcase_add_test(tcase, what_was_given_up_is_not_repeated);
    tcase_add_loop_test(tcase, an_answer_to_what_nobody_asked_is_malformed, 0, 4);
}

int main(void)
{
    return fixture_run("integration.client.retrying", add);
}
