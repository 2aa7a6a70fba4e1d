/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What the core has of the store and nobody holds: taken ahead of credit for a
 * moment, or claimed by the append that stores it.
 */
#include "ahead.h"

#include "core/limits.h"

enum { AHEAD_MS = 250 }; /* as ahead.c of the core */

/* The most that the consumers of a mailbox may be given now. */
static uint64_t credit_of(const struct oracle *oracle, unsigned place)
{
    uint64_t room = 0;
    for (size_t i = 0; i < oracle->consumer_count; i++) {
        const struct oracle_consumer *consumer = oracle->consumers[i];
        if (consumer->place == place && !consumer->ending && !consumer->gone &&
            consumer->held < LIMIT_CREDIT && oracle_may_hold_more(oracle, consumer)) {
            uint64_t more = LIMIT_CREDIT - consumer->held;
            room += consumer->credit < more ? consumer->credit : more;
        }
    }
    return room;
}

/* Twice what there is credit for, but for what is held already. */
uint64_t oracle_room(const struct oracle *oracle, unsigned place)
{
    const struct oracle_place *at = &oracle->places[place];
    uint64_t credit = credit_of(oracle, place);
    /* A consumer that may hold no more since this flush has been given some in this turn: what is
     * taken may be leased already. */
    bool unsure = oracle->tight && oracle->step.kind == STEP_FLUSH;
    uint64_t window = credit + at->leased + (unsure ? at->taken : 0);
    uint64_t most = credit + (window < LIMIT_AHEAD_ENTRIES ? window : LIMIT_AHEAD_ENTRIES);
    most += unsure ? at->consumers : 0; /* or may hold one while it holds none */
    uint64_t used = at->claims + (unsure ? 0 : at->taken);
    uint64_t held = at->leased + used;
    uint64_t room = held < LIMIT_HELD_ENTRIES ? LIMIT_HELD_ENTRIES - held : 0;
    most = used < most ? most - used : 0;
    return most < room ? most : room;
}

void oracle_takes(struct oracle *oracle, struct life *life, unsigned place)
{
    life->state = LIFE_TAKEN;
    life->taken_ms = oracle->now.mono_ms;
    oracle->taken++;
    oracle->places[place].taken++;
}

void oracle_taken_ends(struct oracle *oracle, const struct life *life, unsigned place)
{
    PROMISE(oracle->trace,
            life->taken_ms == oracle->now.mono_ms ||
                life->taken_ms + AHEAD_MS > oracle->now.mono_ms || oracle->step.kind == STEP_TIME,
            "what is taken is leased soon or given back", {"since", (uint64_t)life->taken_ms},
            {"place", place});
    oracle->taken--;
    oracle->places[place].taken--;
}

void oracle_claims(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    if (!op->append.claim) {
        return;
    }
    note->claims = true;
    note->place = 0;
    while (oracle->places[note->place].id != op->append.recipients[0].mailbox) {
        note->place++;
    }
    PROMISE(oracle->trace,
            op->append.recipient_count == 1 && op->append.recipients[0].due_ms == 0 &&
                !op->append.supersedes && op->append.order == 0 &&
                oracle->places[note->place].takes == 0,
            "one entry is claimed, that is due and has no other before it",
            {"message", note->message->index}, {"place", note->place});
    PROMISE(oracle->trace, oracle_room(oracle, note->place) > 0,
            "no more is claimed than there is room for", {"message", note->message->index},
            {"place", note->place});
    oracle->places[note->place].claims++;
}

void oracle_claimed(struct oracle *oracle, const struct disk_result *result)
{
    struct message *message = result->note.message;
    if (result->note.claims) {
        oracle->places[result->note.place].claims--;
    }
    if (result->result.append.claimed) {
        struct life *life = ledger_life(message, result->note.place);
        PROMISE(oracle->trace, life->state == LIFE_FREE, "what is claimed was free",
                {"message", message->index}, {"place", result->note.place});
        life->attempts = 0;
        life->due_ms = 0;
        oracle_takes(oracle, life, result->note.place);
    }
}

void oracle_turn_ahead(const struct oracle *oracle, unsigned place, bool can_take)
{
    const struct oracle_place *at = &oracle->places[place];
    uint64_t window = credit_of(oracle, place) + at->leased;
    PROMISE(oracle->trace,
            at->taken <= LIMIT_AHEAD_ENTRIES && (at->taken == 0 || window > 0 || oracle->draining),
            "nothing is ahead for nobody", {"place", place}, {"taken", at->taken});
    PROMISE(oracle->trace, at->taken == 0 || !can_take || oracle->draining,
            "what is taken is leased while there is credit", {"place", place},
            {"taken", at->taken});
}
