/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that takes the place of an earlier one, in the memory engine. See memory_store.h.
 */
#include "store/memory_attempt.h"
#include "store/memory_order.h"
#include "store/memory_store.h"

#include <stdlib.h>

bool memory_supersede_begin(const struct memory_store *store, struct store_op *op,
                            struct memory_earlier *out_earlier)
{
    const struct duplicate_node *known =
        memory_duplicates_find(&store->duplicates, op->append.sender, op->append.supersedes);
    out_earlier->found = known != NULL && known->flow == op->append.flow;
    const struct memory_track *track =
        out_earlier->found ? memory_tracks_of(&store->tracks, known->sequence) : NULL;
    if (track == NULL) {
        return true;
    }
    out_earlier->past = calloc(track->count > 0 ? track->count : 1, sizeof *out_earlier->past);
    if (out_earlier->past == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < track->count; i++) {
        out_earlier->past[i] = (struct store_past){
            .place = track->rows[i].place, .waits = track->rows[i].row.state == TRACK_WAITING};
    }
    out_earlier->count = track->count;
    out_earlier->own = supersede_widen(op, out_earlier->past, track->count);
    return out_earlier->own != NULL;
}

/* False: it is taken, or not there any more. */
static bool take_out(struct memory_mailbox *mailbox, const struct entry_key *place,
                     struct memory_entry *out_entry)
{
    const struct memory_entry *entry = memory_mailbox_find(mailbox, place);
    if (entry != NULL) {
        return !entry->claimed && memory_mailbox_remove(mailbox, place, out_entry);
    }
    return memory_order_remove(mailbox, place->sequence, out_entry);
}

/* False without memory. */
static bool replace_one(struct memory_store *store, const struct store_op *op,
                        const struct store_past *past, struct store_replaced *out_replaced)
{
    struct memory_mailbox *mailbox = memory_find_mailbox(store, past->place.mailbox);
    struct memory_entry entry;
    if (!past->waits || mailbox == NULL) {
        return true;
    }
    bool head = memory_mailbox_find(mailbox, &past->place) != NULL;
    if (!take_out(mailbox, &past->place, &entry)) {
        return true;
    }
    memory_move_track(store, &entry,
                      &(struct store_track_row){.mailbox = past->place.mailbox,
                                                .since_ms = op->now_ms,
                                                .state = TRACK_SUPERSEDED});
    memory_attempts_forget(mailbox, past->place.sequence);
    out_replaced->gone = true;
    out_replaced->bytes = entry.message->bytes;
    uint64_t bytes = memory_cost_of(entry.message);
    store->used_bytes -= memory_message_unref(entry.message) ? bytes : 0;
    return !head || memory_order_pass(mailbox, entry.order, &out_replaced->turn);
}

bool memory_supersede_replace(struct memory_store *store, const struct store_op *op,
                              const struct memory_earlier *earlier, struct store_result *result)
{
    bool kept = true;
    struct store_replaced *replaced =
        calloc(earlier->count > 0 ? earlier->count : 1, sizeof *replaced);
    if (replaced == NULL) {
        return false;
    }
    result->append.replaced = replaced;
    result->append.replaced_count = earlier->count;
    for (uint32_t i = 0; kept && i < earlier->count; i++) {
        replaced[i].mailbox = earlier->past[i].place.mailbox;
        replaced[i].added = earlier->past[i].added;
        kept = replace_one(store, op, &earlier->past[i], &replaced[i]);
    }
    return kept;
}

void memory_supersede_end(struct memory_earlier *earlier)
{
    free(earlier->own);
    free(earlier->past);
}
