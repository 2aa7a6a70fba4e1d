/* SPDX-License-Identifier: EUPL-1.2
 *
 * What has expired without anybody having taken it, in the memory engine: found by looking at every
 * entry, which is enough for what this engine is for. See lmdb_expiry.c.
 */
#include "store/memory_dead.h"
#include "store/memory_order.h"
#include "store/memory_store.h"

#include <stdlib.h>

static bool is_late(const struct memory_entry *entry, int64_t now_ms)
{
    return entry->message->look_ms > 0 && entry->message->look_ms <= now_ms;
}

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms == 0 || other_ms < one_ms ? other_ms : one_ms;
}

/* False without memory. */
static bool bury(struct memory_store *store, const struct store_op *op,
                 struct memory_mailbox *mailbox, struct memory_entry *entry, bool behind,
                 struct store_expiry *said)
{
    const struct memory_track_row *known =
        memory_tracks_find(&store->tracks, entry->key.sequence, mailbox->id);
    const uint64_t order = entry->order;
    struct store_op dead = {.kind = STORE_BURY, .now_ms = op->now_ms};
    struct store_expired *expired = &said->entries[said->count++];
    *expired = (struct store_expired){.mailbox = mailbox->id,
                                      .attempts = known != NULL ? known->row.attempts : 0,
                                      .sequence = entry->key.sequence,
                                      .bytes = entry->message->bytes};
    dead.bury.attempts = expired->attempts;
    dead.bury.code = STORED_CODE_EXPIRED;
    memory_move_track(store, entry,
                      &(struct store_track_row){.mailbox = mailbox->id,
                                                .attempts = expired->attempts,
                                                .code = STORED_CODE_EXPIRED,
                                                .since_ms = op->now_ms,
                                                .state = TRACK_EXPIRED});
    return memory_dead_bury(mailbox, entry, &dead) &&
           (behind || memory_order_pass(mailbox, order, &expired->turn));
}

/* The next of a list that is late and that nobody has taken. */
static bool find(const struct store_op *op, const struct entry_list *list, size_t *out_at)
{
    for (size_t at = 0; at < list->count; at++) {
        const struct memory_entry *entry = entry_list_at(list, at);
        bool late = is_late(entry, op->now_ms);
        if (late && !entry->claimed) {
            *out_at = at;
            return true;
        }
        entry->message->look_again = entry->message->look_again || late;
    }
    return false;
}

static bool expire_list(struct memory_store *store, const struct store_op *op,
                        struct memory_mailbox *mailbox, struct entry_list *list,
                        struct store_expiry *said)
{
    bool behind = list == &mailbox->behind;
    bool kept = true;
    size_t at = 0;
    while (kept && find(op, list, &at) && said->count < op->expire.max_entries) {
        struct memory_entry entry = *entry_list_at(list, at);
        entry_list_remove(list, at);
        if (behind) {
            entry.key = entry.place;
        }
        kept = bury(store, op, mailbox, &entry, behind, said);
    }
    return kept;
}

/* When the entries of a list are to be looked at. */
static void look_later(const struct store_op *op, const struct entry_list *list,
                       struct store_expiry *said)
{
    for (size_t at = 0; at < list->count; at++) {
        struct memory_message *message = entry_list_at(list, at)->message;
        if (message->look_again) {
            message->look_again = false;
            message->look_ms = op->now_ms + STORED_EXPIRY_AGAIN_MS;
        }
        if (message->look_ms > 0) {
            said->next_ms = earlier(said->next_ms, message->look_ms);
        }
    }
}

bool memory_expire(struct memory_store *store, const struct store_op *op,
                   struct store_result *result)
{
    struct store_expiry *said = &result->expiry;
    said->entries = calloc((size_t)op->expire.max_entries + 1, sizeof *said->entries);
    bool kept = said->entries != NULL;
    for (size_t i = 0; kept && i < store->mailbox_count; i++) {
        struct memory_mailbox *mailbox = store->mailboxes[i];
        /* Those behind first: who comes in the place of another may be late as well. */
        kept = expire_list(store, op, mailbox, &mailbox->behind, said);
        for (int k = 0; kept && k < MEMORY_LISTS; k++) {
            kept = expire_list(store, op, mailbox, &mailbox->lists[k], said);
        }
    }
    for (size_t i = 0; i < store->mailbox_count; i++) {
        look_later(op, &store->mailboxes[i]->behind, said);
        for (int k = 0; k < MEMORY_LISTS; k++) {
            look_later(op, &store->mailboxes[i]->lists[k], said);
        }
    }
    return kept;
}
