/* SPDX-License-Identifier: EUPL-1.2
 *
 * The delivering half of the scripted broker.
 */
#include "tests/integration/client/deliveries.h"

#include "client/envelope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 512 * 1024, DELIVERIES_MAX = 1024 };

struct body {
    uint8_t bytes[BODY_BYTES];
    size_t size;
};

static void add_message(struct body *body, unsigned number, const struct deliveries *script,
                        Relais__V1__Part *part)
{
    char id[32];
    char payload[64];
    uint8_t *envelope = NULL;
    size_t size = 0;
    struct envelope_defaults defaults = {.id = "", .member = "dila", .now_ms = 1};
    (void)snprintf(id, sizeof id, "m-%u", number);
    (void)snprintf(payload, sizeof payload, "payload of %u", number);
    relais_message message = fixture_message(id, payload);
    message.from = "dila/comedec";
    relais_status packed = envelope_pack(&message, &defaults, &envelope, &size, NULL);
    assert(packed == RELAIS_OK && body->size + size + sizeof payload < BODY_BYTES);
    if (number == 1 && script->fault == FAULT_ENVELOPE) {
        memset(envelope, 0xFF, size);
    }
    memcpy(body->bytes + body->size, envelope, size);
    body->size += size;
    if (number == 1 && script->fault == FAULT_DIGEST) {
        payload[0] = 'X';
    }
    memcpy(body->bytes + body->size, payload, strlen(payload));
    body->size += strlen(payload);
    relais__v1__part__init(part);
    part->envelope_bytes = (uint32_t)size;
    part->payload_bytes = (uint32_t)strlen(payload);
    free(envelope);
}

static void say_deliver(struct fake_broker *broker, const struct deliveries *script,
                        uint32_t consumer, unsigned first, unsigned count)
{
    static Relais__V1__Part parts[DELIVERIES_MAX];
    static Relais__V1__Delivery deliveries[DELIVERIES_MAX];
    static Relais__V1__Delivery *list[DELIVERIES_MAX];
    static struct body body;
    Relais__V1__Deliver deliver = RELAIS__V1__DELIVER__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    body.size = 0;
    for (unsigned i = 0; i < count; i++) {
        add_message(&body, first + i, script, &parts[i]);
        relais__v1__delivery__init(&deliveries[i]);
        deliveries[i].part = &parts[i];
        deliveries[i].attempt = script->attaches;
        deliveries[i].accepted_ms = 1234;
        list[i] = &deliveries[i];
    }
    body.size += script->fault == FAULT_BODY_LONG ? 1 : 0;
    body.size -= script->fault == FAULT_BODY_SHORT ? 1 : 0;
    deliver.consumer = script->fault == FAULT_CONSUMER ? consumer + 7 : consumer;
    deliver.first_tag = script->fault == FAULT_TAG ? first + 1 : first;
    deliver.n_deliveries = count;
    deliver.deliveries = list;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_DELIVER;
    command.deliver = &deliver;
    struct bytes frame = {body.bytes, body.size};
    fake_say(broker, &command, &frame, 1);
}

static void say_attached(struct fake_broker *broker, uint32_t consumer)
{
    Relais__V1__Attached attached = RELAIS__V1__ATTACHED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    attached.consumer = consumer;
    attached.lease_ms = 60000;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED;
    command.attached = &attached;
    fake_say(broker, &command, NULL, 0);
}

static void say_refused(struct fake_broker *broker, const struct deliveries *script,
                        uint32_t consumer)
{
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    Relais__V1__Detached detached = RELAIS__V1__DETACHED__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    error.code = script->refuse;
    error.retry_after_ms = script->refuse_retry_ms;
    error.field = (char *)"attach.address";
    detached.consumer = consumer;
    detached.reason = &error;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_DETACHED;
    command.detached = &detached;
    fake_say(broker, &command, NULL, 0);
}

static void hear_attach(struct fake_broker *broker, struct deliveries *script,
                        const Relais__V1__Attach *attach)
{
    unsigned count = script->fault == FAULT_CREDIT ? attach->credit + 1 : script->count;
    script->attaches++;
    script->credit_attached = attach->credit;
    if (script->refuse != RELAIS__V1__CODE__CODE_OK) {
        say_refused(broker, script, attach->consumer);
        script->refuse = script->refuse_retry_ms > 0 ? RELAIS__V1__CODE__CODE_OK : script->refuse;
        return;
    }
    if (script->fault != FAULT_UNATTACHED) {
        say_attached(broker, attach->consumer);
    }
    if (count > 0 && !script->separate) {
        say_deliver(broker, script, attach->consumer, 1, count);
    }
    for (unsigned i = 0; script->separate && i < count; i++) {
        say_deliver(broker, script, attach->consumer, i + 1, 1);
    }
}

static unsigned count_tags(Relais__V1__Range **tags, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (unsigned)(tags[i]->last - tags[i]->first + 1);
    }
    return sum;
}

static bool hear_ack(struct fake_broker *broker, struct deliveries *script,
                     const Relais__V1__Ack *ack)
{
    script->acks++;
    script->ack_ranges += (unsigned)ack->n_tags;
    script->acked += count_tags(ack->tags, ack->n_tags);
    if (script->unknown_after_ack) {
        fake_say_error(broker, RELAIS__V1__CODE__CODE_UNKNOWN_DELIVERY, 0);
        return false;
    }
    if (script->drop_after_ack) {
        script->drop_after_ack = false;
        fake_drop(broker);
        return false;
    }
    return true;
}

bool deliveries_answer(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct deliveries *script = context;
    const Relais__V1__ToBroker *command = heard->command;
    switch (command->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_ATTACH:
        hear_attach(broker, script, command->attach);
        return false;
    case RELAIS__V1__TO_BROKER__COMMAND_ACK:
        return hear_ack(broker, script, command->ack);
    case RELAIS__V1__TO_BROKER__COMMAND_NACK:
        script->nacks++;
        script->nacked += count_tags(command->nack->tags, command->nack->n_tags);
        script->nack_delay_ms = command->nack->delay_ms;
        script->nack_refuse = command->nack->refuse;
        (void)snprintf(script->nack_reason, sizeof script->nack_reason, "%s",
                       command->nack->reason);
        return true;
    case RELAIS__V1__TO_BROKER__COMMAND_EXTEND:
        script->extends += count_tags(command->extend->tags, command->extend->n_tags);
        script->extended_by_ms = command->extend->by_ms;
        return true;
    case RELAIS__V1__TO_BROKER__COMMAND_CREDIT:
        script->credits++;
        script->credit_added += command->credit->add;
        return true;
    case RELAIS__V1__TO_BROKER__COMMAND_DETACH:
        script->detaches++;
        script->answers_before_detach = script->acked > 0;
        return true;
    default:
        return true;
    }
}
