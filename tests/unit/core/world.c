/* SPDX-License-Identifier: EUPL-1.2
 *
 * See world.h.
 */
#include "world.h"

#include "allocation.h"
#include "wire/codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char DILA[] = "dila000000000000000000000000000000000000";
const char DILA_SECOND[] = "dila200000000000000000000000000000000000";
const char ROUEN[] = "rouen00000000000000000000000000000000000";
const char NICE[] = "nice000000000000000000000000000000000000";
const char AISNE[] = "aisne00000000000000000000000000000000000";
const char OPERATOR[] = "operator00000000000000000000000000000000";
const char STRANGER[] = "stranger00000000000000000000000000000000";

enum { WALL_START_MS = 1700000000000, MONO_START_MS = 1000000, TRACE_PRIME = 0x01000193 };

struct directory *world_directory(void)
{
    struct directory *d = directory_new();
    const unsigned both = ROLE_MAY_SEND | ROLE_MAY_RECEIVE;
    assert(d && directory_add_member(d, "dila", KIND_STATE) == DIRECTORY_OK);
    assert(directory_add_member(d, "commune-76540", KIND_COMMUNE) == DIRECTORY_OK);
    assert(directory_add_member(d, "commune-06088", KIND_COMMUNE) == DIRECTORY_OK);
    assert(directory_add_member(d, "departement-02", KIND_DEPARTEMENT) == DIRECTORY_OK);
    assert(directory_add_member(d, "op", KIND_OPERATOR) == DIRECTORY_OK);
    assert(directory_add_service(d, "dila", "greffe") == DIRECTORY_OK);
    assert(directory_add_service(d, "commune-76540", "etat-civil") == DIRECTORY_OK);
    assert(directory_add_service(d, "commune-76540", "accueil") == DIRECTORY_OK);
    assert(directory_add_service(d, "commune-06088", "etat-civil") == DIRECTORY_OK);
    assert(directory_add_service(d, "departement-02", "etat-civil") == DIRECTORY_OK);
    assert(directory_add_client(d, "dila", "files", DILA, both) == DIRECTORY_OK);
    assert(directory_add_client(d, "dila", "spare", DILA_SECOND, both) == DIRECTORY_OK);
    assert(directory_add_client(d, "commune-76540", "files", ROUEN, both) == DIRECTORY_OK);
    assert(directory_add_client(d, "commune-06088", "files", NICE, ROLE_MAY_RECEIVE) ==
           DIRECTORY_OK);
    assert(directory_add_client(d, "departement-02", "files", AISNE, ROLE_MAY_SEND) ==
           DIRECTORY_OK);
    assert(directory_add_client(d, "op", "console", OPERATOR, ROLE_MAY_OPERATE) == DIRECTORY_OK);
    assert(directory_add_flow(d, "ETATCIVIL", 0) == DIRECTORY_OK);
    assert(directory_allow_sender(d, "ETATCIVIL", "dila") == DIRECTORY_OK);
    assert(directory_allow_receiver(d, "ETATCIVIL", "kind:commune") == DIRECTORY_OK);
    assert(directory_add_flow(d, "PETIT", 100) == DIRECTORY_OK);
    assert(directory_allow_sender(d, "PETIT", "*") == DIRECTORY_OK);
    assert(directory_allow_receiver(d, "PETIT", "*") == DIRECTORY_OK);
    assert(directory_subscribe(d, "PETIT", "dila", "greffe") == DIRECTORY_OK);
    assert(directory_subscribe(d, "PETIT", "commune-76540", "accueil") == DIRECTORY_OK);
    assert(directory_subscribe(d, "PETIT", "commune-06088", "etat-civil") == DIRECTORY_OK);
    directory_seal(d);
    return d;
}

static const char *member_of(const struct world *world, const char *key)
{
    const struct directory_client *client = directory_client(core_directory(world->core), key);
    return client ? directory_member_slug(client->member) : "";
}

void world_init(struct world *world, const struct core_settings *settings)
{
    struct core_settings defaults;
    core_settings_init(&defaults);
    defaults.seed = 7;
    *world = (struct world){.now = {.mono_ms = MONO_START_MS, .wall_ms = WALL_START_MS}};
    effects_init(&world->effects);
    world->core = core_new(settings ? settings : &defaults, world_directory(), NULL, 0);
    assert(world->core);
}

static void told_free(struct told *told)
{
    for (size_t i = 0; i < told->message_count; i++) {
        held_message_drop(&told->messages[i]);
    }
    free(told->messages);
    relais__v1__to_client__free_unpacked(told->command, NULL);
}

void world_fini(struct world *world)
{
    effects_fini(&world->effects);
    core_free(world->core);
    shelf_fini(&world->shelf);
    oracle_fini(&world->oracle);
    for (size_t i = 0; i < world->told_count; i++) {
        told_free(&world->told[i]);
    }
    free(world->told);
}

static void trace(struct world *world, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        world->trace = (world->trace ^ at[i]) * TRACE_PRIME;
    }
}

static void hear(struct world *world, const struct effect *effect)
{
    if (world->told_count == world->told_capacity) {
        world->told_capacity = world->told_capacity ? world->told_capacity * 2 : 16;
        world->told = realloc(world->told, world->told_capacity * sizeof(struct told));
        assert(world->told);
    }
    struct told *told = &world->told[world->told_count++];
    *told = (struct told){.connection = effect->send.connection,
                          .message_count = effect->send.message_count};
    struct bytes packed = effect->send.command;
    told->command = relais__v1__to_client__unpack(NULL, packed.size, packed.data);
    assert(told->command);
    told->messages = calloc(told->message_count + 1, sizeof *told->messages);
    assert(told->messages);
    for (size_t i = 0; i < told->message_count; i++) {
        told->messages[i] = effect->send.messages[i];
        if (told->messages[i].envelope_buffer) {
            buffer_ref(told->messages[i].envelope_buffer);
        }
        if (told->messages[i].payload_buffer) {
            buffer_ref(told->messages[i].payload_buffer);
        }
    }
    trace(world, packed.data, packed.size);
    const char *member = world->members[told->connection % 64];
    oracle_told(&world->oracle, &world->shelf, member, effect, told->command);
}

static void carry_out(struct world *world)
{
    if (world->effects.failed) {
        world->broken = true;
        effects_clear(&world->effects);
        return;
    }
    for (size_t i = 0; i < world->effects.count; i++) {
        const struct effect *effect = &world->effects.items[i];
        trace(world, &effect->kind, sizeof effect->kind);
        switch (effect->kind) {
        case EFFECT_SEND:
            hear(world, effect);
            break;
        case EFFECT_CLOSE:
            oracle_cut(&world->oracle, effect->close.connection);
            world->cut[effect->close.connection % 64] = true;
            break;
        case EFFECT_STORE:
            trace(world, &effect->store.kind, sizeof effect->store.kind);
            trace(world, &effect->store.ticket, sizeof effect->store.ticket);
            if (effect->store.kind == STORE_DEFER) {
                trace(world, &effect->store.defer.due_ms, sizeof effect->store.defer.due_ms);
            }
            shelf_submit(&world->shelf, &effect->store);
            break;
        case EFFECT_LOG:
            if (world->noted_count < 64) {
                snprintf(world->noted[world->noted_count++], sizeof world->noted[0], "%s",
                         effect->log.event);
            }
            break;
        }
    }
    effects_clear(&world->effects);
}

static void step(struct world *world, struct event *event)
{
    if (world->broken) {
        return;
    }
    allocation_arm(world->torture);
    core_step(world->core, world->now, event, &world->effects);
    allocation_arm(false);
    carry_out(world);
}

void world_event(struct world *world, struct event *event)
{
    step(world, event);
    world_flush(world);
}

void world_frames(struct world *world, uint64_t connection, const char *key,
                  const struct bytes *frames, size_t count)
{
    struct buffer **buffers = calloc(count + 1, sizeof(struct buffer *));
    struct bytes *copies = calloc(count + 1, sizeof *copies);
    assert(buffers && copies);
    for (size_t i = 0; i < count; i++) {
        uint8_t *data = NULL;
        buffers[i] = buffer_new(frames[i].size, &data);
        assert(buffers[i]);
        if (frames[i].size > 0) {
            memcpy(data, frames[i].data, frames[i].size);
        }
        copies[i] = buffers[i]->bytes;
    }
    snprintf(world->members[connection % 64], sizeof world->members[0], "%s",
             member_of(world, key));
    struct event event = {.kind = EVENT_FRAMES};
    event.frames.connection = connection;
    event.frames.key = key;
    event.frames.frames = copies;
    event.frames.buffers = buffers;
    event.frames.frame_count = count;
    step(world, &event);
    for (size_t i = 0; i < count; i++) {
        buffer_unref(buffers[i]);
    }
    free(buffers);
    free(copies);
}

void world_say_with(struct world *world, uint64_t connection, const char *key,
                    const Relais__V1__ToBroker *command, struct bytes body)
{
    size_t size = relais__v1__to_broker__get_packed_size(command);
    uint8_t *packed = malloc(size + 1);
    assert(packed);
    relais__v1__to_broker__pack(command, packed);
    struct bytes frames[2] = {{packed, size}, body};
    oracle_said(&world->oracle, connection, member_of(world, key), command, frames + 1,
                body.size > 0);
    world_frames(world, connection, key, frames, body.size > 0 ? 2 : 1);
    free(packed);
}

void world_say(struct world *world, uint64_t connection, const char *key,
               const Relais__V1__ToBroker *command)
{
    world_say_with(world, connection, key, command, (struct bytes){0});
}

void world_hello(struct world *world, uint64_t connection, const char *key)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    hello.major = 1;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    world_say(world, connection, key, &command);
}

void world_closed(struct world *world, uint64_t connection)
{
    step(world, &(struct event){.kind = EVENT_CLOSED, .closed = connection});
}

void world_replace(struct world *world, struct directory *directory)
{
    if (world->broken) {
        directory_free(directory);
        return;
    }
    step(world, &(struct event){.kind = EVENT_DIRECTORY, .directory = directory});
}

void world_drain(struct world *world)
{
    step(world, &(struct event){.kind = EVENT_DRAIN});
}

void world_pass(struct world *world, int64_t ms)
{
    world->now.mono_ms += ms;
    world->now.wall_ms += ms;
    int64_t wake = world->effects.wake_mono_ms;
    if (wake > 0 && wake <= world->now.mono_ms) {
        step(world, &(struct event){.kind = EVENT_TIME});
    }
}

void world_store_one(struct world *world)
{
    struct event event = {.kind = EVENT_STORED};
    if (!world->broken && shelf_work(&world->shelf, &event.stored) &&
        event.stored.kind != STORE_RELEASE) {
        step(world, &event);
    }
}

void world_flush(struct world *world)
{
    if (world->broken) {
        return;
    }
    allocation_arm(world->torture);
    core_flush(world->core, world->now, &world->effects);
    allocation_arm(false);
    carry_out(world);
}

void world_turn(struct world *world)
{
    do {
        while (!world->broken && world->shelf.op_count > 0) {
            world_store_one(world);
        }
        world_flush(world);
    } while (!world->broken && world->shelf.op_count > 0);
}

const struct told *world_hear_told(struct world *world, uint64_t connection)
{
    for (size_t i = 0; i < world->told_count; i++) {
        struct told *told = &world->told[i];
        if (told->connection == connection && !told->heard) {
            told->heard = true;
            return told;
        }
    }
    return NULL;
}

const Relais__V1__ToClient *world_hear(struct world *world, uint64_t connection)
{
    const struct told *told = world_hear_told(world, connection);
    return told ? told->command : NULL;
}

bool world_noted(const struct world *world, const char *event)
{
    for (size_t i = 0; i < world->noted_count; i++) {
        if (strcmp(world->noted[i], event) == 0) {
            return true;
        }
    }
    return false;
}

void message_init(struct message *message, const char *id)
{
    *message = (struct message){.payload_bytes = 20};
    memset(message->payload, 'p', sizeof message->payload);
    relais__v1__envelope__init(&message->envelope);
    message->envelope.id = (char *)id;
    message->envelope.source = "urn:test";
    message->envelope.type = "fr.relais.test";
    message->envelope.flow = "ETATCIVIL";
    message->to_one[0] = "commune-76540/etat-civil";
    message->envelope.n_to = 1;
    message->envelope.to = message->to_one;
    message->envelope.payload_size = message->payload_bytes;
    message->envelope.payload_digest.data = message->digest;
    message->envelope.payload_digest.len = sizeof message->digest;
}

void world_submit(struct world *world, uint64_t connection, const char *key, uint64_t first,
                  struct message *messages, size_t count)
{
    Relais__V1__Part *parts = calloc(count + 1, sizeof *parts);
    Relais__V1__Part **pointers = calloc(count + 1, sizeof(Relais__V1__Part *));
    size_t bytes = 0;
    assert(parts && pointers);
    for (size_t i = 0; i < count; i++) {
        relais__v1__part__init(&parts[i]);
        parts[i].envelope_bytes =
            (uint32_t)relais__v1__envelope__get_packed_size(&messages[i].envelope);
        parts[i].payload_bytes = messages[i].payload_bytes;
        parts[i].upload = messages[i].upload;
        pointers[i] = &parts[i];
        bytes += parts[i].envelope_bytes + parts[i].payload_bytes;
    }
    uint8_t *body = calloc(bytes + 1, 1);
    uint8_t *at = body;
    assert(body);
    for (size_t i = 0; i < count; i++) {
        at += relais__v1__envelope__pack(&messages[i].envelope, at);
        size_t kept = messages[i].payload_bytes < sizeof messages[i].payload
                          ? messages[i].payload_bytes
                          : sizeof messages[i].payload;
        memcpy(at, messages[i].payload, kept);
        at += messages[i].payload_bytes;
    }
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    submit.first_number = first;
    submit.n_parts = count;
    submit.parts = pointers;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    world_say_with(world, connection, key, &command, (struct bytes){body, bytes});
    free(body);
    free(parts);
    free(pointers);
}

void world_submit_one(struct world *world, uint64_t connection, uint64_t number, const char *id)
{
    struct message message;
    message_init(&message, id);
    world_submit(world, connection, DILA, number, &message, 1);
}

void world_attach(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
                  const char *address, uint32_t credit)
{
    Relais__V1__Attach attach = RELAIS__V1__ATTACH__INIT;
    attach.consumer = consumer;
    attach.address = (char *)address;
    attach.credit = credit;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ATTACH;
    command.attach = &attach;
    world_say(world, connection, key, &command);
}

void world_credit(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
                  uint32_t add)
{
    Relais__V1__Credit credit = RELAIS__V1__CREDIT__INIT;
    credit.consumer = consumer;
    credit.add = add;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CREDIT;
    command.credit = &credit;
    world_say(world, connection, key, &command);
}

void world_detach(struct world *world, uint64_t connection, const char *key, uint32_t consumer)
{
    Relais__V1__Detach detach = RELAIS__V1__DETACH__INIT;
    detach.consumer = consumer;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_DETACH;
    command.detach = &detach;
    world_say(world, connection, key, &command);
}

void world_ack(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
               uint64_t first, uint64_t last)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    range.first = first;
    range.last = last;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    ack.consumer = consumer;
    ack.n_tags = 1;
    ack.tags = ranges;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ACK;
    command.ack = &ack;
    world_say(world, connection, key, &command);
}

void world_nack(struct world *world, uint64_t connection, uint32_t consumer, uint64_t tag,
                uint32_t delay_ms, bool refuse)
{
    Relais__V1__Range range = RELAIS__V1__RANGE__INIT;
    range.first = tag;
    range.last = tag;
    Relais__V1__Range *ranges[] = {&range};
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    nack.consumer = consumer;
    nack.n_tags = 1;
    nack.tags = ranges;
    nack.delay_ms = delay_ms;
    nack.refuse = refuse;
    nack.reason = "not\nnow";
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_NACK;
    command.nack = &nack;
    world_say(world, connection, ROUEN, &command);
}
