/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. Keys are compared as senders gave them, not as the core counts them. One that was
 * dead and came back has its place where it came back: only "one at a time" holds for it.
 */
#include "oracle.h"

void oracle_order_stored(struct oracle *oracle, const struct message *message, uint64_t order)
{
    uint64_t *known = &oracle->orders[TOWN_PEOPLE[message->client].member][message->key];
    PROMISE(oracle->trace, (message->key > 0) == (order > 0), "who gives a key gets an order",
            {"message", message->index}, {"key", message->key}, {"order", order});
    PROMISE(oracle->trace, *known == 0 || *known == order, "a key has one order for good",
            {"message", message->index}, {"key", message->key}, {"order", order});
    *known = order;
}

static bool is_out(enum life_state state)
{
    return state == LIFE_TAKEN || state == LIFE_LEASED || state == LIFE_ANSWERED ||
           state == LIFE_UNDONE;
}

void oracle_order_delivered(const struct oracle *oracle, const struct message *message,
                            unsigned place)
{
    struct message *other =
        message->key > 0
            ? oracle->ledger->last_of_key[TOWN_PEOPLE[message->client].member][message->key]
            : NULL;
    for (; other; other = other->same_key) {
        const struct life *life = ledger_life(other, place);
        if (other == message || !life || !other->stored) {
            continue;
        }
        PROMISE(oracle->trace, !is_out(life->state), "of one key, one is out at a time",
                {"message", message->index}, {"other", other->index}, {"state", life->state},
                {"place", place});
        PROMISE(oracle->trace,
                life->on_disk != DISK_WAITING || life->replayed ||
                    other->sequence > message->sequence,
                "of one key, the first accepted is the first delivered",
                {"message", message->index}, {"other", other->index}, {"place", place});
    }
}
