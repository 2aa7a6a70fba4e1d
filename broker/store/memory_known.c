/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the memory engine remembers of messages that it has accepted. See memory_store.h.
 */
#include "store/memory_store.h"
#include "store/track.h"

#include <stdlib.h>

bool memory_is_duplicate(struct memory_store *store, const char *sender, const char *id,
                         int64_t now_ms, uint64_t *out_sequence)
{
    const struct store_settings *settings = &store->settings;
    int64_t window_ms = settings->duplicate_window_ms;
    int64_t track_ms = settings->track_ms > window_ms ? settings->track_ms : window_ms;
    memory_duplicates_prune(&store->duplicates, &store->tracks, now_ms - track_ms,
                            settings->duplicate_max, now_ms);
    const struct duplicate_node *known = memory_duplicates_find(&store->duplicates, sender, id);
    if (known == NULL || now_ms - known->accepted_ms >= window_ms) {
        return false;
    }
    *out_sequence = known->sequence;
    return true;
}

void memory_known(struct memory_store *store, const struct store_op *op,
                  struct store_result *result)
{
    uint64_t sequence = 0;
    bool known = memory_is_duplicate(store, op->known.sender, op->known.id, op->now_ms, &sequence);
    result->status = known ? STORE_DONE : STORE_NOT_FOUND;
}

void memory_move_track(struct memory_store *store, const struct memory_entry *entry,
                       const struct store_track_row *row)
{
    struct memory_track_row *found =
        memory_tracks_find(&store->tracks, entry->key.sequence, row->mailbox);
    if (found != NULL) {
        bool same = found->row.state == TRACK_WAITING && row->state == TRACK_WAITING;
        int64_t since_ms = same ? found->row.since_ms : row->since_ms;
        found->row = *row;
        found->row.since_ms = since_ms;
        found->place = entry->key;
    }
}

void memory_move_dead(struct memory_store *store, const struct store_op *op,
                      const struct memory_entry *entry)
{
    const struct memory_track_row *found =
        memory_tracks_find(&store->tracks, op->dead.sequence, op->dead.mailbox);
    struct store_track_row row = {.mailbox = op->dead.mailbox, .state = TRACK_WAITING};
    if (op->kind == STORE_DROP && found != NULL) {
        row = found->row;
        row.state = TRACK_DROPPED;
    }
    row.since_ms = op->now_ms;
    memory_move_track(store, entry, &row);
}

static struct store_track_row row_now(const struct memory_store *store,
                                      const struct memory_track_row *known)
{
    struct store_track_row row = known->row;
    struct memory_mailbox *mailbox = memory_find_mailbox(store, row.mailbox);
    const struct memory_entry *entry = mailbox != NULL && row.state == TRACK_WAITING
                                           ? memory_mailbox_find(mailbox, &known->place)
                                           : NULL;
    row.state = entry != NULL && entry->claimed ? TRACK_DELIVERED : row.state;
    return row;
}

bool memory_track(struct memory_store *store, const struct store_op *op,
                  struct store_result *result)
{
    const struct duplicate_node *known =
        memory_duplicates_find(&store->duplicates, op->track.sender, op->track.id);
    if (known == NULL) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    size_t most = op->track.max_rows > 0 ? op->track.max_rows : 1;
    result->track.rows = calloc(most, sizeof *result->track.rows);
    if (result->track.rows == NULL) {
        return false;
    }
    result->track.sequence = known->sequence;
    result->track.accepted_ms = known->accepted_ms;
    result->track.expires_ms = known->expires_ms;
    result->track.deadline_ms = known->deadline_ms;
    result->track.flow = known->flow;
    const struct memory_track *track = memory_tracks_of(&store->tracks, known->sequence);
    bool more = true;
    uint32_t looks = 0;
    for (uint32_t i = 0; track != NULL && more && i < track->count; i++) {
        if (track->rows[i].row.mailbox < op->track.from) {
            continue;
        }
        if (op->track.looks > 0 && looks++ == op->track.looks) {
            result->track.next = track->rows[i].row.mailbox;
            break;
        }
        const struct store_track_row row = row_now(store, &track->rows[i]);
        more = track_list(op, &row, result);
    }
    return true;
}
