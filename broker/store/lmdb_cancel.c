/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that its sender withdraws: what the table `track` says is still waiting, and nobody has
 * taken, becomes a dead letter.
 *
 * Invariants: 1. an entry that is taken stays: its delivery may have left; 2. again is the same: a
 * copy that was withdrawn is counted, and left alone. Writer thread.
 */
#include "store/lmdb_known.h"
#include "store/lmdb_order.h"
#include "store/lmdb_store.h"

#include <errno.h>
#include <stdlib.h>

enum { MAILBOXES_MIN = 16 };

/* Of what is withdrawn. */
struct withdrawal {
    struct batch *batch;
    const struct store_op *op;
    struct duplicate_record known;
    struct store_result *result;
    size_t capacity;
};

static int note_mailbox(struct withdrawal *all, uint32_t mailbox)
{
    struct store_cancelled *cancelled = &all->result->cancel;
    if (cancelled->count == all->capacity) {
        size_t capacity = all->capacity == 0 ? MAILBOXES_MIN : all->capacity * 2;
        uint32_t *mailboxes = realloc(cancelled->mailboxes, capacity * sizeof *mailboxes);
        if (mailboxes == NULL) {
            return ENOMEM;
        }
        cancelled->mailboxes = mailboxes;
        all->capacity = capacity;
    }
    cancelled->mailboxes[cancelled->count++] = mailbox;
    return 0;
}

static int withdraw(struct withdrawal *all, const struct track_key *found,
                    const struct track_record *fields)
{
    struct mailbox *mailbox = mailbox_find(&all->batch->store->mailboxes, found->mailbox);
    const struct entry_key entry = {.mailbox = found->mailbox,
                                    .lane = fields->lane,
                                    .due_ms = fields->due_ms,
                                    .sequence = found->sequence};
    struct dead_record dead = {
        .attempts = fields->attempts, .code = STORED_CODE_CANCELLED, .died_ms = all->op->now_ms};
    struct store_turn turn = {0};
    if (mailbox == NULL) {
        return 0;
    }
    if (claims_has(&mailbox->claims, &entry)) {
        all->result->cancel.too_late++;
        return 0;
    }
    int rc = batch_bury(all->batch, &entry, &dead, &turn);
    if (rc == MDB_NOTFOUND && all->known.order != 0) {
        rc = order_bury(all->batch, mailbox, &entry, all->known.order, &dead);
    }
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    all->result->cancel.withdrawn++;
    all->result->cancel.bytes = dead.bytes;
    return note_mailbox(all, found->mailbox);
}

static int look(struct withdrawal *all, const struct track_key *found,
                const struct track_record *fields)
{
    switch (fields->state) {
    case TRACK_WAITING:
        return withdraw(all, found, fields);
    case TRACK_ACKNOWLEDGED:
        all->result->cancel.too_late++;
        return 0;
    case TRACK_CANCELLED:
        all->result->cancel.withdrawn++;
        return 0;
    default:
        return 0;
    }
}

/* Row by row, each found anew: what is withdrawn moves the cursor. */
static int walk(struct withdrawal *all, MDB_cursor *cursor)
{
    struct track_key found = {.sequence = all->known.sequence};
    uint64_t next = 0;
    int rc = 0;
    while (rc == 0 && next <= UINT32_MAX) {
        struct record_key from;
        struct track_record fields;
        MDB_val value;
        key_track(&from, all->known.sequence, (uint32_t)next);
        MDB_val key = val_of_key(&from);
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (rc != 0 || !key_read_track(bytes_of_val(&key), &found) ||
            found.sequence != all->known.sequence) {
            break;
        }
        next = (uint64_t)found.mailbox + 1;
        if (record_read_track(bytes_of_val(&key), bytes_of_val(&value), &fields)) {
            rc = look(all, &found, &fields);
        }
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_cancel(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct withdrawal all = {.batch = batch, .op = op, .result = result};
    MDB_cursor *cursor = NULL;
    int rc = duplicate_known(batch, op->cancel.sender, op->cancel.id, &all.known);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    rc = rc != 0 ? rc : mdb_cursor_open(batch->txn, batch->store->tables[TABLE_TRACK], &cursor);
    if (rc == 0) {
        rc = walk(&all, cursor);
        mdb_cursor_close(cursor);
    }
    return rc;
}
