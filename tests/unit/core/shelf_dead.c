/* SPDX-License-Identifier: EUPL-1.2
 *
 * See shelf.h: dead letters: the first, and what expires.
 */
#include "shelf.h"

#include <assert.h>
#include <stdlib.h>

void shelf_expects(struct shelf *shelf, int64_t expires_ms)
{
    if (expires_ms > shelf->last_expiry_ms) {
        shelf->last_expiry_ms = expires_ms;
    }
}

void shelf_expire(struct shelf *shelf, const struct store_op *op, struct store_result *result)
{
    struct store_expiry *said = &result->expiry;
    result->status = shelf->answer_no_room ? STORE_NO_ROOM : STORE_DONE;
    said->entries = calloc(op->expire.max_entries, sizeof *said->entries);
    assert(said->entries);
    for (size_t i = 0; !shelf->answer_no_room && i < shelf->entry_count; i++) {
        struct shelf_entry *entry = &shelf->entries[i];
        if (entry->dead || entry->expires_ms == 0) {
            continue;
        }
        bool late = entry->expires_ms <= op->now_ms;
        if (!late || entry->taken) {
            int64_t look_ms = late ? op->now_ms + STORED_EXPIRY_AGAIN_MS : entry->expires_ms;
            said->next_ms = said->next_ms == 0 || look_ms < said->next_ms ? look_ms : said->next_ms;
            continue;
        }
        if (shelf->expire_most > 0 && said->count == shelf->expire_most) {
            said->next_ms = op->now_ms;
            return;
        }
        entry->dead = true;
        entry->code = STORED_CODE_EXPIRED;
        entry->died_ms = op->now_ms;
        said->entries[said->count++] = (struct store_expired){
            .mailbox = entry->key.mailbox,
            .attempts = entry->attempts,
            .sequence = entry->key.sequence,
            .bytes = entry->message.envelope.size + entry->message.payload.size};
    }
}

const struct shelf_entry *shelf_first_dead(const struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->entry_count; i++) {
        if (shelf->entries[i].dead) {
            return &shelf->entries[i];
        }
    }
    return NULL;
}
