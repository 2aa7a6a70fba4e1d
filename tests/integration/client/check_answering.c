/* SPDX-License-Identifier: EUPL-1.2
 *
 * Answers as they arrive at a broker: ranges, credit in lots, leases that are lost.
 */
#include "tests/integration/client/deliveries.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESS "dila/comedec"

enum { HUNDRED = 100 };

struct line {
    struct deliveries script;
    struct fake_broker *broker;
    relais_client *client;
    relais_consumer *consumer;
};

static void open_line_of(struct line *line, uint32_t credit, uint32_t minor)
{
    struct fake_script script = {
        .answer = deliveries_answer, .context = &line->script, .credit = 500, .minor = minor};
    relais_error error;
    line->broker = fake_start(&script);
    line->client = fixture_open(line->broker);
    ck_assert_int_eq(relais_attach(line->client, ADDRESS, credit, &line->consumer, &error),
                     RELAIS_OK);
}

static void open_line(struct line *line, uint32_t credit)
{
    open_line_of(line, credit, 2);
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
    ck_assert_msg(status == RELAIS_OK, "%s", relais_status_name(status));
    return delivery;
}

static void wait_settled(struct line *line)
{
    int64_t end = fixture_now_ms() + FIXTURE_PATIENCE_MS;
    while (relais_unsettled(line->consumer) > 0) {
        ck_assert_int_lt(fixture_now_ms(), end);
        (void)relais_wait(line->client, 1000, NULL, 0);
    }
}

START_TEST(answers_of_one_wait_travel_as_one_range)
{
    struct line line = {.script = {.count = HUNDRED}};
    relais_delivery *held[HUNDRED];
    open_line(&line, HUNDRED);
    for (int i = 0; i < HUNDRED; i++) {
        held[i] = receive(&line);
    }
    for (int i = HUNDRED - 1; i >= 0; i--) { /* backwards is one range as well */
        ck_assert_int_eq(relais_ack(held[i]), RELAIS_OK);
        relais_delivery_free(held[i]);
    }
    ck_assert_uint_eq(relais_unsettled(line.consumer), HUNDRED);
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.acked, HUNDRED);
    ck_assert_uint_eq(line.script.acks, 1);
    ck_assert_uint_eq(line.script.ack_ranges, 1);
    ck_assert_uint_eq(line.script.credits, 1);
    ck_assert_uint_eq(line.script.credit_added, HUNDRED);
}
END_TEST

START_TEST(credit_comes_back_in_lots)
{
    struct line line = {.script = {.count = HUNDRED}};
    open_line(&line, HUNDRED);
    for (int i = 0; i < HUNDRED; i++) {
        relais_delivery *delivery = receive(&line);
        ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
        relais_delivery_free(delivery);
        (void)relais_wait(line.client, 0, NULL, 0); /* every answer in its own command */
    }
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.acked, HUNDRED);
    ck_assert_uint_le(line.script.credits, 8); /* 1, 1, 2, 4, 8, ... */
    ck_assert_uint_ge(line.script.credit_added, HUNDRED / 2);
}
END_TEST

START_TEST(the_credit_of_the_broker_bounds_ours)
{
    struct line line = {.script = {.count = 1}};
    open_line(&line, 1024);
    relais_delivery_free(receive(&line));
    close_line(&line);
    ck_assert_uint_eq(line.script.credit_attached, 500);
}
END_TEST

START_TEST(each_kind_of_answer_has_its_own_command)
{
    struct line line = {.script = {.count = 3}};
    open_line(&line, 10);
    relais_delivery *one = receive(&line);
    relais_delivery *two = receive(&line);
    relais_delivery *three = receive(&line);
    ck_assert_int_eq(relais_nack(one, 8 * 24 * 3600 * 1000U, NULL), RELAIS_USAGE);
    ck_assert_int_eq(relais_nack(one, 5000, "caf\xE9"), RELAIS_USAGE);
    ck_assert_int_eq(relais_ack(one), RELAIS_OK);
    ck_assert_int_eq(relais_nack(two, 5000, "disk full"), RELAIS_OK);
    relais_delivery_free(one);
    relais_delivery_free(two);
    wait_settled(&line);
    ck_assert_int_eq(relais_refuse(three, "not a PDF"), RELAIS_OK);
    relais_delivery_free(three);
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.acked, 1);
    ck_assert_uint_eq(line.script.nacked, 2);
    ck_assert(line.script.nack_refuse);
    ck_assert_str_eq(line.script.nack_reason, "not a PDF");
}
END_TEST

START_TEST(freed_without_an_answer_it_is_given_back)
{
    struct line line = {.script = {.count = 1}};
    open_line(&line, 10);
    relais_delivery_free(receive(&line));
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.nacked, 1);
    ck_assert_uint_eq(line.script.nack_delay_ms, 0);
    ck_assert(!line.script.nack_refuse);
    ck_assert_str_eq(line.script.nack_reason, "");
}
END_TEST

START_TEST(closing_sends_the_last_answers)
{
    struct line line = {.script = {.count = 1}};
    open_line(&line, 10);
    relais_delivery *delivery = receive(&line);
    ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
    relais_delivery_free(delivery);
    relais_client_close(line.client);
    struct timespec moment = {0, 300000000L};
    (void)nanosleep(&moment, NULL);
    fake_stop(line.broker);
    ck_assert_uint_eq(line.script.acked, 1);
}
END_TEST

START_TEST(a_lease_is_extended_at_once_and_as_often_as_needed)
{
    struct line line = {.script = {.count = 1}};
    open_line(&line, 1);
    relais_delivery *delivery = receive(&line);
    ck_assert_uint_eq(relais_delivery_lease_ms(delivery), 60000);
    ck_assert_int_eq(relais_extend(NULL, 1), RELAIS_USAGE);
    ck_assert_int_eq(relais_extend(delivery, 0), RELAIS_USAGE);
    ck_assert_int_eq(relais_extend(delivery, 24 * 3600 * 1000 + 1), RELAIS_USAGE);
    ck_assert_int_eq(relais_extend(delivery, 24 * 3600 * 1000), RELAIS_OK);
    ck_assert_int_eq(relais_extend(delivery, 90000), RELAIS_OK);
    ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
    ck_assert_int_eq(relais_extend(delivery, 90000), RELAIS_USAGE);
    relais_delivery_free(delivery);
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.extends, 2);
    ck_assert_uint_eq(line.script.extended_by_ms, 90000);
    ck_assert_uint_eq(line.script.acked, 1);
}
END_TEST

START_TEST(an_extended_lease_ends_when_it_was_asked_to)
{
    struct line line = {.script = {.count = 1}};
    open_line(&line, 1);
    relais_delivery *delivery = receive(&line);
    ck_assert_int_eq(relais_extend(delivery, 1), RELAIS_OK);
    (void)relais_wait(line.client, 50, NULL, 0);
    ck_assert_int_eq(relais_extend(delivery, 1000), RELAIS_LEASE_LOST);
    ck_assert_int_eq(relais_ack(delivery), RELAIS_LEASE_LOST);
    relais_delivery_free(delivery);
    close_line(&line);
}
END_TEST

START_TEST(a_broker_of_before_is_not_asked_for_longer_leases)
{
    struct line line = {.script = {.count = 1}};
    open_line_of(&line, 1, 1);
    relais_delivery *delivery = receive(&line);
    ck_assert_int_eq(relais_extend(delivery, 1000), RELAIS_UNKNOWN_COMMAND);
    ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
    relais_delivery_free(delivery);
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.extends, 0);
}
END_TEST

START_TEST(a_lost_connection_loses_the_leases)
{
    struct line line = {.script = {.count = 3, .drop_after_ack = true}};
    open_line(&line, 10);
    relais_delivery *first = receive(&line);
    relais_delivery *second = receive(&line);
    ck_assert_int_eq(relais_ack(first), RELAIS_OK);
    relais_delivery_free(first);
    relais_session session = {.reconnects = 0};
    while (session.reconnects == 0 || !session.connected) {
        (void)relais_wait(line.client, 1000, NULL, 0);
        relais_client_session(line.client, &session);
    }
    ck_assert_int_eq(relais_ack(second), RELAIS_LEASE_LOST);
    ck_assert_int_eq(relais_ack(second), RELAIS_USAGE);
    ck_assert_str_eq(relais_delivery_message(second)->id, "m-2");
    ck_assert_uint_eq(relais_unsettled(line.consumer), 0);
    relais_delivery_free(second);
    for (int i = 1; i <= 3; i++) { /* all come again, the one whose ack was lost as well */
        relais_delivery *delivery = receive(&line);
        ck_assert_uint_eq(relais_delivery_attempt(delivery), 2);
        ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
        relais_delivery_free(delivery);
    }
    wait_settled(&line);
    close_line(&line);
    ck_assert_uint_eq(line.script.attaches, 2);
    ck_assert_uint_eq(line.script.acked, 4);
    ck_assert_uint_eq(line.script.nacked, 0);
}
END_TEST

START_TEST(detaching_sends_answers_first)
{
    struct line line = {.script = {.count = 3}};
    relais_delivery *delivery = NULL;
    relais_consumer *again = NULL;
    relais_error error;
    open_line(&line, 10);
    relais_delivery *first = receive(&line);
    relais_delivery *second = receive(&line);
    ck_assert_int_eq(relais_ack(first), RELAIS_OK);
    relais_detach(line.consumer);
    ck_assert_int_eq(relais_ack(second), RELAIS_LEASE_LOST);
    relais_delivery_free(first);
    relais_delivery_free(second);
    ck_assert_int_eq(relais_attach(line.client, ADDRESS, 10, &again, &error), RELAIS_OK);
    ck_assert_int_eq(relais_receive(again, FIXTURE_PATIENCE_MS, &delivery, &error), RELAIS_OK);
    relais_delivery_free(delivery);
    close_line(&line);
    ck_assert_uint_eq(line.script.acked, 1);
    ck_assert_uint_eq(line.script.detaches, 1);
    ck_assert(line.script.answers_before_detach);
    ck_assert_uint_eq(line.script.attaches, 2);
}
END_TEST

START_TEST(deliveries_may_outlive_their_client)
{
    struct line line = {.script = {.count = 2}};
    open_line(&line, 10);
    relais_delivery *first = receive(&line);
    relais_delivery *second = receive(&line);
    ck_assert_int_eq(relais_ack(first), RELAIS_OK);
    close_line(&line);
    ck_assert_int_eq(relais_ack(second), RELAIS_LEASE_LOST);
    ck_assert_uint_eq(relais_delivery_message(first)->payload.size, strlen("payload of 1"));
    relais_delivery_free(first);
    relais_delivery_free(second);
}
END_TEST

START_TEST(an_answer_that_the_broker_does_not_know_never_blocks)
{
    struct line line = {.script = {.count = 1, .unknown_after_ack = true}};
    open_line(&line, 10);
    relais_delivery *delivery = receive(&line);
    ck_assert_int_eq(relais_ack(delivery), RELAIS_OK);
    relais_delivery_free(delivery);
    wait_settled(&line);
    close_line(&line);
}
END_TEST

static void add(void *tcase)
{
    tcase_add_test(tcase, answers_of_one_wait_travel_as_one_range);
    tcase_add_test(tcase, credit_comes_back_in_lots);
    tcase_add_test(tcase, the_credit_of_the_broker_bounds_ours);
    tcase_add_test(tcase, each_kind_of_answer_has_its_own_command);
    tcase_add_test(tcase, freed_without_an_answer_it_is_given_back);
    tcase_add_test(tcase, closing_sends_the_last_answers);
    tcase_add_test(tcase, a_lease_is_extended_at_once_and_as_often_as_needed);
    tcase_add_test(tcase, an_extended_lease_ends_when_it_was_asked_to);
    tcase_add_test(tcase, a_broker_of_before_is_not_asked_for_longer_leases);
    tcase_add_test(tcase, a_lost_connection_loses_the_leases);
    tcase_add_test(tcase, detaching_sends_answers_first);
    tcase_add_test(tcase, deliveries_may_outlive_their_client);
    tcase_add_test(tcase, an_answer_that_the_broker_does_not_know_never_blocks);
}

int main(void)
{
    return fixture_run("integration.client.answering", add);
}
