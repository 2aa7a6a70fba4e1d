/* SPDX-License-Identifier: EUPL-1.2
 *
 * The calls of relais/receive.h over consumers and deliveries.
 */
#include <relais/receive.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/error.h"
#include "client/receiver.h"
#include "client/sealing.h"
#include "wire/scan.h"

#include <string.h>

enum {
    NACK_DELAY_LONGEST_MS = 7 * 24 * 3600 * 1000,
    EXTEND_LONGEST_MS = 24 * 3600 * 1000,
    EXTEND_MINOR = 2, /* brokers of before do not know the command */
    /* Ready deliveries are handed out without a turn for so long and for so many answers: a quick
     * receiver answers in lots, a slow one at once. */
    QUIET_MS = 1,
    QUIET_ANSWERS = 64,
};

static bool lease_has_gone(const relais_delivery *delivery)
{
    const relais_consumer *consumer = delivery->consumer;
    return delivery->generation != consumer->generation ||
           (delivery->lease_ms > 0 && clock_monotonic_ms() >= delivery->lease_until_ms);
}

/* The next one whose lease still runs. */
static relais_delivery *take_ready(relais_consumer *consumer)
{
    relais_delivery *delivery = NULL;
    while ((delivery = delivery_take(&consumer->ready)) != NULL) {
        if (!lease_has_gone(delivery)) {
            consumer->references++;
            return delivery;
        }
        answer_record(delivery, ANSWER_LOST, 0, NULL);
        delivery_destroy(delivery);
    }
    return NULL;
}

static bool may_skip_turn(const relais_consumer *consumer, int64_t now_ms)
{
    return consumer->ready.first != NULL && consumer->unsent < QUIET_ANSWERS &&
           now_ms - consumer->client->receiver.worked_ms <= QUIET_MS;
}

static relais_status refusal_of(const relais_consumer *consumer, relais_error *error)
{
    if (error != NULL) {
        *error = consumer->refusal;
    }
    return consumer->refusal.status;
}

relais_status relais_receive(relais_consumer *consumer, int timeout_ms,
                             relais_delivery **out_delivery, relais_error *error)
{
    relais_client *client = consumer->client;
    if (client == NULL || client->calling || consumer->state == CONSUMER_LEAVING) {
        return error_fill(error, RELAIS_USAGE, "consumer", consumer->address, NULL);
    }
    int64_t deadline_ms = client_deadline(timeout_ms);
    bool skip = may_skip_turn(consumer, clock_monotonic_ms());
    if (!skip && consumer->ready.first != NULL) {
        relais_status status = client_work(client, 0, NULL, 0); /* one turn */
        if (status != RELAIS_OK && status != RELAIS_TIMED_OUT) {
            return error_fill(error, status, "consumer", consumer->address, NULL);
        }
    }
    for (;;) {
        relais_delivery *delivery = take_ready(consumer);
        if (delivery != NULL) {
            if (!letter_show(client, delivery)) {
                continue;
            }
            *out_delivery = delivery;
            return RELAIS_OK;
        }
        if (consumer->state == CONSUMER_REFUSED) {
            return refusal_of(consumer, error);
        }
        relais_status status = client_work(client, deadline_ms, NULL, 0);
        if (status != RELAIS_OK && consumer->ready.first == NULL &&
            consumer->state != CONSUMER_REFUSED) {
            return error_fill(error, status, "consumer", consumer->address, NULL);
        }
    }
}

const relais_message *relais_delivery_message(const relais_delivery *delivery)
{
    return &delivery->message;
}

uint32_t relais_delivery_attempt(const relais_delivery *delivery)
{
    return delivery->attempt;
}

int64_t relais_delivery_accepted_ms(const relais_delivery *delivery)
{
    return delivery->accepted_ms;
}

bool relais_delivery_is_sealed(const relais_delivery *delivery)
{
    return delivery->is_sealed;
}

const char *relais_delivery_sender(const relais_delivery *delivery)
{
    return delivery->sender;
}

static relais_status answer(relais_delivery *delivery, enum answer_kind kind, uint32_t delay_ms,
                            const char *reason)
{
    if (delivery == NULL || delivery->answer != ANSWER_NONE) {
        return RELAIS_USAGE;
    }
    if (delivery->generation != delivery->consumer->generation) {
        delivery->answer = ANSWER_LOST;
        return RELAIS_LEASE_LOST;
    }
    bool gone = lease_has_gone(delivery);
    answer_record(delivery, gone ? ANSWER_LOST : kind, delay_ms, reason);
    return gone ? RELAIS_LEASE_LOST : RELAIS_OK;
}

relais_status relais_ack(relais_delivery *delivery)
{
    if (delivery != NULL && delivery->stored_bytes > 0 && !delivery->verified) {
        return RELAIS_USAGE; /* nobody has seen the payload */
    }
    return answer(delivery, ANSWER_ACK, 0, NULL);
}

/* The wire takes whole UTF-8 only. */
static bool reason_is_fit(const char *reason)
{
    return reason == NULL ||
           (strlen(reason) <= RECEIVER_REASON_BYTES &&
            wire_is_text((struct bytes){(const uint8_t *)reason, strlen(reason)}));
}

relais_status relais_nack(relais_delivery *delivery, uint32_t delay_ms, const char *reason)
{
    if (delay_ms > NACK_DELAY_LONGEST_MS || !reason_is_fit(reason)) {
        return RELAIS_USAGE;
    }
    return answer(delivery, ANSWER_NACK, delay_ms, reason);
}

relais_status relais_refuse(relais_delivery *delivery, const char *reason)
{
    if (!reason_is_fit(reason)) {
        return RELAIS_USAGE;
    }
    return answer(delivery, ANSWER_REFUSE, 0, reason);
}

uint32_t relais_delivery_lease_ms(const relais_delivery *delivery)
{
    return delivery->lease_ms;
}

static bool say_extend(const relais_delivery *delivery, uint32_t by_ms)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Extend extend = RELAIS__V1__EXTEND__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    range.first = delivery->tag;
    range.last = delivery->tag;
    extend.consumer = delivery->consumer->number;
    extend.n_tags = 1;
    extend.tags = ranges;
    extend.by_ms = by_ms;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_EXTEND;
    command.extend = &extend;
    return client_say(delivery->consumer->client, &command, NULL, 0);
}

relais_status relais_extend(relais_delivery *delivery, uint32_t by_ms)
{
    if (delivery == NULL || delivery->answer != ANSWER_NONE || by_ms == 0 ||
        by_ms > EXTEND_LONGEST_MS) {
        return RELAIS_USAGE;
    }
    if (delivery->consumer->client == NULL || lease_has_gone(delivery)) {
        return RELAIS_LEASE_LOST;
    }
    if (delivery->consumer->client->connection.minor < EXTEND_MINOR) {
        return RELAIS_UNKNOWN_COMMAND;
    }
    if (!say_extend(delivery, by_ms)) {
        return RELAIS_UNREACHABLE;
    }
    delivery->lease_until_ms = clock_monotonic_ms() + by_ms;
    return RELAIS_OK;
}

void relais_delivery_free(relais_delivery *delivery)
{
    if (delivery == NULL) {
        return;
    }
    relais_consumer *consumer = delivery->consumer;
    if (delivery->answer == ANSWER_NONE) {
        (void)answer(delivery, ANSWER_NACK, 0, NULL);
    }
    frame_unref(delivery->frame);
    delivery->frame = NULL;
    delivery->freed = true;
    consumer->references--;
    if (!delivery->in_answers) {
        delivery_destroy(delivery);
    }
    consumer_release(consumer);
}

size_t relais_unsettled(const relais_consumer *consumer)
{
    return consumer->unsettled;
}
