/* SPDX-License-Identifier: EUPL-1.2
 *
 * The simulated relaisd: broker/loop.c without a process around it. A turn takes what has come,
 * tells it to the core, flushes, and carries out; it may crash at any point of the last.
 */
#include "world.h"

#include "heap.h"

#include <assert.h>
#include <stdlib.h>

enum {
    TIGHT_LOOK_MS = 5,
    DRAIN_MS = 10 * 1000, /* as loop.c */
    RESTART_MS = 3000,
    EVENTS_A_TURN = 256,
    TURN_MS = 2,    /* until a turn begins, at most */
    CRASH_MS = 40,  /* and until a crash that is to come in a turn */
    ASK_EVERY = 16, /* turns */
    STUCK_SLOW_MS = 3000,
};

/* 2026-01-01, a machine that has been running for a while. */
static const int64_t REAL_START_MS = INT64_C(1767225600000);
static const uint32_t MONO_START_MS = 5000000;

struct moment broker_now(const struct world *world)
{
    struct clock clock = world->broker.clock;
    int64_t real_ms = REAL_START_MS + world->trace.now_ms + world->clock_offset_ms;
    return clock_at(&clock, real_ms, world->trace.now_ms + world->broker.mono_base_ms, NULL);
}

static struct moment read_clock(struct world *world)
{
    int64_t real_ms = REAL_START_MS + world->trace.now_ms + world->clock_offset_ms;
    return clock_at(&world->broker.clock, real_ms, world->trace.now_ms + world->broker.mono_base_ms,
                    NULL);
}

void broker_wake(struct world *world, int64_t delay_ms)
{
    struct broker *broker = &world->broker;
    int64_t at_ms = world->trace.now_ms + delay_ms;
    if (broker->core && (broker->turn_ms == 0 || at_ms < broker->turn_ms)) {
        broker->turn_ms = at_ms;
        agenda_add(&world->agenda, at_ms, AGENDA_TURN, broker->incarnation);
    }
}

static void step(struct world *world, struct event *event)
{
    struct broker *broker = &world->broker;
    size_t from = broker->effects.count;
    heap_inside(true);
    core_step(broker->core, world->oracle.now, event, &broker->effects);
    heap_inside(false);
    oracle_judge(&world->oracle, &broker->effects, from);
}

static void ask(struct world *world, const Relais__V1__ToBroker *command)
{
    struct broker *broker = &world->broker;
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(relais__v1__to_broker__get_packed_size(command), &data);
    assert(buffer);
    relais__v1__to_broker__pack(command, data);
    struct event event = {.kind = EVENT_FRAMES};
    event.frames.connection = broker->operator_line;
    event.frames.key = TOWN_PEOPLE[TOWN_OPERATOR].key;
    event.frames.frames = &buffer->bytes;
    event.frames.buffers = &buffer;
    event.frames.frame_count = 1;
    heap_inside(true);
    core_step(broker->core, world->oracle.now, &event, &broker->effects);
    heap_inside(false);
    buffer_unref(buffer);
}

static const Relais__V1__Answer *answer(struct world *world, const Relais__V1__ToBroker *command)
{
    struct broker *broker = &world->broker;
    struct wire_fault fault = {0};
    size_t from = broker->effects.count;
    ask(world, command);
    wire_arena_reset(&world->oracle.told);
    PROMISE(&world->trace,
            broker->effects.count == from + 1 && broker->effects.items[from].kind == EFFECT_SEND,
            "a question has one answer", {"effects", broker->effects.count - from});
    const Relais__V1__ToClient *told = wire_unpack_to_client(
        broker->effects.items[from].send.command, &world->oracle.told, &fault);
    PROMISE(&world->trace, told && told->command_case == RELAIS__V1__TO_CLIENT__COMMAND_ANSWER,
            "a question is answered", {"turn", broker->turns});
    return told->answer;
}

static void ask_counters(struct world *world)
{
    Relais__V1__StatusQuery status = RELAIS__V1__STATUS_QUERY__INIT;
    Relais__V1__QueuesQuery queues = RELAIS__V1__QUEUES_QUERY__INIT;
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
    command.query = &query;
    query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
    query.status = &status;
    oracle_status(&world->oracle, answer(world, &command)->status);
    query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
    query.queues = &queues;
    queues.after = "";
    oracle_queues(&world->oracle, answer(world, &command)->queues);
}

static void greet_operator(struct world *world)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    hello.major = 1;
    hello.software = "sim/1";
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    ask(world, &command);
    effects_clear(&world->broker.effects);
}

void broker_start(struct world *world)
{
    struct broker *broker = &world->broker;
    struct stored_mailbox mailboxes[TOWN_PLACES];
    struct core_settings settings;
    size_t count = disk_mailboxes(&world->disk, mailboxes);
    core_settings_init(&settings);
    settings.lease_ms = world->plan.lease_ms;
    settings.attempts = world->plan.attempts;
    settings.retry_ms = world->plan.retry_ms;
    settings.connections = world->plan.connections + 1; /* the operator's */
    settings.connections_per_key = world->plan.connections_per_key;
    settings.storing_bytes = world->plan.storing_bytes;
    settings.sending_bytes = world->plan.sending_bytes;
    settings.seed = chance_next(&world->chance);
    settings.trace = world->trace.seed % 2 == 0;
    broker->incarnation++;
    broker->operator_line = ORACLE_OPERATOR + broker->incarnation;
    broker->mono_base_ms = chance_between(&world->chance, 1, MONO_START_MS);
    broker->drain_end_ms = 0;
    broker->wants_drain = broker->wants_directory = broker->crashes = false;
    clock_start_at(&broker->clock, world->disk.synced_time_ms,
                   REAL_START_MS + world->trace.now_ms + world->clock_offset_ms,
                   world->trace.now_ms + broker->mono_base_ms);
    heap_inside(true);
    broker->core = core_new(&settings, town_directory(&world->town), mailboxes, count);
    heap_inside(false);
    assert(broker->core);
    effects_init(&broker->effects);
    oracle_restart(&world->oracle, &world->disk);
    NOTE(&world->trace, "broker starts", {"incarnation", broker->incarnation},
         {"mailboxes", count});
    world->oracle.now = read_clock(world);
    greet_operator(world);
    broker_wake(world, 0);
}

static void stop(struct world *world)
{
    struct broker *broker = &world->broker;
    core_free(broker->core);
    broker->core = NULL;
    effects_fini(&broker->effects);
    for (size_t i = broker->inbox_first; i < broker->inbox_count; i++) {
        if (broker->inbox[i].packet) {
            packet_free(broker->inbox[i].packet);
        }
    }
    broker->inbox_first = broker->inbox_count = 0;
    broker->turn_ms = 0;
    broker->writing = false;
    PROMISE(&world->trace, heap_core_bytes() == 0, "a core that is freed has nothing left",
            {"bytes", heap_core_bytes()});
    network_all_gone(&world->network);
    agenda_add(&world->agenda, world->trace.now_ms + chance_between(&world->chance, 1, RESTART_MS),
               AGENDA_START, 0);
}

void broker_crash(struct world *world)
{
    NOTE(&world->trace, "broker crashes", {"incarnation", world->broker.incarnation});
    world->broker.effects.failed = true; /* nothing of it was handed over */
    stop(world);
    disk_crash(&world->disk);
}

static void end_well(struct world *world)
{
    NOTE(&world->trace, "broker ends", {"incarnation", world->broker.incarnation});
    stop(world);
    disk_close(&world->disk);
}

void broker_hears(struct world *world, uint64_t connection, struct packet *packet)
{
    struct broker *broker = &world->broker;
    broker->inbox = agenda_grown(broker->inbox, broker->inbox_count, &broker->inbox_capacity,
                                 sizeof *broker->inbox);
    broker->inbox[broker->inbox_count++] =
        (struct heard){.connection = connection, .packet = packet};
    broker_wake(world, chance_between(&world->chance, 0, TURN_MS));
}

static void take_signals(struct world *world)
{
    struct broker *broker = &world->broker;
    if (broker->wants_directory) {
        struct event event = {.kind = EVENT_DIRECTORY, .directory = town_directory(&world->town)};
        broker->wants_directory = false;
        NOTE(&world->trace, "directory changes", {"turn", broker->turns});
        oracle_directory(&world->oracle);
        step(world, &event);
    }
    if (broker->wants_drain && broker->drain_end_ms == 0) {
        struct event event = {.kind = EVENT_DRAIN};
        broker->drain_end_ms = world->trace.now_ms + DRAIN_MS;
        NOTE(&world->trace, "broker drains", {"turn", broker->turns});
        oracle_drain(&world->oracle);
        step(world, &event);
    }
}

/* True: there is more. */
static bool take_results(struct world *world, uint32_t most)
{
    struct disk_result result;
    while (most > 0 && disk_collect(&world->disk, &result)) {
        struct event event = {.kind = EVENT_STORED, .stored = result.result};
        oracle_stored(&world->oracle, &result);
        step(world, &event);
        most--;
    }
    return most == 0;
}

static void take_packet(struct world *world, const struct heard *heard)
{
    unsigned client = network_line(&world->network, heard->connection)->client;
    struct event event = {.kind = EVENT_FRAMES};
    if (!heard->packet) {
        event.kind = EVENT_CLOSED;
        event.closed = heard->connection;
        oracle_closed(&world->oracle, heard->connection);
        step(world, &event);
        return;
    }
    event.frames.connection = heard->connection;
    event.frames.key = TOWN_PEOPLE[client].key;
    event.frames.frames = heard->packet->frames;
    event.frames.buffers = heard->packet->buffers;
    event.frames.frame_count = heard->packet->frame_count;
    oracle_frames(&world->oracle, &event, client);
    step(world, &event);
    packet_free(heard->packet);
}

static bool take_network(struct world *world, uint32_t most)
{
    struct broker *broker = &world->broker;
    while (most > 0 && broker->inbox_first < broker->inbox_count) {
        struct heard heard = broker->inbox[broker->inbox_first++];
        take_packet(world, &heard);
        most--;
    }
    if (broker->inbox_first < broker->inbox_count) {
        return true;
    }
    broker->inbox_first = broker->inbox_count = 0;
    return false;
}

static void take_time(struct world *world)
{
    struct broker *broker = &world->broker;
    int64_t wake_ms = broker->effects.wake_mono_ms;
    if (wake_ms > 0 && wake_ms <= world->oracle.now.mono_ms) {
        struct event event = {.kind = EVENT_TIME};
        oracle_time(&world->oracle);
        step(world, &event);
    }
}

static void send(struct world *world, const struct effect *effect)
{
    if (effect->send.connection >= ORACLE_OPERATOR) {
        return;
    }
    uint8_t *data = NULL;
    struct packet *packet = packet_new(1);
    struct buffer *buffer = buffer_new(effect->send.command.size, &data);
    assert(buffer);
    for (size_t i = 0; i < effect->send.command.size; i++) {
        data[i] = effect->send.command.data[i];
    }
    packet_set(packet, 0, buffer, buffer->bytes);
    network_tell(&world->network, effect->send.connection, packet);
}

static void schedule_disk(struct world *world)
{
    struct broker *broker = &world->broker;
    if (!broker->writing && disk_waiting(&world->disk) > 0) {
        broker->writing = true;
        agenda_add(&world->agenda, world->trace.now_ms + chance_between(&world->chance, 0, 3),
                   AGENDA_WRITE, broker->incarnation);
    }
}

/* It is the sync that takes long: what a crash finds in between is lost. */
static void schedule_sync(struct world *world)
{
    bool slow = world->trace.now_ms < world->slow_until_ms;
    uint32_t most = world->calm ? 5 : world->plan.sync_ms;
    agenda_add(&world->agenda,
               world->trace.now_ms + chance_delay(&world->chance, 0, slow ? STUCK_SLOW_MS : most),
               AGENDA_SYNC, world->broker.incarnation);
}

/* `count` effects: a crash comes behind them. */
static void carry_out(struct world *world, size_t count)
{
    struct broker *broker = &world->broker;
    for (size_t i = 0; i < count; i++) {
        const struct effect *effect = &broker->effects.items[i];
        if (effect->kind == EFFECT_SEND) {
            send(world, effect);
        } else if (effect->kind == EFFECT_CLOSE && effect->close.connection < ORACLE_OPERATOR) {
            network_hang_up(&world->network, effect->close.connection);
        }
    }
    if (count < broker->effects.count || broker->crashes) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (broker->effects.items[i].kind == EFFECT_STORE) {
            disk_submit(&world->disk, &broker->effects.items[i].store, &world->oracle.notes[i]);
        }
    }
    effects_clear(&broker->effects);
    schedule_disk(world);
}

/* Messages of which the core made a copy: their bytes are counted with what is being stored. */
static void hand_messages_over(const struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_STORE && effect->store.kind == STORE_APPEND) {
            heap_hand_over(effect->store.append.message.envelope_buffer);
            heap_hand_over(effect->store.append.message.payload_buffer);
        }
    }
}

/* What clients have not read yet: now and then another figure. */
static void note_unsent(struct world *world)
{
    struct broker *broker = &world->broker;
    uint32_t most = world->plan.sending_bytes;
    if (world->calm || most == 0) {
        broker->unsent_bytes = 0;
    } else if (chance_is(&world->chance, 100)) {
        broker->unsent_bytes = chance_below(&world->chance, 2 * most);
    }
    oracle_unsent(&world->oracle, broker->unsent_bytes);
    core_note_unsent(broker->core, broker->unsent_bytes);
    PROMISE(&world->trace, core_is_tight(broker->core) == world->oracle.tight,
            "the core knows when much is unsent", {"bytes", broker->unsent_bytes});
    if (core_is_tight(broker->core)) {
        broker_wake(world, TIGHT_LOOK_MS);
    }
}

static void finish_turn(struct world *world, bool more)
{
    struct broker *broker = &world->broker;
    size_t from = broker->effects.count;
    note_unsent(world);
    oracle_flush(&world->oracle);
    heap_inside(true);
    core_flush(broker->core, world->oracle.now, &broker->effects);
    heap_inside(false);
    oracle_judge(&world->oracle, &broker->effects, from);
    PROMISE(&world->trace, !broker->effects.failed, "there is memory", {"turn", broker->turns});
    hand_messages_over(&broker->effects);
    oracle_turn(&world->oracle, broker->core, &broker->effects, &world->disk);
    if (broker->turns % ASK_EVERY == 0 && !world->oracle.draining) {
        ask_counters(world);
    }
    int64_t wake_ms = broker->effects.wake_mono_ms;
    carry_out(world, broker->crashes
                         ? chance_below(&world->chance, (uint32_t)broker->effects.count + 1)
                         : broker->effects.count);
    if (broker->crashes) {
        broker_crash(world);
        return;
    }
    if (wake_ms > 0) {
        int64_t delay_ms = wake_ms - world->oracle.now.mono_ms;
        broker_wake(world, delay_ms > 0 ? delay_ms : 0);
    }
    if (more) {
        broker_wake(world, 0);
    }
}

void broker_turn(struct world *world)
{
    struct broker *broker = &world->broker;
    if (!broker->core || broker->turn_ms != world->trace.now_ms) {
        return; /* an item of the agenda that is out of date */
    }
    broker->turn_ms = 0;
    broker->turns++;
    world->oracle.now = read_clock(world);
    uint32_t most = chance_is(&world->chance, 200) ? chance_between(&world->chance, 1, 4)
                                                   : (uint32_t)EVENTS_A_TURN;
    take_signals(world);
    bool more = take_results(world, most);
    more = take_network(world, most) || more;
    take_time(world);
    finish_turn(world, more);
    if (!broker->core || broker->drain_end_ms == 0) {
        return;
    }
    if (!core_is_storing(broker->core) || world->trace.now_ms >= broker->drain_end_ms) {
        end_well(world);
    } else {
        broker_wake(world, CRASH_MS);
    }
}

void broker_disk(struct world *world, enum agenda_kind kind)
{
    struct broker *broker = &world->broker;
    if (kind == AGENDA_WRITE) {
        size_t waiting = disk_waiting(&world->disk);
        bool all = chance_is(&world->chance, 700);
        disk_write(&world->disk,
                   all ? waiting : chance_between(&world->chance, 1, (uint32_t)waiting));
        NOTE(&world->trace, "disk writes", {"waiting", waiting},
             {"left", disk_waiting(&world->disk)});
        schedule_sync(world);
        return;
    }
    disk_sync(&world->disk);
    NOTE(&world->trace, "disk syncs", {"left", disk_waiting(&world->disk)});
    broker->writing = false;
    schedule_disk(world);
    broker_wake(world, chance_between(&world->chance, 0, TURN_MS));
}
