/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What must hold when a turn is over, and what is counted.
 */
#include "oracle.h"

#include "ahead.h"

#include "core/limits.h"
#include "core/pace.h"
#include "heap.h"

#include <string.h>

enum {
    /* Arenas, effects and tables of an idle core, and a command's worth of each. */
    MEMORY_BASE_BYTES = 6 * 1024 * 1024,
    MEMORY_THING_BYTES = 2048, /* a lease, an op with the store, a session */
    PATIENCE_MS = 65 * 1000,   /* core.c looks at the wall clock once a minute */
};

static bool is_live(const struct oracle_lease *lease)
{
    return lease->life->state == LIFE_LEASED && lease->life->holder == lease->holder &&
           lease->life->tag == lease->tag && lease->life->until_ms == lease->until_ms;
}

/* What has run out is renewed for a reason, or over. */
static void check_leases(struct oracle *oracle, int64_t wake_ms)
{
    while (oracle->lease_first < oracle->lease_count) {
        struct oracle_lease lease = oracle->leases[oracle->lease_first];
        int64_t deadline_ms = lease.until_ms;
        if (is_live(&lease) && deadline_ms > oracle->now.mono_ms) {
            PROMISE(oracle->trace, wake_ms > 0 && wake_ms <= deadline_ms,
                    "the core wakes for the first lease", {"wake", (uint64_t)wake_ms},
                    {"deadline", (uint64_t)deadline_ms});
            return;
        }
        oracle->lease_first++;
        if (is_live(&lease)) {
            PROMISE(oracle->trace, oracle_renews(oracle, lease.life),
                    "a lease that has run out is over", {"message", lease.message->index},
                    {"until", (uint64_t)lease.until_ms});
            lease.life->leased_ms = oracle->now.mono_ms;
            lease.until_ms = oracle->now.mono_ms + lease.life->lease_ms;
            lease.life->until_ms = lease.until_ms;
            oracle_lease_add(oracle, &lease);
        }
    }
    oracle->lease_first = oracle->lease_count = 0;
}

static uint64_t check_told(const struct oracle *oracle)
{
    uint64_t consumers = 0;
    for (size_t i = 0; i < oracle->open_count; i++) {
        const struct oracle_session *session = oracle->sessions[oracle->open[i]];
        PROMISE(oracle->trace, session->over || !oracle->town->client_absent[session->client],
                "who is not registered any more is cut", {"connection", session->connection});
        PROMISE(oracle->trace, session->over || session->untold == 0,
                "an answer leaves in the turn in which it is known",
                {"connection", session->connection}, {"untold", session->untold});
        PROMISE(oracle->trace,
                session->over || session->unconfirmed == 0 ||
                    oracle->now.mono_ms - session->unconfirmed_ms <= PACE_MOST_MS + PACE_LOOK_MS,
                "accepted is late by so much at most", {"connection", session->connection},
                {"unconfirmed", session->unconfirmed});
        for (size_t k = 0; k < session->consumer_count; k++) {
            const struct oracle_consumer *consumer = oracle->consumers[session->consumers[k]];
            PROMISE(oracle->trace, consumer->gone || consumer->untold == 0,
                    "settled leaves in the turn in which it is known",
                    {"connection", session->connection}, {"untold", consumer->untold});
            PROMISE(oracle->trace, consumer->gone || (!consumer->ending || consumer->settling > 0),
                    "who must go goes when its answers are on disk",
                    {"connection", session->connection}, {"consumer", consumer->number});
            PROMISE(oracle->trace, consumer->gone || consumer->credit <= LIMIT_CREDIT,
                    "credit has a limit", {"credit", consumer->credit});
            consumers += !consumer->gone;
        }
    }
    return consumers;
}

/* Has a consumer of this mailbox credit, and room? */
static bool can_take(const struct oracle *oracle, unsigned place)
{
    for (size_t i = 0; i < oracle->consumer_count; i++) {
        const struct oracle_consumer *consumer = oracle->consumers[i];
        if (consumer->place == place && !consumer->ending && !consumer->gone &&
            consumer->credit > 0 && consumer->held < LIMIT_CREDIT &&
            consumer->held_bytes < LIMIT_UNACKED_BYTES && oracle_may_hold_more(oracle, consumer)) {
            return true;
        }
    }
    return false;
}

/* The core has been told everything, so what can be delivered is on its way. */
static void check_work(const struct oracle *oracle, unsigned place, struct disk *disk)
{
    bool rests = oracle->no_room_ms > 0 && oracle->now.mono_ms < oracle->no_room_ms + PATIENCE_MS;
    bool waits = oracle->storing > 0 || oracle->settling > 0 || oracle->asking > 0 ||
                 oracle->places[place].takes > 0 || !disk_is_idle(disk);
    if (oracle->draining || rests || waits || !can_take(oracle, place)) {
        return;
    }
    PROMISE(oracle->trace, !disk_offers(disk, place, oracle->now.wall_ms),
            "what waits is taken while there is credit", {"place", place},
            {"waiting", oracle->places[place].waiting}, {"leased", oracle->places[place].leased});
}

void oracle_turn(struct oracle *oracle, const struct core *core, const struct effects *effects,
                 struct disk *disk)
{
    uint64_t things = oracle->storing + oracle->settling + oracle->asking + oracle->open_count;
    PROMISE(oracle->trace,
            core_is_storing(core) == (oracle->storing + oracle->settling + oracle->asking > 0),
            "the core knows whether it waits for the disk", {"storing", oracle->storing},
            {"settling", oracle->settling});
    things += check_told(oracle);
    check_leases(oracle, effects->wake_mono_ms);
    for (unsigned place = 0; place < TOWN_PLACES; place++) {
        things += oracle->places[place].leased + oracle->places[place].taken;
        oracle_turn_ahead(oracle, place, can_take(oracle, place));
    }
    PROMISE(oracle->trace, heap_core_bytes() <= MEMORY_BASE_BYTES + things * MEMORY_THING_BYTES,
            "memory is bounded by what is held", {"bytes", heap_core_bytes()}, {"things", things});
    check_work(oracle, (unsigned)(oracle->trace->count % TOWN_PLACES), disk);
}

#define SAME(oracle, name, said, known)                                                            \
    PROMISE((oracle)->trace, (uint64_t)(said) == (uint64_t)(known),                                \
            "counters are equal to reality", {name ": said", (uint64_t)(said)},                    \
            {"known", (uint64_t)(known)})

void oracle_status(const struct oracle *oracle, const Relais__V1__Status *status)
{
    struct oracle_place sum = {0};
    uint64_t mailboxes = 0;
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        const struct oracle_place *place = &oracle->places[i];
        mailboxes += place->opened;
        sum.waiting += place->waiting;
        sum.waiting_bytes += place->waiting_bytes;
        sum.dead += place->dead;
        sum.leased += place->leased;
        sum.consumers += place->consumers;
    }
    SAME(oracle, "connections", status->connections, oracle->open_count + 1);
    SAME(oracle, "consumers", status->consumers, sum.consumers);
    SAME(oracle, "mailboxes", status->mailboxes, mailboxes);
    SAME(oracle, "waiting", status->waiting, sum.waiting);
    SAME(oracle, "waiting_bytes", status->waiting_bytes, sum.waiting_bytes);
    SAME(oracle, "leased", status->leased, sum.leased);
    SAME(oracle, "dead", status->dead, sum.dead);
    SAME(oracle, "accepted", status->accepted_total, oracle->totals.accepted);
    SAME(oracle, "duplicates", status->duplicates_total, oracle->totals.duplicates);
    SAME(oracle, "refused", status->refused_total, oracle->totals.refused);
    SAME(oracle, "delivered", status->delivered_total, oracle->totals.delivered);
    SAME(oracle, "acknowledged", status->acknowledged_total, oracle->totals.acknowledged);
}

void oracle_queues(const struct oracle *oracle, const Relais__V1__Queues *queues)
{
    const char *before = "";
    uint64_t opened = 0;
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        opened += oracle->places[i].opened;
    }
    SAME(oracle, "mailboxes", queues->n_queues, opened);
    for (size_t i = 0; i < queues->n_queues; i++) {
        const Relais__V1__Queue *queue = queues->queues[i];
        unsigned at = town_place(queue->address);
        PROMISE(oracle->trace, at < TOWN_PLACES && strcmp(before, queue->address) < 0,
                "queues are mailboxes in order of address", {"queue", i});
        const struct oracle_place *place = &oracle->places[at];
        before = queue->address;
        SAME(oracle, "queue opened", true, place->opened);
        SAME(oracle, "queue waiting", queue->waiting, place->waiting);
        SAME(oracle, "queue bytes", queue->waiting_bytes, place->waiting_bytes);
        SAME(oracle, "queue leased", queue->leased, place->leased);
        SAME(oracle, "queue dead", queue->dead, place->dead);
        SAME(oracle, "queue consumers", queue->consumers, place->consumers);
    }
}
