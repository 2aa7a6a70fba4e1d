/* SPDX-License-Identifier: EUPL-1.2
 *
 * See lmdb_supersede.h.
 *
 * Invariant: 1. in one transaction the copies that go, the copies that come, and what is remembered
 * of both. What a consumer has is left to it, and so is what is a dead letter.
 */
#include "store/lmdb_supersede.h"

#include "store/lmdb_attempt.h"
#include "store/lmdb_order.h"
#include "store/supersede.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_past(struct earlier *earlier, const struct store_past *past)
{
    enum { FIRST = 64 };
    bool power = (earlier->count & (earlier->count - 1)) == 0;
    if (earlier->count == 0 || (power && earlier->count >= FIRST)) {
        size_t capacity = earlier->count == 0 ? FIRST : (size_t)earlier->count * 2;
        struct store_past *grown = realloc(earlier->past, capacity * sizeof *grown);
        if (grown == NULL) {
            return ENOMEM;
        }
        earlier->past = grown;
    }
    earlier->past[earlier->count++] = *past;
    return 0;
}

static int read_past(struct batch *batch, struct earlier *earlier)
{
    MDB_cursor *cursor = NULL;
    struct record_key from;
    struct track_key found = {0};
    MDB_val value;
    key_track(&from, earlier->known.sequence, 0);
    MDB_val key = val_of_key(&from);
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_TRACK], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && key_read_track(bytes_of_val(&key), &found) &&
           found.sequence == earlier->known.sequence) {
        struct track_record fields = {.state = TRACK_DEAD};
        (void)record_read_track(bytes_of_val(&key), bytes_of_val(&value), &fields);
        const struct store_past past = {.place = {.mailbox = found.mailbox,
                                                  .lane = fields.lane,
                                                  .due_ms = fields.due_ms,
                                                  .sequence = found.sequence},
                                        .waits = fields.state == TRACK_WAITING};
        rc = add_past(earlier, &past);
        rc = rc != 0 ? rc : mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int supersede_begin(struct batch *batch, struct store_op *op, struct earlier *out_earlier)
{
    int rc = duplicate_known(batch, op->append.sender, op->append.supersedes, &out_earlier->known);
    if (rc == 0 && out_earlier->known.flow != op->append.flow) {
        rc = MDB_NOTFOUND;
    }
    rc = rc != 0 ? rc : read_past(batch, out_earlier);
    if (rc != 0) {
        return rc;
    }
    out_earlier->own = supersede_widen(op, out_earlier->past, out_earlier->count);
    return out_earlier->own != NULL ? 0 : ENOMEM;
}

/* The copy of one recipient, wherever it waits. MDB_NOTFOUND: it does not any more. */
static int take_out(struct batch *batch, struct mailbox *mailbox, const struct earlier *earlier,
                    const struct entry_key *place, struct entry_record *out_entry,
                    struct store_turn *out_turn)
{
    int rc = batch_remove_entry(batch, mailbox, place, out_entry, out_turn);
    if (rc == MDB_NOTFOUND && earlier->known.order != 0) {
        rc = order_remove(batch, mailbox, earlier->known.order, place->sequence, out_entry);
    }
    if (rc == 0 && out_entry->attempts > 0) {
        rc = attempts_forget(
            batch, &(struct dead_key){.mailbox = place->mailbox, .sequence = place->sequence});
    }
    return rc;
}

static int replace_one(struct batch *batch, const struct store_op *op,
                       const struct earlier *earlier, const struct store_past *past,
                       struct store_replaced *out_replaced)
{
    struct mailbox *mailbox = mailbox_find(&batch->store->mailboxes, past->place.mailbox);
    if (!past->waits || mailbox == NULL || claims_has(&mailbox->claims, &past->place)) {
        return 0;
    }
    struct entry_record entry = {0};
    int rc = take_out(batch, mailbox, earlier, &past->place, &entry, &out_replaced->turn);
    out_replaced->bytes = entry.bytes;
    if (rc == MDB_NOTFOUND) {
        return 0;
    }
    const struct track_record fields = {
        .state = TRACK_SUPERSEDED, .lane = past->place.lane, .since_ms = op->now_ms};
    rc = rc != 0 ? rc : track_move(batch, past->place.sequence, past->place.mailbox, &fields);
    out_replaced->gone = true;
    return rc != 0 ? rc : batch_release_message(batch, past->place.sequence, &entry);
}

int supersede_replace(struct batch *batch, const struct store_op *op, struct earlier *earlier,
                      struct store_result *result)
{
    int rc = 0;
    struct store_replaced *replaced =
        calloc(earlier->count > 0 ? earlier->count : 1, sizeof *replaced);
    if (replaced == NULL) {
        return ENOMEM;
    }
    result->append.replaced = replaced;
    result->append.replaced_count = earlier->count;
    for (uint32_t i = 0; rc == 0 && i < earlier->count; i++) {
        replaced[i].mailbox = earlier->past[i].place.mailbox;
        replaced[i].added = earlier->past[i].added;
        rc = replace_one(batch, op, earlier, &earlier->past[i], &replaced[i]);
    }
    return rc;
}

void supersede_end(struct earlier *earlier)
{
    free(earlier->own);
    free(earlier->past);
}
