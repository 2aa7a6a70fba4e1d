/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that its sender withdraws, in the memory engine. See lmdb_cancel.c.
 */
#include "store/memory_store.h"

#include "store/memory_dead.h"
#include "store/memory_order.h"

#include <stdlib.h>

/* Out of its place, when nobody has taken it. *out_behind: it was behind others. */
static bool take_out(struct memory_mailbox *mailbox, const struct entry_key *place,
                     struct memory_entry *out_entry, bool *out_behind, bool *out_taken)
{
    const struct memory_entry *found = memory_mailbox_find(mailbox, place);
    *out_taken = found != NULL && found->claimed;
    *out_behind = false;
    if (*out_taken) {
        return false;
    }
    if (found != NULL) {
        return memory_mailbox_remove(mailbox, place, out_entry);
    }
    *out_behind = memory_order_remove(mailbox, place->sequence, out_entry);
    return *out_behind;
}

/* False without memory. */
static bool withdraw(struct memory_store *store, const struct store_op *op,
                     const struct memory_track_row *row, struct store_result *result)
{
    struct memory_mailbox *mailbox = memory_find_mailbox(store, row->row.mailbox);
    struct store_cancelled *cancelled = &result->cancel;
    struct store_op bury = {.kind = STORE_BURY, .now_ms = op->now_ms};
    struct memory_entry entry;
    struct store_turn turn = {0};
    bool behind = false;
    bool taken = false;
    if (mailbox == NULL || !take_out(mailbox, &row->place, &entry, &behind, &taken)) {
        cancelled->too_late += taken ? 1 : 0;
        return true;
    }
    const uint64_t order = entry.order;
    const uint64_t bytes = entry.message->bytes;
    bury.bury.attempts = row->row.attempts;
    bury.bury.code = STORED_CODE_CANCELLED;
    memory_move_track(store, &entry,
                      &(struct store_track_row){.mailbox = row->row.mailbox,
                                                .attempts = row->row.attempts,
                                                .code = STORED_CODE_CANCELLED,
                                                .since_ms = op->now_ms,
                                                .state = TRACK_CANCELLED});
    cancelled->withdrawn++;
    cancelled->bytes = bytes;
    cancelled->mailboxes[cancelled->count++] = mailbox->id;
    return memory_dead_bury(mailbox, &entry, &bury) &&
           (behind || memory_order_pass(mailbox, order, &turn));
}

bool memory_cancel(struct memory_store *store, const struct store_op *op,
                   struct store_result *result)
{
    const struct duplicate_node *known =
        memory_duplicates_find(&store->duplicates, op->cancel.sender, op->cancel.id);
    const struct memory_track *track =
        known != NULL ? memory_tracks_of(&store->tracks, known->sequence) : NULL;
    result->status = known != NULL ? STORE_DONE : STORE_NOT_FOUND;
    if (track == NULL) {
        return true;
    }
    result->cancel.mailboxes = calloc(track->count + 1U, sizeof *result->cancel.mailboxes);
    bool fine = result->cancel.mailboxes != NULL;
    for (uint32_t i = 0; fine && i < track->count; i++) {
        const struct memory_track_row *row = &track->rows[i];
        if (row->row.state == TRACK_WAITING) {
            fine = withdraw(store, op, row, result);
        } else {
            result->cancel.too_late += row->row.state == TRACK_ACKNOWLEDGED ? 1 : 0;
            result->cancel.withdrawn += row->row.state == TRACK_CANCELLED ? 1 : 0;
        }
    }
    return fine;
}
