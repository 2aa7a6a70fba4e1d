/* SPDX-License-Identifier: EUPL-1.2
 *
 * The whole core: the input is a play of clients, disk and clocks. Eight connections say commands
 * that are valid, nearly valid or noise; the store answers when the input says so, to ops that were
 * really handed over; clocks jump; members change; the broker drains. The oracle and the shelf
 * abort when a promise is broken (oracle.h, shelf.h). At the end nothing may be taken by nobody,
 * and every number of a connection that still stands must have had its answer.
 */
#include "core/limits.h"
#include "tests/fuzz/fuzz_core_town.h"
#include "wire/codec.h"
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 8,
    FRAME_BYTES = 4096,
    PARTS = 6,
    ACTIONS = 300,  /* more only repeats */
    PACE_MS = 1000, /* longer than any answer is kept */
};

struct play {
    struct world world;
    const uint8_t *at;
    size_t left;
    uint64_t connection[SLOTS];
    uint64_t next_number[SLOTS];
};

static const char *const KEYS[SLOTS] = {DILA, DILA_SECOND, ROUEN,    ROUEN,
                                        NICE, AISNE,       OPERATOR, STRANGER};
static char *const ADDRESSES[] = {
    "commune-76540/etat-civil",  "commune-06088/etat-civil", "commune-76540/accueil", "dila/greffe",
    "departement-02/etat-civil", "commune-76540/~files",     "nobody/etat-civil",     "\xc3\xa9"};
static char *const FLOWS[] = {"ETATCIVIL", "PETIT", "ETATCIVIL", "NONE"};

/* 0 at the end of the input. */
static uint8_t byte(struct play *play)
{
    if (play->left == 0) {
        return 0;
    }
    play->left--;
    return *play->at++;
}

static uint64_t number(struct play *play)
{
    uint8_t first = byte(play);
    if (first < 0xf0) {
        return first;
    }
    uint64_t wide = first == 0xff ? UINT64_MAX - byte(play) : byte(play);
    return first == 0xfe ? wide << 24 : wide;
}

/* What the core will read, told to the oracle; then the frames. */
static void say_frames(struct play *play, size_t slot, const struct bytes *frames, size_t count)
{
    struct wire_arena arena;
    struct wire_fault fault;
    struct world *world = &play->world;
    uint64_t connection = play->connection[slot];
    if (world->cut[connection % 64]) {
        return;
    }
    assert(wire_arena_init(&arena, WIRE_ARENA_BYTES));
    const Relais__V1__ToBroker *command = wire_unpack_to_broker(frames[0], &arena, &fault);
    const struct directory_client *client =
        directory_client(core_directory(world->core), KEYS[slot]);
    if (command) {
        oracle_said(&world->oracle, connection, client ? directory_member_slug(client->member) : "",
                    command, frames + 1, count - 1);
    }
    world_frames(world, connection, KEYS[slot], frames, count);
    wire_arena_fini(&arena);
}

static void say(struct play *play, size_t slot, const Relais__V1__ToBroker *command,
                struct bytes body, bool spoil)
{
    static uint8_t packed[FRAME_BYTES];
    assert(relais__v1__to_broker__get_packed_size(command) <= sizeof packed);
    struct bytes frames[] = {{packed, relais__v1__to_broker__pack(command, packed)}, body};
    if (spoil && frames[0].size > 0) {
        packed[byte(play) % frames[0].size] ^= byte(play);
    }
    say_frames(play, slot, frames, body.size > 0 ? 2 : 1);
}

static void submit(struct play *play, size_t slot, bool spoil)
{
    static uint8_t body[PARTS * FRAME_BYTES];
    struct message messages[PARTS];
    char ids[PARTS][16];
    Relais__V1__Part parts[PARTS];
    Relais__V1__Part *pointers[PARTS];
    char *to[3];
    size_t used = 0;
    size_t count = byte(play) % PARTS + 1;
    for (size_t i = 0; i < count; i++) {
        uint8_t shape = byte(play);
        int id = byte(play);
        snprintf(ids[i], sizeof ids[i], "%d", id);
        message_init(&messages[i], ids[i]);
        Relais__V1__Envelope *envelope = &messages[i].envelope;
        envelope->flow = FLOWS[shape & 3];
        envelope->n_to = id % 4 == 3 ? 0 : shape & 4 ? 3 : 1;
        envelope->supersedes = id % 8 == 7 ? "1" : envelope->supersedes;
        envelope->to = to;
        for (size_t k = 0; k < 3; k++) {
            to[k] = ADDRESSES[(byte(play) + k) % 8];
        }
        envelope->priority = (Relais__V1__Priority)(shape >> 6);
        envelope->expires_at_ms =
            shape & 8 ? play->world.now.wall_ms + (int64_t)byte(play) * 100 : 0;
        envelope->not_before_ms =
            shape & 16 ? play->world.now.wall_ms + (int64_t)byte(play) * 100 : 0;
        relais__v1__part__init(&parts[i]);
        parts[i].envelope_bytes = (uint32_t)relais__v1__envelope__pack(envelope, body + used);
        parts[i].payload_bytes = shape & 32 ? 0 : 20;
        used += parts[i].envelope_bytes + parts[i].payload_bytes;
        pointers[i] = &parts[i];
    }
    Relais__V1__Submit message = RELAIS__V1__SUBMIT__INIT;
    message.first_number = play->next_number[slot];
    message.n_parts = count;
    message.parts = pointers;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &message;
    say(play, slot, &command, (struct bytes){body, used}, spoil);
    if (oracle_is_greeted(&play->world.oracle, play->connection[slot])) {
        play->next_number[slot] += count;
    }
}

static void answer(struct play *play, size_t slot, bool is_nack, bool spoil)
{
    Relais__V1__Extend extend = RELAIS__V1__EXTEND__INIT;
    Relais__V1__Range ranges[2] = {RELAIS__V1__RANGE__INIT, RELAIS__V1__RANGE__INIT};
    Relais__V1__Range *pointers[] = {&ranges[0], &ranges[1]};
    Relais__V1__Ack ack = RELAIS__V1__ACK__INIT;
    Relais__V1__Nack nack = RELAIS__V1__NACK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint32_t consumer = byte(play) % 4;
    for (size_t i = 0; i < 2; i++) {
        ranges[i].first = number(play);
        ranges[i].last = ranges[i].first + number(play);
    }
    ack.consumer = nack.consumer = consumer;
    ack.n_tags = nack.n_tags = 2;
    ack.tags = nack.tags = pointers;
    nack.delay_ms = (uint32_t)number(play);
    uint8_t how = byte(play);
    nack.refuse = how & 1;
    nack.uncounted = how & 2;
    extend.consumer = consumer;
    extend.n_tags = 2;
    extend.tags = pointers;
    extend.by_ms = nack.delay_ms;
    nack.reason = "why";
    command.command_case =
        is_nack ? RELAIS__V1__TO_BROKER__COMMAND_NACK : RELAIS__V1__TO_BROKER__COMMAND_ACK;
    if (is_nack && (how & 4) != 0) {
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_EXTEND;
        command.extend = &extend;
    } else if (is_nack) {
        command.nack = &nack;
    } else {
        command.ack = &ack;
    }
    say(play, slot, &command, (struct bytes){0}, spoil);
}

static void consume(struct play *play, size_t slot, uint8_t what, bool spoil)
{
    Relais__V1__Attach attach = RELAIS__V1__ATTACH__INIT;
    Relais__V1__Credit credit = RELAIS__V1__CREDIT__INIT;
    Relais__V1__Detach detach = RELAIS__V1__DETACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    attach.consumer = credit.consumer = detach.consumer = byte(play) % 4;
    if (what == 0) {
        attach.address = ADDRESSES[byte(play) % 8];
        attach.credit = (uint32_t)number(play);
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ATTACH;
        command.attach = &attach;
    } else if (what == 1) {
        credit.add = (uint32_t)number(play);
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CREDIT;
        command.credit = &credit;
    } else {
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_DETACH;
        command.detach = &detach;
    }
    say(play, slot, &command, (struct bytes){0}, spoil);
}

/* A question or an order about dead letters. */
static void ask_dead(struct play *play, size_t slot, uint8_t what, bool spoil)
{
    Relais__V1__DeadQuery list = RELAIS__V1__DEAD_QUERY__INIT;
    Relais__V1__DeadName name = RELAIS__V1__DEAD_NAME__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    list.address = name.address = ADDRESSES[byte(play) % 8];
    list.after = name.sequence = number(play);
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    if (what == 0) {
        list.limit = byte(play);
        query.what_case = RELAIS__V1__QUERY__WHAT_DEAD;
        query.dead = &list;
    } else if (what == 1) {
        query.what_case = RELAIS__V1__QUERY__WHAT_DEAD_LETTER;
        query.dead_letter = &name;
    } else {
        manage.what_case =
            what == 2 ? RELAIS__V1__MANAGE__WHAT_REPLAY : RELAIS__V1__MANAGE__WHAT_DROP;
        manage.replay = &name;
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
        command.manage = &manage;
    }
    say(play, slot, &command, (struct bytes){0}, spoil);
}

/* And what the store will say of it from now on. */
static void ask_usage(struct play *play, size_t slot, bool spoil)
{
    static char *const members[] = {"", "dila", "commune-76540", "nobody", "no slug"};
    Relais__V1__UsageQuery usage = RELAIS__V1__USAGE_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    play->world.shelf.usage.messages = byte(play);
    usage.member = members[byte(play) % 5];
    query.what_case = RELAIS__V1__QUERY__WHAT_MEMBER_USAGE;
    query.member_usage = &usage;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    say(play, slot, &command, (struct bytes){0}, spoil);
}

/* And how the store will say that it goes. */
static void keep_up(struct play *play, size_t slot, bool spoil)
{
    static char *const names[] = {"", "first", "../up", ".hidden", "second.mdb"};
    struct shelf *shelf = &play->world.shelf;
    Relais__V1__Backup backup = RELAIS__V1__BACKUP__INIT;
    Relais__V1__Check check = RELAIS__V1__CHECK__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint8_t what = byte(play);
    shelf->backup.phase = (enum stored_backup_phase)(what % (BACKUP_FAILED + 1));
    shelf->checked = (struct store_checked){.ended = (what & 16) != 0, .count = what & 32 ? 2 : 0};
    for (uint32_t i = 0; i < shelf->checked.count; i++) {
        shelf->checked.findings[i] = (struct store_finding){.fault = STORED_FAULT_CHECKSUM,
                                                            .table = "ready",
                                                            .mailbox = byte(play) % 9,
                                                            .sequence = what};
    }
    backup.name = names[byte(play) % 5];
    backup.job = check.job = byte(play) % 4;
    manage.what_case = what & 64 ? RELAIS__V1__MANAGE__WHAT_BACKUP : RELAIS__V1__MANAGE__WHAT_CHECK;
    if (what & 64) {
        manage.backup = &backup;
    } else {
        manage.check = &check;
    }
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    say(play, slot, &command, (struct bytes){0}, spoil);
}

/* Sizes of payloads, chunks and fetches: whole in one chunk, or not. */
static const uint64_t SIZES[] = {1, 20, 200, LIMIT_CHUNK_BYTES, LIMIT_CHUNK_BYTES + 20, 0, 21, 5};

static void say_chunk(struct play *play, size_t slot, bool spoil)
{
    static uint8_t body[LIMIT_CHUNK_BYTES + 64];
    Relais__V1__Chunk chunk = RELAIS__V1__CHUNK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    chunk.upload = byte(play) % 4;
    chunk.offset = byte(play) & 1 ? LIMIT_CHUNK_BYTES : number(play);
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CHUNK;
    command.chunk = &chunk;
    say(play, slot, &command, (struct bytes){body, (size_t)SIZES[byte(play) % 8]}, spoil);
}

/* The message of an upload, complete or not. */
static void submit_upload(struct play *play, size_t slot, bool spoil)
{
    static uint8_t body[FRAME_BYTES];
    struct message message;
    char id[16];
    Relais__V1__Part part = RELAIS__V1__PART__INIT;
    Relais__V1__Part *parts[] = {&part};
    Relais__V1__Submit submit = RELAIS__V1__SUBMIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    snprintf(id, sizeof id, "up-%d", byte(play) % 4);
    message_init(&message, id);
    message.envelope.payload_size = SIZES[byte(play) % 8];
    part.upload = byte(play) % 4;
    part.envelope_bytes = (uint32_t)relais__v1__envelope__pack(&message.envelope, body);
    submit.first_number = play->next_number[slot];
    submit.n_parts = 1;
    submit.parts = parts;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    command.submit = &submit;
    say(play, slot, &command, (struct bytes){body, part.envelope_bytes}, spoil);
    if (oracle_is_greeted(&play->world.oracle, play->connection[slot])) {
        play->next_number[slot]++;
    }
}

static void stored_payload(struct play *play, size_t slot, bool spoil)
{
    Relais__V1__Upload upload = RELAIS__V1__UPLOAD__INIT;
    Relais__V1__Fetch fetch = RELAIS__V1__FETCH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    char id[16];
    uint8_t what = byte(play) % 4;
    if (what == 1) {
        say_chunk(play, slot, spoil);
        return;
    }
    if (what == 3) {
        submit_upload(play, slot, spoil);
        return;
    }
    if (what == 0) {
        snprintf(id, sizeof id, "up-%d", byte(play) % 4);
        upload.upload = byte(play) % 4;
        upload.id = id;
        upload.flow = FLOWS[byte(play) % 4];
        upload.payload_bytes = SIZES[byte(play) % 8];
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_UPLOAD;
        command.upload = &upload;
    } else {
        fetch.consumer = byte(play) % 4;
        fetch.tag = number(play);
        fetch.offset = number(play);
        fetch.bytes = (uint32_t)SIZES[byte(play) % 8];
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_FETCH;
        command.fetch = &fetch;
        play->world.shelf.damaged = byte(play) == 0xff;
    }
    say(play, slot, &command, (struct bytes){0}, spoil);
}

static void withdraw(struct play *play, size_t slot, bool spoil)
{
    static char *const ids[] = {"id-1", "", "no id", "id-2"};
    Relais__V1__CancelOrder cancel = RELAIS__V1__CANCEL_ORDER__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    cancel.id = ids[byte(play) % 4];
    play->world.shelf.cancel_status = byte(play) & 1 ? STORE_NOT_FOUND : STORE_DONE;
    manage.what_case = RELAIS__V1__MANAGE__WHAT_CANCEL;
    manage.cancel = &cancel;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &manage;
    say(play, slot, &command, (struct bytes){0}, spoil);
}

static void ask(struct play *play, size_t slot, bool spoil)
{
    Relais__V1__StatusQuery status = RELAIS__V1__STATUS_QUERY__INIT;
    Relais__V1__QueuesQuery queues = RELAIS__V1__QUEUES_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    uint8_t what = byte(play);
    if (what & 8) {
        ask_dead(play, slot, what & 3, spoil);
        return;
    }
    if (what & 64) {
        stored_payload(play, slot, spoil);
        return;
    }
    if (what & 16) {
        ask_usage(play, slot, spoil);
        return;
    }
    if (what & 32) {
        keep_up(play, slot, spoil);
        return;
    }
    if (what & 128) {
        withdraw(play, slot, spoil);
        return;
    }
    if (what & 1) {
        query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
        query.status = &status;
    } else {
        queues.after = byte(play) & 1 ? ADDRESSES[byte(play) % 8] : "";
        queues.limit = (uint32_t)number(play);
        query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
        query.queues = &queues;
    }
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    say(play, slot, &command, (struct bytes){0}, spoil);
}

static void hello(struct play *play, size_t slot, bool spoil)
{
    Relais__V1__Hello message = RELAIS__V1__HELLO__INIT;
    Relais__V1__Goodbye goodbye = RELAIS__V1__GOODBYE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    if (byte(play) % 8 == 7) {
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_GOODBYE;
        command.goodbye = &goodbye;
    } else {
        message.major = 1;
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
        command.hello = &message;
    }
    say(play, slot, &command, (struct bytes){0}, spoil);
}

static void noise(struct play *play, size_t slot)
{
    struct bytes frames[2];
    size_t first = byte(play);
    first = first < play->left ? first : play->left;
    frames[0] = (struct bytes){play->at, first};
    play->at += first;
    play->left -= first;
    size_t second = byte(play) % 64;
    second = second < play->left ? second : play->left;
    frames[1] = (struct bytes){play->at, second};
    play->at += second;
    play->left -= second;
    say_frames(play, slot, frames, second > 0 ? 2 : 1);
}

/* The connection goes, and the slot has a new one. */
static void reconnect(struct play *play, size_t slot)
{
    world_closed(&play->world, play->connection[slot]);
    play->connection[slot] += SLOTS;
    play->next_number[slot] = 1;
    play->world.cut[play->connection[slot] % 64] = false;
}

static void fate(struct play *play, uint8_t what)
{
    struct world *world = &play->world;
    switch (what % 8) {
    case 0:
        fuzz_town_due(&world->shelf, byte(play));
        world_pass(world, (int64_t)byte(play) * 500);
        break;
    case 1:
        world->now.wall_ms += (int64_t)number(play) % 100000000;
        break;
    case 2:
        world->shelf.no_room = !world->shelf.no_room;
        break;
    case 3:
        world->shelf.answer_no_room = !world->shelf.answer_no_room;
        break;
    case 4:
        world_replace(world, fuzz_town(byte(play)));
        break;
    case 5:
        world_replace(world, world_directory());
        break;
    case 6:
        if (byte(play) % 8 == 7) {
            world_drain(world);
        }
        break;
    default:
        world_pass(world, 40000);
        break;
    }
}

static void act(struct play *play)
{
    uint8_t what = byte(play);
    size_t slot = byte(play) % SLOTS;
    bool spoil = what >= 0xe0;
    switch (what % 16) {
    case 0:
        hello(play, slot, spoil);
        break;
    case 1:
    case 2:
        submit(play, slot, spoil);
        break;
    case 3:
    case 4:
    case 5:
        consume(play, slot, (uint8_t)(what % 16 - 3), spoil);
        break;
    case 6:
    case 7:
        answer(play, slot, what % 16 == 7, spoil);
        break;
    case 8:
        ask(play, slot, spoil);
        break;
    case 9:
        noise(play, slot);
        break;
    case 10:
        reconnect(play, slot);
        break;
    case 11:
        fate(play, (uint8_t)slot);
        break;
    case 12:
        world_flush(&play->world);
        break;
    case 13:
    case 14:
        world_store_one(&play->world);
        break;
    default:
        world_turn(&play->world);
        break;
    }
}

static void end(struct play *play)
{
    struct world *world = &play->world;
    world->shelf.answer_no_room = false;
    world->shelf.backup.phase = BACKUP_DONE;
    world->shelf.checked = (struct store_checked){.ended = true};
    world_turn(world);
    world_pass(world, PACE_MS); /* answers may be kept for a moment, for others to go with them */
    world_turn(world);
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (!world->cut[play->connection[slot] % 64]) {
            oracle_all_answered(&world->oracle, play->connection[slot]);
        }
        world_closed(world, play->connection[slot]);
    }
    world_turn(world);
    /* A backup and a check are looked after to their end. */
    for (int i = 0; i < 4 && world->effects.wake_mono_ms != 0; i++) {
        world_pass(world, 1000);
        world_turn(world);
    }
    world_drain(world); /* deadlines that lie far ahead wake nobody any more */
    world_turn(world);
    assert(shelf_taken(&world->shelf) == 0);
    assert(!core_is_storing(world->core));
    /* Nobody is there to be woken for, but for what still expires or is looked at again. */
    assert(world->effects.wake_mono_ms == 0 ||
           world->shelf.last_expiry_ms + 2 * STORED_EXPIRY_AGAIN_MS > world->now.wall_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play play = {.at = data, .left = size};
    struct core_settings settings;
    core_settings_init(&settings);
    settings.lease_ms = 30000;
    settings.attempts = 3;
    settings.connections = 6;
    settings.connections_per_key = 2;
    settings.storing_bytes = 4000;
    settings.quota = (struct quota){.messages = 100, .rate = 20, .burst = 40, .connections = 3};
    world_init(&play.world, &settings);
    for (size_t slot = 0; slot < SLOTS; slot++) {
        play.connection[slot] = slot + 1;
        play.next_number[slot] = 1;
    }
    for (int i = 0; i < ACTIONS && play.left > 0; i++) {
        act(&play);
    }
    end(&play);
    world_fini(&play.world);
    return 0;
}
