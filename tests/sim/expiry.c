/* SPDX-License-Identifier: EUPL-1.2
 *
 * See expiry.h.
 */
#include "expiry.h"

#include "core/limits.h"

enum {
    /* The core looks at the wall clock once a minute; what was taken is looked at a minute later.
     */
    LATE_MS = 200 * 1000,
};

void oracle_expire_asked(struct oracle *oracle, const struct store_op *op)
{
    PROMISE(oracle->trace,
            !oracle->expiring && !oracle->draining &&
                op->expire.max_entries <= LIMIT_EXPIRE_ENTRIES && op->expire.max_entries > 0,
            "one small step of what expires is with the store", {"max", op->expire.max_entries});
    oracle->expiring = true;
}

void oracle_stored_expiry(struct oracle *oracle, const struct disk_result *result)
{
    const struct store_expiry *said = &result->result.expiry;
    oracle->expiring = false;
    if (result->result.status != STORE_DONE) {
        oracle->no_room_ms = oracle->now.mono_ms;
    }
    for (uint32_t i = 0; i < said->count; i++) {
        const struct entry_key key = {.mailbox = said->entries[i].mailbox,
                                      .sequence = said->entries[i].sequence};
        struct message *message = NULL;
        unsigned at = 0;
        struct life *life = oracle_life(oracle, &key, &message, &at);
        PROMISE(oracle->trace, life->state == LIFE_FREE, "nothing expires that somebody was given",
                {"message", message->index}, {"place", at}, {"state", life->state});
        PROMISE(oracle->trace,
                message->expires_ms > 0 && message->expires_ms <= oracle->now.wall_ms,
                "nothing expires before its time", {"message", message->index});
        life->state = LIFE_GONE;
        oracle->places[at].waiting--;
        oracle->places[at].waiting_bytes -= ledger_bytes(message);
        oracle->places[at].dead++;
    }
}

void oracle_check_late(const struct oracle *oracle, int64_t wall_ms)
{
    for (size_t i = 0; i < oracle->ledger->count; i++) {
        const struct message *message = oracle->ledger->messages[i];
        bool late = message->expires_ms > 0 && message->expires_ms + LATE_MS < wall_ms;
        for (uint32_t k = 0; late && message->stored && k < message->place_count; k++) {
            const struct life *life = &message->lives[k];
            PROMISE(oracle->trace,
                    life->on_disk != DISK_WAITING ||
                        (life->state != LIFE_FREE && life->state != LIFE_TAKEN),
                    "what has expired is not kept for nobody", {"message", message->index},
                    {"place", message->places[k]}, {"state", life->state});
        }
    }
}
