/* SPDX-License-Identifier: EUPL-1.2
 *
 * Submits as they arrive at a broker: batches, frames, windows, outcomes.
 */
#include "tests/integration/client/fixture.h"
#include "wire/body.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Written by the broker's thread, read when it has stopped. */
struct heard_submits {
    unsigned commands;
    unsigned messages;
    size_t most_parts;
    size_t frames_of_last;
    bool numbers_follow;
    bool payloads_fit;
    char payload[1024 * 1024]; /* of the last message */
    size_t payload_size;
};

static bool note_submit(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct heard_submits *noted = context;
    const Relais__V1__Submit *submit = heard->command->submit;
    struct body_reader reader;
    (void)broker;
    if (heard->command->command_case != RELAIS__V1__TO_BROKER__COMMAND_SUBMIT) {
        return true;
    }
    noted->numbers_follow = submit->first_number == noted->messages + 1;
    noted->commands++;
    noted->messages += (unsigned)submit->n_parts;
    noted->frames_of_last = heard->frame_count;
    noted->most_parts = submit->n_parts > noted->most_parts ? submit->n_parts : noted->most_parts;
    body_reader_init(&reader, heard->frames, heard->frame_count);
    noted->payloads_fit = true;
    for (size_t i = 0; i < submit->n_parts; i++) {
        struct bytes envelope;
        struct bytes payload;
        size_t frame = 0;
        noted->payloads_fit =
            noted->payloads_fit &&
            body_reader_next(&reader, submit->parts[i]->envelope_bytes, &envelope, &frame) &&
            body_reader_next(&reader, submit->parts[i]->payload_bytes, &payload, &frame);
        if (noted->payloads_fit && payload.size <= sizeof noted->payload) {
            memcpy(noted->payload, payload.data, payload.size);
            noted->payload_size = payload.size;
        }
    }
    noted->payloads_fit = noted->payloads_fit && body_reader_done(&reader);
    return true;
}

static struct heard_submits *new_notes(void)
{
    struct heard_submits *noted = calloc(1, sizeof *noted);
    ck_assert_ptr_nonnull(noted);
    return noted;
}

START_TEST(a_sent_message_is_accepted)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m-1", "bonjour");
    relais_error error;
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(noted->messages, 1);
    ck_assert(noted->numbers_follow && noted->payloads_fit);
    ck_assert_uint_eq(noted->payload_size, 7);
    ck_assert_mem_eq(noted->payload, "bonjour", 7);
    free(noted);
}
END_TEST

struct outcomes {
    unsigned told;
    relais_error last;
    char last_id[64];
};

static void note_outcome(void *context, const relais_outcome *outcome)
{
    struct outcomes *outcomes = context;
    outcomes->told++;
    outcomes->last = outcome->error;
    (void)snprintf(outcomes->last_id, sizeof outcomes->last_id, "%s", outcome->id);
}

static void submit_many(relais_client *client, unsigned count, struct outcomes *outcomes)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        relais_error error;
        (void)snprintf(id, sizeof id, "m-%u", i);
        relais_message message = fixture_message(id, id);
        ck_assert_int_eq(relais_submit(client, &message, note_outcome, outcomes, &error),
                         RELAIS_OK);
    }
}

START_TEST(messages_between_two_waits_travel_together)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct outcomes outcomes = {.told = 0};
    submit_many(client, 200, &outcomes);
    ck_assert_uint_eq(relais_unanswered(client), 200);
    fixture_wait_answered(client);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(outcomes.told, 200);
    ck_assert_int_eq(outcomes.last.status, RELAIS_OK);
    ck_assert_str_eq(outcomes.last_id, "m-199");
    ck_assert_uint_eq(noted->messages, 200);
    ck_assert_uint_eq(noted->commands, 1);
    ck_assert_uint_eq(noted->frames_of_last, 1);
    ck_assert(noted->numbers_follow && noted->payloads_fit);
    free(noted);
}
END_TEST

START_TEST(a_large_payload_has_its_own_frame)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct outcomes outcomes = {.told = 0};
    relais_error error;
    char *large = malloc(100000);
    ck_assert_ptr_nonnull(large);
    memset(large, 'L', 100000);
    submit_many(client, 2, &outcomes);
    relais_message message = fixture_message("large", "");
    message.payload = (relais_bytes){large, 100000};
    ck_assert_int_eq(relais_submit(client, &message, note_outcome, &outcomes, &error), RELAIS_OK);
    memset(large, 'x', 100000); /* submit has copied */
    fixture_wait_answered(client);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(outcomes.told, 3);
    ck_assert_uint_eq(noted->frames_of_last, 2);
    ck_assert(noted->payloads_fit);
    ck_assert_uint_eq(noted->payload_size, 100000);
    memset(large, 'L', 100000);
    ck_assert_mem_eq(noted->payload, large, 100000);
    free(large);
    free(noted);
}
END_TEST

START_TEST(an_empty_payload_travels)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m", "");
    relais_error error;
    message.payload = (relais_bytes){NULL, 0};
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert(noted->payloads_fit);
    free(noted);
}
END_TEST

START_TEST(the_limits_of_the_broker_are_kept)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit,
                                 .context = noted,
                                 .window_messages = _i == 0 ? 3 : 100,
                                 .batch_messages = _i == 0 ? 100 : 3};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct outcomes outcomes = {.told = 0};
    submit_many(client, 50, &outcomes);
    fixture_wait_answered(client);
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(outcomes.told, 50);
    ck_assert_uint_eq(noted->messages, 50);
    ck_assert_uint_eq(noted->most_parts, 3);
    free(noted);
}
END_TEST

START_TEST(the_window_of_the_client_is_kept)
{
    struct fake_script script = {.answer = NULL};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open_window(broker, 4);
    struct outcomes outcomes = {.told = 0};
    relais_message message = fixture_message("one-more", "x");
    relais_error error;
    submit_many(client, 4, &outcomes);
    ck_assert_int_eq(relais_submit(client, &message, note_outcome, &outcomes, &error),
                     RELAIS_WINDOW_FULL);
    ck_assert_uint_eq(outcomes.told, 0);
    /* a sending call waits for room instead */
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    fixture_wait_answered(client);
    ck_assert_uint_eq(outcomes.told, 4);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

static bool refuse_flow(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    (void)context;
    if (heard->command->command_case != RELAIS__V1__TO_BROKER__COMMAND_SUBMIT) {
        return true;
    }
    fake_say_refused(broker, heard->command->submit->first_number,
                     RELAIS__V1__CODE__CODE_UNKNOWN_FLOW, 0);
    return false;
}

START_TEST(a_refusal_names_the_field)
{
    struct fake_script script = {.answer = refuse_flow};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m", "x");
    relais_error error;
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error),
                     RELAIS_UNKNOWN_FLOW);
    ck_assert_str_eq(error.field, "flow");
    ck_assert_str_eq(error.wrong, "NOTHING");
    ck_assert_str_eq(error.right, "ETATCIVIL");
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(too_large_is_told_before_it_travels)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted, .payload_bytes = 10};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct outcomes outcomes = {.told = 0};
    relais_message message = fixture_message("m", "more than ten bytes");
    relais_error error;
    /* the limit is not known yet: the outcome tells it */
    ck_assert_int_eq(relais_submit(client, &message, note_outcome, &outcomes, &error), RELAIS_OK);
    submit_many(client, 3, &outcomes);
    fixture_wait_answered(client);
    ck_assert_uint_eq(outcomes.told, 4);
    ck_assert_int_eq(outcomes.last.status, RELAIS_OK);
    /* now it is */
    ck_assert_int_eq(relais_submit(client, &message, note_outcome, &outcomes, &error),
                     RELAIS_TOO_LARGE);
    ck_assert_str_eq(error.field, "payload");
    ck_assert_ptr_nonnull(strstr(error.right, "10"));
    relais_client_close(client);
    fake_stop(broker);
    ck_assert_uint_eq(noted->messages, 3);
    free(noted);
}
END_TEST

START_TEST(closing_tells_the_outcome)
{
    struct fake_script script = {.refuse_keys = true};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    struct outcomes outcomes = {.told = 0};
    submit_many(client, 5, &outcomes);
    relais_client_close(client);
    ck_assert_uint_eq(outcomes.told, 5);
    ck_assert_int_eq(outcomes.last.status, RELAIS_CLOSED);
    fake_stop(broker);
}
END_TEST

struct chain {
    relais_client *client;
    unsigned left;
    relais_status nested_wait;
};

static void submit_next(void *context, const relais_outcome *outcome)
{
    struct chain *chain = context;
    relais_message message = fixture_message(NULL, "next");
    ck_assert_int_eq(outcome->error.status, RELAIS_OK);
    chain->nested_wait = relais_wait(chain->client, 0, NULL, 0);
    if (chain->left > 0) {
        chain->left--;
        ck_assert_int_eq(relais_submit(chain->client, &message, submit_next, chain, NULL),
                         RELAIS_OK);
    }
}

START_TEST(a_callback_may_submit_but_not_wait)
{
    struct heard_submits *noted = new_notes();
    struct fake_script script = {.answer = note_submit, .context = noted};
    struct fake_broker *broker = fake_start(&script);
    struct chain chain = {.client = fixture_open(broker), .left = 10};
    relais_message message = fixture_message(NULL, "first");
    ck_assert_int_eq(relais_submit(chain.client, &message, submit_next, &chain, NULL), RELAIS_OK);
    fixture_wait_answered(chain.client);
    ck_assert_int_eq(chain.nested_wait, RELAIS_USAGE);
    relais_client_close(chain.client);
    fake_stop(broker);
    ck_assert_uint_eq(noted->messages, 11);
    free(noted);
}
END_TEST

static void add(void *tcase)
{
    tcase_add_test(tcase, a_sent_message_is_accepted);
    tcase_add_test(tcase, messages_between_two_waits_travel_together);
    tcase_add_test(tcase, a_large_payload_has_its_own_frame);
    tcase_add_test(tcase, an_empty_payload_travels);
    tcase_add_loop_test(tcase, the_limits_of_the_broker_are_kept, 0, 2);
    tcase_add_test(tcase, the_window_of_the_client_is_kept);
    tcase_add_test(tcase, a_refusal_names_the_field);
    tcase_add_test(tcase, too_large_is_told_before_it_travels);
    tcase_add_test(tcase, closing_tells_the_outcome);
    tcase_add_test(tcase, a_callback_may_submit_but_not_wait);
}

int main(void)
{
    return fixture_run("integration.client.sending", add);
}
