/* SPDX-License-Identifier: EUPL-1.2
 *
 * See reply.h. No answer is larger than a command frame may be.
 */
#include "core/reply.h"

#include "wire/codec.h"

struct effect *reply_send(struct step *step, uint64_t connection,
                          const Relais__V1__ToClient *command)
{
    struct effect *effect = effects_add(step->effects, EFFECT_SEND);
    effect->send.connection = connection;
    size_t size = relais__v1__to_client__get_packed_size(command);
    uint8_t *packed = effects_alloc(step->effects, size);
    if (packed) {
        relais__v1__to_client__pack(command, packed);
        effect->send.command = (struct bytes){packed, size};
    }
    return effect;
}

void reply_error(struct step *step, uint64_t connection, const struct refusal *refusal)
{
    Relais__V1__Error error;
    refusal_to_error(refusal, &error);
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ERROR;
    command.error = &error;
    reply_send(step, connection, &command);
}

void reply_close(struct step *step, uint64_t connection)
{
    effects_add(step->effects, EFFECT_CLOSE)->close.connection = connection;
}

void reply_goodbye(struct step *step, uint64_t connection, const struct refusal *reason)
{
    Relais__V1__Error error;
    Relais__V1__Goodbye goodbye = RELAIS__V1__GOODBYE__INIT;
    if (reason) {
        refusal_to_error(reason, &error);
        goodbye.reason = &error;
    }
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_GOODBYE;
    command.goodbye = &goodbye;
    reply_send(step, connection, &command);
    reply_close(step, connection);
}

/* The ranges [from, from + count) as protobuf wants them. NULL without memory. */
static Relais__V1__Range **lay_ranges(struct effects *effects, const struct ranges *ranges,
                                      size_t from, size_t count)
{
    Relais__V1__Range *values = effects_alloc(effects, count * sizeof *values);
    Relais__V1__Range **pointers = effects_alloc(effects, count * sizeof(Relais__V1__Range *));
    if (!values || !pointers) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        relais__v1__range__init(&values[i]);
        values[i].first = ranges->items[from + i].first;
        values[i].last = ranges->items[from + i].last;
        pointers[i] = &values[i];
    }
    return pointers;
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

void reply_accepted(struct step *step, uint64_t connection, const struct ranges *numbers)
{
    for (size_t from = 0; from < numbers->count; from += WIRE_RANGES) {
        Relais__V1__Accepted accepted = RELAIS__V1__ACCEPTED__INIT;
        accepted.n_numbers = at_most(numbers->count - from, WIRE_RANGES);
        accepted.numbers = lay_ranges(step->effects, numbers, from, accepted.n_numbers);
        if (!accepted.numbers) {
            return;
        }
        Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
        command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED;
        command.accepted = &accepted;
        reply_send(step, connection, &command);
    }
}

void reply_settled(struct step *step, uint64_t connection, uint32_t consumer,
                   const struct ranges *tags)
{
    for (size_t from = 0; from < tags->count; from += WIRE_RANGES) {
        Relais__V1__Settled settled = RELAIS__V1__SETTLED__INIT;
        settled.consumer = consumer;
        settled.n_tags = at_most(tags->count - from, WIRE_RANGES);
        settled.tags = lay_ranges(step->effects, tags, from, settled.n_tags);
        if (!settled.tags) {
            return;
        }
        Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
        command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_SETTLED;
        command.settled = &settled;
        reply_send(step, connection, &command);
    }
}

void reply_detached(struct step *step, uint64_t connection, uint32_t consumer,
                    const struct refusal *reason)
{
    Relais__V1__Error error;
    Relais__V1__Detached detached = RELAIS__V1__DETACHED__INIT;
    detached.consumer = consumer;
    if (reason) {
        refusal_to_error(reason, &error);
        detached.reason = &error;
    }
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_DETACHED;
    command.detached = &detached;
    reply_send(step, connection, &command);
}

void reply_answer(struct step *step, uint64_t connection, Relais__V1__Answer *answer)
{
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ANSWER;
    command.answer = answer;
    reply_send(step, connection, &command);
}

void reply_answer_error(struct step *step, uint64_t connection, uint64_t number,
                        const struct refusal *refusal)
{
    Relais__V1__Error error;
    refusal_to_error(refusal, &error);
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_ERROR;
    answer.error = &error;
    reply_answer(step, connection, &answer);
}

void reply_refused_end(struct reply_refused *refused)
{
    if (refused->count == 0) {
        return;
    }
    Relais__V1__Refused message = RELAIS__V1__REFUSED__INIT;
    message.n_refusals = refused->count;
    message.refusals = refused->items;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_REFUSED;
    command.refused = &message;
    reply_send(refused->step, refused->connection, &command);
    refused->count = 0;
    refused->bytes = 0;
}

void reply_refused_add(struct reply_refused *refused, uint64_t number,
                       const struct refusal *refusal)
{
    struct effects *effects = refused->step->effects;
    size_t bytes = refusal_packed_bytes(refusal);
    if (refused->count == WIRE_BATCH_MESSAGES || refused->bytes + bytes > REPLY_COMMAND_BYTES) {
        reply_refused_end(refused);
    }
    if (!refused->items) {
        refused->items =
            effects_alloc(effects, WIRE_BATCH_MESSAGES * sizeof(Relais__V1__Refusal *));
    }
    Relais__V1__Refusal *item = effects_alloc(effects, sizeof *item);
    Relais__V1__Error *error = effects_alloc(effects, sizeof *error);
    if (!refused->items || !item || !error) {
        return;
    }
    relais__v1__refusal__init(item);
    refusal_to_error(refusal, error);
    item->number = number;
    item->error = error;
    refused->items[refused->count++] = item;
    refused->bytes += bytes;
    refused->step->core->totals.refused++;
}
