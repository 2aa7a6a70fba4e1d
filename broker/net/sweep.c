/* SPDX-License-Identifier: EUPL-1.2
 *
 * See sweep.h.
 */
#include "net/sweep.h"

#include "net/descriptor.h"

/* Whether more has come since the last whole message than any message has. */
static bool endless(const struct sweep *sweep, struct descriptor_slot *slot, int descriptor,
                    int64_t now_ms)
{
    const uint64_t received = descriptor_received(descriptor);
    const uint64_t messages = slot->connection != NULL ? slot->connection->messages : 0;
    if (messages != slot->messages_seen || received < slot->received_then) {
        slot->messages_seen = messages;
        slot->received_then = received;
        slot->received_ms = now_ms;
        return false;
    }
    const uint64_t heartbeats =
        (uint64_t)(now_ms - slot->received_ms) * SWEEP_HEARTBEAT_BYTES_PER_S / 1000;
    return received - slot->received_then >
           sweep->message_bytes_max + SWEEP_SLACK_BYTES + heartbeats;
}

static void slot_check(const struct sweep *sweep, struct connection_table *table, int descriptor,
                       struct refusals *refusals, int64_t now_ms)
{
    struct descriptor_slot *slot = &table->slots[descriptor];
    const char *reason = NULL;
    if (slot->connection == NULL && now_ms - slot->accepted_ms > sweep->silence_ms) {
        reason = "connected and said nothing";
    } else if (endless(sweep, slot, descriptor, now_ms)) {
        /* Twice in a row: a message may just have been finished. */
        reason = slot->suspect ? "a message without an end" : NULL;
        slot->suspect = true;
    } else {
        slot->suspect = false;
    }
    if (reason != NULL) {
        const struct connection *connection = slot->connection;
        refusals_add(refusals, reason, connection != NULL ? connection->number : 0,
                     connection != NULL ? connection->key : NULL);
        connection_table_turn_away(table, descriptor);
    }
}

void sweep_run(struct sweep *sweep, struct connection_table *table, struct refusals *refusals,
               int64_t now_ms)
{
    if (table->open_count == 0 || now_ms < sweep->next_ms) {
        return;
    }
    sweep->next_ms = now_ms + SWEEP_INTERVAL_MS;
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct descriptor_slot *slot = &table->slots[i];
        if (slot->accepted != 0 && !slot->turned_away) {
            slot_check(sweep, table, (int)i, refusals, now_ms);
        }
    }
}
