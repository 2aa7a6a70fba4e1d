/* SPDX-License-Identifier: EUPL-1.2
 *
 * See succession.h.
 */
#include "succession.h"

#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 16 };

bool oracle_succession_may(const struct oracle *oracle, const struct message *message)
{
    unsigned member = TOWN_PEOPLE[message->client].member;
    return message->earlier != message->index &&
           (message->named_count > 0 ||
            town_may_use(oracle->town, member, message->flow, message->payload_bytes));
}

void oracle_succession_append(const struct oracle *oracle, const struct message *message,
                              const struct store_op *op)
{
    char id[ID_BYTES];
    int64_t due_ms = message->not_before_ms > oracle->now.wall_ms ? message->not_before_ms : 0;
    (void)snprintf(id, sizeof id, "m%u", message->earlier);
    PROMISE(oracle->trace,
            message->supersedes == (op->append.supersedes != NULL) &&
                (!message->supersedes || strcmp(op->append.supersedes, id) == 0),
            "the store is told what a message supersedes", {"message", message->index});
    PROMISE(oracle->trace, op->append.lane == message->lane && op->append.due_ms == due_ms,
            "past recipients get it in its lane and time", {"message", message->index},
            {"lane", op->append.lane}, {"due", (uint64_t)op->append.due_ms});
}

/* NULL: it supersedes nothing that is known. */
static struct message *earlier_of(const struct oracle *oracle, const struct message *message)
{
    return message->supersedes && message->earlier < message->index
               ? oracle->ledger->messages[message->earlier]
               : NULL;
}

void oracle_succession_note(const struct oracle *oracle, const struct message *message,
                            struct op_note *note)
{
    const struct message *earlier = earlier_of(oracle, message);
    note->at_ms = oracle->now.mono_ms;
    for (uint32_t i = 0; earlier && i < earlier->place_count; i++) {
        if (earlier->lives[i].state == LIFE_FREE) {
            note->free |= 1U << earlier->places[i];
        }
    }
}

static void goes(struct oracle *oracle, struct message *earlier, unsigned place)
{
    struct life *life = ledger_life(earlier, place);
    PROMISE(oracle->trace, life && life->state == LIFE_FREE,
            "nothing is superseded that somebody was given", {"message", earlier->index},
            {"place", place});
    life->state = LIFE_GONE;
    oracle->places[place].waiting--;
    oracle->places[place].waiting_bytes -= ledger_bytes(earlier);
}

void oracle_succession_stored(struct oracle *oracle, const struct disk_result *result)
{
    struct message *earlier = earlier_of(oracle, result->note.message);
    PROMISE(oracle->trace, earlier != NULL, "what is superseded is known",
            {"message", result->note.message->index});
    for (uint32_t i = 0; i < result->result.append.replaced_count; i++) {
        const struct store_replaced *row = &result->result.append.replaced[i];
        for (unsigned place = 0; row->gone && place < TOWN_PLACES; place++) {
            if (oracle->places[place].opened && oracle->places[place].id == row->mailbox) {
                goes(oracle, earlier, place);
            }
        }
    }
    for (uint32_t i = 0; i < earlier->place_count; i++) {
        const struct life *life = &earlier->lives[i];
        bool stayed_free = (result->note.free & (1U << earlier->places[i])) != 0 &&
                           life->state == LIFE_FREE && life->taken_ms < result->note.at_ms;
        PROMISE(oracle->trace, !stayed_free, "a copy that nobody has goes when it is superseded",
                {"message", earlier->index}, {"place", earlier->places[i]});
    }
}

static bool has(struct message *message, unsigned place)
{
    const struct life *life = ledger_life(message, place);
    return life && life->on_disk != DISK_NOTHING;
}

void oracle_succession_accepted(const struct oracle *oracle, struct message *message)
{
    struct message *earlier = earlier_of(oracle, message);
    for (uint32_t i = 0; earlier && i < earlier->place_count; i++) {
        PROMISE(oracle->trace,
                earlier->lives[i].on_disk == DISK_NOTHING || has(message, earlier->places[i]),
                "what supersedes a message reaches each recipient of it",
                {"message", message->index}, {"earlier", earlier->index},
                {"place", earlier->places[i]});
    }
}

void oracle_succession_restart(const struct oracle *oracle, const struct message *message,
                               uint32_t place_index)
{
    if (message->lives[place_index].on_disk != DISK_SUPERSEDED) {
        return;
    }
    struct message *later = message->later;
    while (later && !(later->stored && has(later, message->places[place_index]))) {
        later = later->sibling;
    }
    PROMISE(oracle->trace, later != NULL, "what was superseded has another in its place",
            {"message", message->index}, {"place", message->places[place_index]});
}
