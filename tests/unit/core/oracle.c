/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h.
 */
#include "oracle.h"

#include "relais/v1/envelope.pb-c.h"
#include "wire/body.h"
#include "wire/codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity ? *capacity * 2 : 16;
    items = realloc(items, *capacity * size);
    assert(items);
    return items;
}

void oracle_fini(struct oracle *oracle)
{
    free(oracle->numbers);
    free(oracle->consumers);
    free(oracle->greeted);
    free(oracle->cut);
    *oracle = (struct oracle){0};
}

static struct oracle_consumer *consumer_of(struct oracle *oracle, uint64_t connection,
                                           uint32_t number)
{
    for (size_t i = oracle->consumer_count; i > 0; i--) {
        struct oracle_consumer *consumer = &oracle->consumers[i - 1];
        if (consumer->connection == connection && consumer->number == number) {
            return consumer;
        }
    }
    return NULL;
}

static bool is_in(const uint64_t *connections, size_t count, uint64_t connection)
{
    for (size_t i = 0; i < count; i++) {
        if (connections[i] == connection) {
            return true;
        }
    }
    return false;
}

static void said_attach(struct oracle *oracle, uint64_t connection,
                        const Relais__V1__Attach *attach)
{
    struct oracle_consumer *old = consumer_of(oracle, connection, attach->consumer);
    if (old && old->attached) {
        return; /* it will be refused */
    }
    oracle->consumers = grown(oracle->consumers, oracle->consumer_count, &oracle->consumer_capacity,
                              sizeof *oracle->consumers);
    struct oracle_consumer *consumer = &oracle->consumers[oracle->consumer_count++];
    *consumer = (struct oracle_consumer){.connection = connection,
                                         .number = attach->consumer,
                                         .credit = attach->credit,
                                         .next_tag = 1};
    snprintf(consumer->address, sizeof consumer->address, "%s", attach->address);
}

static void said_submit(struct oracle *oracle, uint64_t connection, const char *member,
                        const Relais__V1__Submit *submit, const struct bytes *body, size_t frames)
{
    struct body_reader reader;
    body_reader_init(&reader, body, frames);
    for (size_t i = 0; i < submit->n_parts; i++) {
        struct bytes envelope = {0};
        struct bytes payload = {0};
        size_t frame = 0;
        if (!body_reader_next(&reader, submit->parts[i]->envelope_bytes, &envelope, &frame) ||
            !body_reader_next(&reader, submit->parts[i]->payload_bytes, &payload, &frame)) {
            return;
        }
        oracle->numbers = grown(oracle->numbers, oracle->number_count, &oracle->number_capacity,
                                sizeof *oracle->numbers);
        struct oracle_number *number = &oracle->numbers[oracle->number_count++];
        *number =
            (struct oracle_number){.connection = connection, .number = submit->first_number + i};
        snprintf(number->sender, sizeof number->sender, "%s", member);
        struct wire_arena arena;
        struct wire_fault fault;
        assert(wire_arena_init(&arena, WIRE_ARENA_BYTES));
        const Relais__V1__Envelope *read = wire_unpack_envelope(envelope, &arena, &fault);
        snprintf(number->id, sizeof number->id, "%s", read ? read->id : "");
        wire_arena_fini(&arena);
    }
}

void oracle_said(struct oracle *oracle, uint64_t connection, const char *member,
                 const Relais__V1__ToBroker *command, const struct bytes *body, size_t frames)
{
    struct oracle_consumer *consumer = NULL;
    oracle->credited = NULL;
    if (!is_in(oracle->greeted, oracle->greeted_count, connection) ||
        is_in(oracle->cut, oracle->cut_count, connection)) {
        return;
    }
    switch (command->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_SUBMIT:
        said_submit(oracle, connection, member, command->submit, body, frames);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ATTACH:
        said_attach(oracle, connection, command->attach);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_CREDIT:
        consumer = consumer_of(oracle, connection, command->credit->consumer);
        if (consumer) {
            consumer->credit += command->credit->add;
            oracle->credited = consumer;
            oracle->credited_with = command->credit->add;
        }
        break;
    default:
        break;
    }
}

static struct oracle_number *number_of(struct oracle *oracle, uint64_t connection, uint64_t number)
{
    for (size_t i = oracle->number_count; i > 0; i--) {
        struct oracle_number *one = &oracle->numbers[i - 1];
        if (one->connection == connection && one->number == number && !one->answered) {
            return one;
        }
    }
    return NULL;
}

static void told_accepted(struct oracle *oracle, const struct shelf *shelf, uint64_t connection,
                          const Relais__V1__Accepted *accepted)
{
    for (size_t i = 0; i < accepted->n_numbers; i++) {
        assert(accepted->numbers[i]->first <= accepted->numbers[i]->last);
        for (uint64_t n = accepted->numbers[i]->first; n <= accepted->numbers[i]->last; n++) {
            struct oracle_number *number = number_of(oracle, connection, n);
            assert(number && "accepted what was not submitted, or twice");
            assert(shelf_has_id(shelf, number->sender, number->id));
            number->answered = true;
            oracle->accepted++;
        }
    }
}

static bool is_for(struct bytes envelope, const char *address)
{
    struct wire_arena arena;
    struct wire_fault fault;
    bool found = false; /* without recipients: check_fanout.c knows */
    assert(wire_arena_init(&arena, WIRE_ARENA_BYTES));
    const Relais__V1__Envelope *read = wire_unpack_envelope(envelope, &arena, &fault);
    assert(read);
    found = read->n_to == 0;
    for (size_t i = 0; i < read->n_to; i++) {
        found = found || strcmp(read->to[i], address) == 0;
    }
    wire_arena_fini(&arena);
    return found;
}

static void told_deliver(struct oracle *oracle, const char *member, const struct effect *send,
                         const Relais__V1__Deliver *deliver)
{
    struct oracle_consumer *consumer =
        consumer_of(oracle, send->send.connection, deliver->consumer);
    size_t member_bytes = strlen(member);
    assert(consumer && consumer->attached);
    assert(strncmp(consumer->address, member, member_bytes) == 0 &&
           consumer->address[member_bytes] == '/');
    assert(deliver->n_deliveries > 0 && deliver->n_deliveries == send->send.message_count);
    assert(consumer->credit >= deliver->n_deliveries);
    consumer->credit -= deliver->n_deliveries;
    assert(consumer->next_tag == deliver->first_tag);
    consumer->next_tag += deliver->n_deliveries;
    for (size_t i = 0; i < deliver->n_deliveries; i++) {
        const struct held_message *message = &send->send.messages[i];
        assert(deliver->deliveries[i]->attempt >= 1);
        assert(deliver->deliveries[i]->part->envelope_bytes == message->envelope.size);
        assert(deliver->deliveries[i]->part->payload_bytes == message->payload.size);
        assert(is_for(message->envelope, consumer->address));
        oracle->delivered++;
    }
}

void oracle_told(struct oracle *oracle, const struct shelf *shelf, const char *member,
                 const struct effect *send, const Relais__V1__ToClient *command)
{
    uint64_t connection = send->send.connection;
    assert(send->send.command.size <= WIRE_COMMAND_BYTES);
    assert(!is_in(oracle->greeted, oracle->greeted_count, connection) ||
           !is_in(oracle->cut, oracle->cut_count, connection));
    struct oracle_consumer *consumer = NULL;
    switch (command->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_WELCOME:
        oracle->greeted = grown(oracle->greeted, oracle->greeted_count, &oracle->greeted_capacity,
                                sizeof *oracle->greeted);
        oracle->greeted[oracle->greeted_count++] = connection;
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ERROR:
        if (oracle->credited && command->error->code == RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED) {
            oracle->credited->credit -= oracle->credited_with;
        }
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED:
        told_accepted(oracle, shelf, connection, command->accepted);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_REFUSED:
        for (size_t i = 0; i < command->refused->n_refusals; i++) {
            struct oracle_number *number =
                number_of(oracle, connection, command->refused->refusals[i]->number);
            assert(number && command->refused->refusals[i]->error->code != 0);
            number->answered = true;
        }
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED:
        consumer = consumer_of(oracle, connection, command->attached->consumer);
        assert(consumer && !consumer->attached);
        consumer->attached = true;
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DETACHED:
        consumer = consumer_of(oracle, connection, command->detached->consumer);
        if (consumer) {
            consumer->attached = false;
        }
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DELIVER:
        told_deliver(oracle, member, send, command->deliver);
        break;
    default:
        break;
    }
}

void oracle_cut(struct oracle *oracle, uint64_t connection)
{
    oracle->cut = grown(oracle->cut, oracle->cut_count, &oracle->cut_capacity, sizeof *oracle->cut);
    oracle->cut[oracle->cut_count++] = connection;
}

bool oracle_is_greeted(const struct oracle *oracle, uint64_t connection)
{
    return is_in(oracle->greeted, oracle->greeted_count, connection);
}

void oracle_all_answered(const struct oracle *oracle, uint64_t connection)
{
    for (size_t i = 0; i < oracle->number_count; i++) {
        assert(oracle->numbers[i].connection != connection || oracle->numbers[i].answered);
    }
}
