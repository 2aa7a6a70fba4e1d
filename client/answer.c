/* SPDX-License-Identifier: EUPL-1.2
 *
 * Answers: recorded in the delivery, sent as ranges of tags, a command for each run of answers of
 * the same kind.
 */
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "client/receiver.h"

void answer_record(relais_delivery *delivery, enum answer_kind kind, uint32_t delay_ms,
                   const char *reason)
{
    relais_consumer *consumer = delivery->consumer;
    delivery->answer = kind;
    delivery->delay_ms = delay_ms;
    error_copy_text(delivery->reason, sizeof delivery->reason, reason);
    consumer->held--;
    consumer->owed++;
    if (kind == ANSWER_LOST) {
        return;
    }
    delivery->in_answers = true;
    delivery_append(&consumer->answers, delivery);
    consumer->unsent++;
    consumer->unsettled++;
}

static bool same_answer(const relais_delivery *one, const relais_delivery *other)
{
    return one->answer == other->answer && one->delay_ms == other->delay_ms &&
           strcmp(one->reason, other->reason) == 0;
}

/* The run of equal answers at the head of the list as ranges; returns how many deliveries. */
static size_t collect(const relais_delivery *first, Relais__V1__Range *ranges, size_t *out_count)
{
    size_t taken = 0;
    size_t count = 0;
    for (const relais_delivery *at = first; at != NULL && same_answer(first, at); at = at->next) {
        Relais__V1__Range *last = count > 0 ? &ranges[count - 1] : NULL;
        if (last != NULL && at->tag == last->last + 1) {
            last->last = at->tag;
        } else if (last != NULL && at->tag + 1 == last->first) {
            last->first = at->tag;
        } else if (count < WIRE_RANGES) {
            relais__v1__range__init(&ranges[count]);
            ranges[count].first = at->tag;
            ranges[count].last = at->tag;
            count++;
        } else {
            break;
        }
        taken++;
    }
    *out_count = count;
    return taken;
}

static bool say(relais_client *client, const relais_consumer *consumer,
                const relais_delivery *first, Relais__V1__Range **ranges, size_t count)
{
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    if (first->answer == ANSWER_ACK) {
        ack.consumer = consumer->number;
        ack.n_tags = count;
        ack.tags = ranges;
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ACK;
        command.ack = &ack;
        return client_say(client, &command, NULL, 0);
    }
    char reason[RECEIVER_REASON_BYTES + 1];
    memcpy(reason, first->reason, sizeof reason);
    nack.consumer = consumer->number;
    nack.n_tags = count;
    nack.tags = ranges;
    nack.delay_ms = first->delay_ms;
    nack.reason = reason;
    nack.refuse = first->answer == ANSWER_REFUSE;
    nack.uncounted = first->answer == ANSWER_HAND_BACK;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_NACK;
    command.nack = &nack;
    return client_say(client, &command, NULL, 0);
}

void answer_flush(relais_client *client, relais_consumer *consumer, int64_t now_ms)
{
    Relais__V1__Range ranges[WIRE_RANGES];
    Relais__V1__Range *list[WIRE_RANGES];
    while (consumer->answers.first != NULL) {
        size_t count = 0;
        size_t taken = collect(consumer->answers.first, ranges, &count);
        for (size_t i = 0; i < count; i++) {
            list[i] = &ranges[i];
        }
        if (!say(client, consumer, consumer->answers.first, list, count)) {
            return;
        }
        consumer->answered_ms = now_ms;
        for (size_t i = 0; i < taken; i++) {
            relais_delivery *delivery = delivery_take(&consumer->answers);
            delivery->in_answers = false;
            consumer->unsent--;
            if (delivery->freed) {
                delivery_destroy(delivery);
            }
        }
    }
}
