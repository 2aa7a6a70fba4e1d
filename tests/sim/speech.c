/* SPDX-License-Identifier: EUPL-1.2
 *
 * See client.h. Commands become frames. A body is cut in every way that the protocol allows.
 */
#include "client.h"
#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPEECH_RANGES = 64,   /* of one command; the others wait for the next */
    PACKED_BYTES = 16384, /* larger payloads have a frame of their own */
    NOISE_BYTES = 40,
};

static struct buffer *pack(const Relais__V1__ToBroker *command)
{
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(relais__v1__to_broker__get_packed_size(command), &data);
    assert(buffer);
    relais__v1__to_broker__pack(command, data);
    return buffer;
}

static void say(struct world *world, const struct client *client,
                const Relais__V1__ToBroker *command, struct packet *packet)
{
    struct buffer *buffer = pack(command);
    packet_set(packet, 0, buffer, buffer->bytes);
    network_say(&world->network, client->line, packet);
}

void speech_command(struct world *world, const struct client *client,
                    const Relais__V1__ToBroker *command)
{
    say(world, client, command, packet_new(1));
}

void speech_hello(struct world *world, const struct client *client)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    hello.major = 1;
    hello.software = "sim/1";
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    speech_command(world, client, &command);
}

void speech_goodbye(struct world *world, const struct client *client)
{
    Relais__V1__Goodbye goodbye = RELAIS__V1__GOODBYE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_GOODBYE;
    command.goodbye = &goodbye;
    speech_command(world, client, &command);
}

void speech_attach(struct world *world, const struct client *client, uint32_t consumer,
                   unsigned place, uint32_t credit)
{
    Relais__V1__Attach attach = RELAIS__V1__ATTACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    attach.consumer = consumer;
    attach.address = (char *)TOWN_ADDRESSES[place].address;
    attach.credit = credit;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ATTACH;
    command.attach = &attach;
    speech_command(world, client, &command);
}

void speech_credit(struct world *world, const struct client *client, uint32_t consumer,
                   uint32_t add)
{
    Relais__V1__Credit credit = RELAIS__V1__CREDIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    credit.consumer = consumer;
    credit.add = add;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CREDIT;
    command.credit = &credit;
    speech_command(world, client, &command);
}

void speech_detach(struct world *world, const struct client *client, uint32_t consumer)
{
    Relais__V1__Detach detach = RELAIS__V1__DETACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    detach.consumer = consumer;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_DETACH;
    command.detach = &detach;
    speech_command(world, client, &command);
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* The tags from `from` on as ranges. Returns where the next command goes on. */
static size_t lay_ranges(const uint64_t *tags, size_t from, size_t count, Relais__V1__Range *ranges,
                         size_t *out_ranges)
{
    size_t at = from;
    *out_ranges = 0;
    while (at < count && *out_ranges < SPEECH_RANGES) {
        Relais__V1__Range *range = &ranges[(*out_ranges)++];
        relais__v1__range__init(range);
        range->first = range->last = tags[at++];
        while (at < count && tags[at] == range->last + 1) {
            range->last = tags[at++];
        }
    }
    return at;
}

/* Half of what a private mailbox gives back; now and then where it is not allowed. */
static bool is_uncounted(const struct client *client, const struct settlement *settlement)
{
    bool is_private = false;
    for (size_t i = 0; i < CLIENT_CONSUMERS; i++) {
        const struct client_consumer *consumer = &client->consumers[i];
        is_private = is_private || (consumer->number == settlement->consumer &&
                                    TOWN_ADDRESSES[consumer->place].owner > 0);
    }
    return is_private ? settlement->delay_ms % 2 == 0 : settlement->delay_ms % 101 == 7;
}

void speech_answer(struct world *world, const struct client *client,
                   const struct settlement *settlement, uint64_t *tags, size_t count)
{
    Relais__V1__Range ranges[SPEECH_RANGES];
    Relais__V1__Range *pointers[SPEECH_RANGES];
    qsort(tags, count, sizeof *tags, by_size);
    for (size_t i = 0; i < SPEECH_RANGES; i++) {
        pointers[i] = &ranges[i];
    }
    for (size_t at = 0; at < count;) {
        Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
        Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
        Relais__V1__Extend extend = RELAIS__V1__EXTEND__INIT;
        Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
        bool acks = settlement->verdict == VERDICT_ACK;
        size_t range_count = 0;
        at = lay_ranges(tags, at, count, ranges, &range_count);
        ack.n_tags = nack.n_tags = extend.n_tags = range_count;
        ack.consumer = nack.consumer = extend.consumer = settlement->consumer;
        ack.tags = nack.tags = extend.tags = pointers;
        extend.by_ms = settlement->delay_ms;
        nack.refuse = settlement->verdict == VERDICT_REFUSE;
        nack.delay_ms = settlement->delay_ms;
        nack.reason = TOWN_BECAUSE;
        nack.uncounted = !acks && is_uncounted(client, settlement);
        if (acks) {
            command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ACK;
            command.ack = &ack;
        } else if (settlement->verdict == VERDICT_EXTEND) {
            command.command_case = RELAIS__V1__TO_BROKER__COMMAND_EXTEND;
            command.extend = &extend;
        } else {
            command.command_case = RELAIS__V1__TO_BROKER__COMMAND_NACK;
            command.nack = &nack;
        }
        speech_command(world, client, &command);
    }
}

void speech_answer_all(struct world *world, const struct client *client, uint32_t consumer,
                       uint64_t first)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    Relais__V1__Range *pointer = &range;
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    range.first = first;
    range.last = UINT64_MAX;
    ack.consumer = consumer;
    ack.tags = &pointer;
    ack.n_tags = 1;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ACK;
    command.ack = &ack;
    speech_command(world, client, &command);
}

/* Each piece in a frame of its own, nothing copied. */
static struct packet *in_pieces(struct world *world, struct message *const *messages, size_t count)
{
    struct packet *packet = packet_new(1 + 2 * count);
    for (size_t i = 0; i < count; i++) {
        packet_set(packet, 1 + 2 * i, buffer_ref(messages[i]->envelope),
                   messages[i]->envelope->bytes);
        packet_set(packet, 2 + 2 * i, buffer_ref(world->ledger.noise), messages[i]->payload);
    }
    return packet;
}

static struct packet *in_one(struct message *const *messages, size_t count, size_t bytes)
{
    uint8_t *data = NULL;
    struct packet *packet = packet_new(2);
    struct buffer *buffer = buffer_new(bytes, &data);
    assert(buffer);
    packet_set(packet, 1, buffer, buffer->bytes);
    for (size_t i = 0; i < count; i++) {
        const struct bytes *envelope = &messages[i]->envelope->bytes;
        memcpy(data, envelope->data, envelope->size);
        data += envelope->size;
        if (messages[i]->payload.size > 0) {
            memcpy(data, messages[i]->payload.data, messages[i]->payload.size);
        }
        data += messages[i]->payload.size;
    }
    return packet;
}

void speech_submit(struct world *world, const struct client *client, uint64_t first_number,
                   struct message *const *messages, size_t count)
{
    Relais__V1__Part parts[WIRE_BATCH_MESSAGES];
    Relais__V1__Part *pointers[WIRE_BATCH_MESSAGES];
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        relais__v1__part__init(&parts[i]);
        parts[i].envelope_bytes = (uint32_t)messages[i]->envelope->bytes.size;
        parts[i].payload_bytes = messages[i]->payload_bytes;
        pointers[i] = &parts[i];
        bytes += ledger_bytes(messages[i]);
    }
    submit.first_number = first_number;
    submit.n_parts = count;
    submit.parts = pointers;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    bool whole = bytes <= PACKED_BYTES && chance_is(&world->chance, 500);
    say(world, client, &command,
        whole ? in_one(messages, count, bytes) : in_pieces(world, messages, count));
}

void speech_noise(struct world *world, const struct client *client)
{
    struct packet *packet = packet_new(1);
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(NOISE_BYTES, &data);
    assert(buffer);
    memset(data, 0xff, NOISE_BYTES);
    packet_set(packet, 0, buffer, buffer->bytes);
    network_say(&world->network, client->line, packet);
}
