/* SPDX-License-Identifier: EUPL-1.2
 *
 * See world.h.
 */
#include "world.h"

#include "expiry.h"
#include "heap.h"

#include <assert.h>
#include <stdlib.h>

enum {
    /* By then everything must be done. A clock that is set back before a crash makes what was to
     * come later come much later. */
    CALM_LIMIT_MS = 24 * 3600 * 1000,
    CALM_STEPS = 2000000,
    SET_MS = 30 * 60 * 1000,        /* the clock is set so far at once */
    SET_MOST_MS = 10 * 3600 * 1000, /* and so far in all: less than the duplicate window */
    SLOW_MS = 5000,
    NIGHT_MS = 300 * 1000,
    CRASH_MS = 30,
    LOOK_EVERY = 512, /* items of the agenda between two looks whether all is done */
};

static const struct trace *running; /* for world_trace() */

const struct trace *world_trace(void)
{
    return running;
}

static void set_clock(struct world *world, bool forward)
{
    int64_t by_ms = chance_between(&world->chance, 1, SET_MS);
    int64_t offset_ms = world->clock_offset_ms + (forward ? by_ms : -by_ms);
    if (offset_ms > -SET_MOST_MS && offset_ms < SET_MOST_MS) {
        world->clock_offset_ms = offset_ms;
    }
    broker_wake(world, CRASH_MS);
}

static void change_directory(struct world *world, bool spoil)
{
    world->town = (struct town){0};
    if (spoil) {
        town_spoil(&world->town, &world->chance);
    }
    world->broker.wants_directory = true;
    broker_wake(world, 0);
}

static void fault_in_broker(struct world *world, enum fault fault)
{
    switch (fault) {
    case FAULT_CRASH:
        if (!world->broker.core) {
            break;
        }
        if (chance_is(&world->chance, 300)) {
            broker_crash(world);
        } else {
            world->broker.crashes = true;
            broker_wake(world, chance_between(&world->chance, 0, CRASH_MS));
        }
        break;
    case FAULT_DRAIN:
        world->broker.wants_drain = true;
        broker_wake(world, 0);
        break;
    case FAULT_DIRECTORY:
        change_directory(world, true);
        break;
    case FAULT_RETURN:
        change_directory(world, false);
        break;
    default:
        set_clock(world, fault == FAULT_FORWARD);
        break;
    }
}

static void fault(struct world *world)
{
    enum fault fault = plan_fault(&world->plan, &world->chance);
    NOTE(&world->trace, "fault", {"kind", fault});
    uint64_t line = 0;
    switch (fault) {
    case FAULT_CUT:
        line = network_any(&world->network);
        if (line > 0) {
            network_cut(&world->network, line);
        }
        break;
    case FAULT_FULL:
        world->disk.full = true;
        break;
    case FAULT_STUCK:
        world->disk.stuck = true;
        break;
    case FAULT_ROOM:
        world->disk.full = world->disk.stuck = false;
        break;
    case FAULT_SLOW:
        world->slow_until_ms = world->trace.now_ms + chance_between(&world->chance, 1, SLOW_MS);
        break;
    case FAULT_CLIENT:
        client_crash(world, &world->clients[chance_below(&world->chance, TOWN_CLIENTS)]);
        break;
    case FAULT_COUNT:
        break;
    default:
        fault_in_broker(world, fault);
        break;
    }
    if (!world->calm) {
        agenda_add(&world->agenda,
                   world->trace.now_ms +
                       chance_between(&world->chance, 1, world->plan.fault_ms * 2),
                   AGENDA_FAULT, 0);
    }
}

static void closed_at_broker(struct world *world, uint64_t line)
{
    if (world->broker.core && line > world->network.first_open) {
        network_line(&world->network, line)->dumb = true;
        broker_hears(world, line, NULL);
    }
}

static void arrive(struct world *world, const struct agenda_item *item)
{
    struct line *line = network_line(&world->network, item->who);
    struct packet *packet = item->kind == AGENDA_TO_BROKER
                                ? network_heard(&world->network, item->who)
                                : network_told(&world->network, item->who);
    if (!packet) {
        return;
    }
    if (item->kind == AGENDA_TO_BROKER) {
        broker_hears(world, item->who, packet);
        return;
    }
    client_told(world, &world->clients[line->client], item->who, packet->frames[0]);
    packet_free(packet);
}

static void happen(struct world *world, const struct agenda_item *item)
{
    switch (item->kind) {
    case AGENDA_TO_BROKER:
    case AGENDA_TO_CLIENT:
        arrive(world, item);
        break;
    case AGENDA_CLOSED_AT_BROKER:
        closed_at_broker(world, item->who);
        break;
    case AGENDA_CLOSED_AT_CLIENT:
        client_line_gone(world, &world->clients[network_line(&world->network, item->who)->client],
                         item->who);
        break;
    case AGENDA_CLIENT:
        client_look(world, &world->clients[item->who]);
        break;
    case AGENDA_WRITE:
    case AGENDA_SYNC:
        if (world->broker.core && item->who == world->broker.incarnation) {
            broker_disk(world, item->kind);
        }
        break;
    case AGENDA_TURN:
        if (item->who == world->broker.incarnation) {
            broker_turn(world);
        }
        break;
    case AGENDA_START:
        broker_start(world);
        break;
    case AGENDA_FAULT:
        if (!world->calm && !world->night) {
            fault(world);
        }
        break;
    }
}

static bool go_on(struct world *world)
{
    struct agenda_item item;
    if (!agenda_next(&world->agenda, &item)) {
        return false;
    }
    world->trace.now_ms = item.at_ms;
    happen(world, &item);
    return true;
}

static bool is_done(const struct world *world)
{
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        if (!client_is_done(&world->clients[i])) {
            return false;
        }
    }
    return oracle_is_done(&world->oracle);
}

/* Who has what, when it is not over. */
static void tell_waiting(struct world *world)
{
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        const struct client *client = &world->clients[i];
        NOTE(&world->trace, "client", {"client", i}, {"backlog", client->backlog_count},
             {"unanswered", client->unanswered}, {"line", client->line});
    }
    for (size_t i = 0; i < world->disk.mailbox_count; i++) {
        const struct entry_list *later = &world->disk.mailboxes[i].box.lists[MEMORY_LATER];
        if (later->count > 0) {
            int64_t wait_ms = entry_list_at(later, 0)->key.due_ms - broker_now(world).wall_ms;
            NOTE(&world->trace, "deferred", {"mailbox", i}, {"entries", later->count},
                 {"first in ms", (uint64_t)wait_ms});
        }
    }
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        const struct oracle_place *place = &world->oracle.places[i];
        NOTE(&world->trace, "mailbox", {"place", i}, {"waiting", place->waiting},
             {"leased", place->leased}, {"consumers", place->consumers});
    }
}

static void end_faults(struct world *world)
{
    world->disk.full = world->disk.stuck = false;
    world->slow_until_ms = 0;
    world->broker.crashes = false;
    if (world->broker.drain_end_ms == 0) {
        world->broker.wants_drain = false;
    }
}

/* Nobody reads for a while, and the broker is up: what expires meanwhile is not kept. */
static void sleep_well(struct world *world)
{
    int64_t until_ms = world->trace.now_ms + NIGHT_MS;
    NOTE(&world->trace, "night", {"messages", world->ledger.count});
    end_faults(world);
    world->night = true;
    while (world->trace.now_ms < until_ms && go_on(world)) {
    }
    world->trace.now_ms = world->trace.now_ms < until_ms ? until_ms : world->trace.now_ms;
    oracle_check_late(&world->oracle, broker_now(world).wall_ms);
    world->night = false;
}

static void make_calm(struct world *world)
{
    if (world->trace.seed % 4 == 0) {
        sleep_well(world);
    }
    NOTE(&world->trace, "calm", {"messages", world->ledger.count});
    world->calm = true;
    world->network.calm = true;
    end_faults(world);
    change_directory(world, false);
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        client_wake(world, &world->clients[i], 1);
    }
    int64_t limit_ms = world->trace.now_ms + CALM_LIMIT_MS;
    for (uint32_t i = 0; !(i % LOOK_EVERY == 0 && is_done(world)); i++) {
        bool late = world->trace.now_ms > limit_ms || i > CALM_STEPS || !go_on(world);
        if (late) {
            tell_waiting(world);
        }
        PROMISE(&world->trace, !late, "at last everything accepted is acknowledged or dead",
                {"messages", world->ledger.count}, {"steps", i});
    }
}

static void world_init(struct world *world, uint64_t seed, uint32_t steps, bool loud)
{
    *world = (struct world){.chance = {seed}, .steps = steps};
    trace_init(&world->trace, seed, loud);
    plan_draw(&world->plan, &world->chance);
    ledger_init(&world->ledger);
    disk_init(&world->disk, &world->trace, &world->ledger, &world->chance);
    network_init(&world->network, &world->agenda, &world->chance, &world->plan, &world->trace);
    oracle_init(&world->oracle, &world->trace, &world->ledger, &world->town, &world->plan);
    broker_start(world);
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        client_init(world, &world->clients[i], i);
    }
    agenda_add(&world->agenda, world->plan.fault_ms, AGENDA_FAULT, 0);
}

static void world_fini(struct world *world)
{
    if (world->broker.core) {
        broker_crash(world);
    }
    free(world->broker.inbox);
    for (unsigned i = 0; i < TOWN_CLIENTS; i++) {
        client_fini(&world->clients[i]);
    }
    network_fini(&world->network);
    disk_fini(&world->disk);
    oracle_fini(&world->oracle);
    ledger_fini(&world->ledger);
    agenda_fini(&world->agenda);
}

void world_run(uint64_t seed, uint32_t steps, bool loud, struct outcome *out_outcome)
{
    struct world *world = malloc(sizeof *world);
    assert(world);
    running = &world->trace;
    world_init(world, seed, steps, loud);
    for (uint32_t i = 0; i < steps && go_on(world); i++) {
    }
    make_calm(world);
    *out_outcome = (struct outcome){.digest = world->trace.digest,
                                    .lives = world->ledger.lives,
                                    .deliveries = world->oracle.delivered,
                                    .messages = world->ledger.count,
                                    .virtual_ms = world->trace.now_ms};
    world_fini(world);
    running = NULL;
    free(world);
}
