/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deliveries as a receiver sees them: content, digests, refusals, a broker that breaks the rules.
 */
#include "tests/integration/client/deliveries.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "dila/comedec"

struct line {
    struct deliveries script;
    struct fake_broker *broker;
    relais_client *client;
    relais_consumer *consumer;
};

static void open_line(struct line *line, uint32_t credit)
{
    struct fake_script script = {.answer = deliveries_answer, .context = &line->script};
    relais_error error;
    line->broker = fake_start(&script);
    line->client = fixture_open(line->broker);
    ck_assert_int_eq(relais_attach(line->client, ADDRESS, credit, &line->consumer, &error),
                     RELAIS_OK);
}

static void close_line(struct line *line)
{
    relais_client_close(line->client);
    fake_stop(line->broker);
}

static relais_delivery *receive(struct line *line)
{
    relais_delivery *delivery = NULL;
    relais_error error = {.status = RELAIS_OK};
    relais_status status = relais_receive(line->consumer, FIXTURE_PATIENCE_MS, &delivery, &error);
    ck_assert_msg(status == RELAIS_OK, "%s %s", relais_status_name(status), error.field);
    return delivery;
}

START_TEST(a_delivery_shows_the_message)
{
    struct line line = {.script = {.count = 3, .separate = _i == 1}};
    open_line(&line, 10);
    for (unsigned i = 1; i <= 3; i++) {
        char text[64];
        relais_delivery *delivery = receive(&line);
        const relais_message *message = relais_delivery_message(delivery);
        (void)snprintf(text, sizeof text, "m-%u", i);
        ck_assert_str_eq(message->id, text);
        (void)snprintf(text, sizeof text, "payload of %u", i);
        ck_assert_uint_eq(message->payload.size, strlen(text));
        ck_assert_mem_eq(message->payload.data, text, strlen(text));
        ck_assert_str_eq(message->to[0], "commune-76540/etat-civil");
        ck_assert_str_eq(relais_delivery_sender(delivery), "dila");
        ck_assert_uint_eq(relais_delivery_attempt(delivery), 1);
        ck_assert_int_eq(relais_delivery_accepted_ms(delivery), 1234);
        ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
        ck_assert_int_eq(relais_ack(delivery), RELAIS_USAGE);
        ck_assert_str_eq(message->from, "dila/comedec"); /* lives until it is freed */
        relais_delivery_free(delivery);
    }
    close_line(&line);
}
END_TEST

START_TEST(nothing_to_receive_times_out)
{
    struct line line = {.script = {.count = 0}};
    relais_delivery *delivery = NULL;
    relais_error error;
    open_line(&line, 1);
    ck_assert_int_eq(relais_receive(line.consumer, 300, &delivery, &error), RELAIS_TIMED_OUT);
    ck_assert_int_eq(relais_receive(line.consumer, 0, &delivery, &error), RELAIS_TIMED_OUT);
    ck_assert_ptr_null(delivery);
    close_line(&line);
}
END_TEST

START_TEST(a_delivery_that_does_not_fit_is_refused_and_not_shown)
{
    struct line line = {.script = {.count = 2, .fault = _i == 0 ? FAULT_DIGEST : FAULT_ENVELOPE}};
    open_line(&line, 10);
    relais_delivery *delivery = receive(&line);
    ck_assert_str_eq(relais_delivery_message(delivery)->id, "m-2");
    ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
    relais_delivery_free(delivery);
    while (relais_unsettled(line.consumer) > 0) {
        ck_assert_int_eq(relais_wait(line.client, FIXTURE_PATIENCE_MS, NULL, 0), RELAIS_OK);
    }
    close_line(&line);
    ck_assert_uint_eq(line.script.nacked, 1);
    ck_assert(line.script.nack_refuse);
    ck_assert_ptr_nonnull(
        strstr(line.script.nack_reason, _i == 0 ? "DIGEST_MISMATCH" : "MALFORMED"));
    ck_assert_uint_eq(line.script.acked, 1);
}
END_TEST

START_TEST(a_broker_that_breaks_the_rules_is_malformed)
{
    static const enum deliveries_fault faults[] = {FAULT_BODY_SHORT, FAULT_BODY_LONG,
                                                   FAULT_TAG,        FAULT_CREDIT,
                                                   FAULT_CONSUMER,   FAULT_UNATTACHED};
    struct line line = {.script = {.count = 2, .fault = faults[_i]}};
    relais_delivery *delivery = NULL;
    relais_session session;
    relais_error error;
    relais_status status = RELAIS_OK;
    open_line(&line, 5);
    while (status == RELAIS_OK) {
        status = relais_wait(line.client, FIXTURE_PATIENCE_MS, NULL, 0);
    }
    ck_assert_int_eq(status, RELAIS_MALFORMED);
    relais_client_session(line.client, &session);
    ck_assert_int_eq(session.trouble, RELAIS_MALFORMED);
    ck_assert_int_eq(relais_receive(line.consumer, 0, &delivery, &error), RELAIS_TIMED_OUT);
    close_line(&line);
}
END_TEST

START_TEST(a_refused_consumer_stays_refused)
{
    struct line line = {.script = {.refuse = RELAIS__V1__CODE__CODE_NOT_YOUR_MAILBOX}};
    relais_delivery *delivery = NULL;
    relais_error error;
    open_line(&line, 5);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(relais_receive(line.consumer, FIXTURE_PATIENCE_MS, &delivery, &error),
                         RELAIS_NOT_YOUR_MAILBOX);
        ck_assert_str_eq(error.field, "attach.address");
    }
    close_line(&line);
    ck_assert_uint_eq(line.script.attaches, 1);
}
END_TEST

START_TEST(a_refusal_that_passes_is_tried_again)
{
    struct line line = {
        .script = {.count = 1, .refuse = RELAIS__V1__CODE__CODE_BUSY, .refuse_retry_ms = 100}};
    open_line(&line, 5);
    relais_delivery_free(receive(&line));
    close_line(&line);
    ck_assert_uint_eq(line.script.attaches, 2);
}
END_TEST

START_TEST(wrong_arguments_are_named)
{
    struct line line = {.script = {.count = 0}};
    relais_consumer *consumer = NULL;
    relais_error error;
    open_line(&line, 1);
    ck_assert_int_eq(relais_attach(line.client, "dila", 1, &consumer, &error),
                     RELAIS_FIELD_INVALID);
    ck_assert_str_eq(error.field, "address");
    ck_assert_int_eq(relais_attach(line.client, ADDRESS, 0, &consumer, &error),
                     RELAIS_FIELD_INVALID);
    ck_assert_str_eq(error.field, "credit");
    ck_assert_int_eq(relais_attach(line.client, ADDRESS, 1025, &consumer, &error),
                     RELAIS_FIELD_INVALID);
    ck_assert_ptr_null(consumer);
    close_line(&line);
}
END_TEST

START_TEST(a_waiting_delivery_ends_every_wait)
{
    struct line line = {.script = {.count = 2}};
    open_line(&line, 10);
    relais_delivery_free(receive(&line)); /* the second one is ready now */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(relais_wait(line.client, FIXTURE_PATIENCE_MS, NULL, 0), RELAIS_OK);
    }
    relais_delivery_free(receive(&line));
    close_line(&line);
}
END_TEST

static void add(void *tcase)
{
    tcase_add_loop_test(tcase, a_delivery_shows_the_message, 0, 2);
    tcase_add_test(tcase, nothing_to_receive_times_out);
    tcase_add_loop_test(tcase, a_delivery_that_does_not_fit_is_refused_and_not_shown, 0, 2);
    tcase_add_loop_test(tcase, a_broker_that_breaks_the_rules_is_malformed, 0, 6);
    tcase_add_test(tcase, a_refused_consumer_stays_refused);
    tcase_add_test(tcase, a_refusal_that_passes_is_tried_again);
    tcase_add_test(tcase, wrong_arguments_are_named);
    tcase_add_test(tcase, a_waiting_delivery_ends_every_wait);
}

int main(void)
{
    return fixture_run("integration.client.receiving", add);
}
