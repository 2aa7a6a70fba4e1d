/* SPDX-License-Identifier: EUPL-1.2
 *
 * See lmdb_expiry.h. The recipients of a message are found by what is remembered of it (`track`).
 *
 * Invariants: 1. a message that expires has a record of its expiry, or of a later look, while an
 * entry of it waits; 2. an entry that is taken stays: it is looked at again later; 3. a step looks
 * at no more rows than it may, and goes on where the last one ended; 4. a record whose message has
 * gone goes when its time comes, and so does a broken one, which may name another message: what it
 * stood for is judged when it is taken. Writer thread.
 */
#include "store/lmdb_expiry.h"

#include "store/lmdb_known.h"
#include "store/lmdb_order.h"
#include "store/record_expiry.h"

#include <errno.h>
#include <stdlib.h>

/* A message on its way through a step. */
struct expiring {
    struct batch *batch;
    const struct store_op *op;
    struct store_expiry *said;
    struct expiry_key key;
    struct expiry_record record;
    uint32_t left; /* rows that may be looked at */
    bool over;     /* of this message, all were */
};

static int put(struct batch *batch, const struct expiry_key *at, const struct expiry_record *fields)
{
    struct record_key key;
    struct small_record record;
    key_expiry(&key, at);
    record_write_expiry(&record, &key, fields);
    batch->changed = true;
    return batch_put(batch, TABLE_EXPIRY, &key, &record, 0);
}

int expiry_begin(struct batch *batch, uint64_t sequence, int64_t expires_ms, uint64_t order)
{
    if (expires_ms <= 0) {
        return 0;
    }
    return put(batch, &(struct expiry_key){.at_ms = expires_ms, .sequence = sequence},
               &(struct expiry_record){.order = order});
}

int expiry_end(struct batch *batch, uint64_t sequence, int64_t expires_ms)
{
    struct record_key key;
    if (expires_ms <= 0) {
        return 0;
    }
    key_expiry(&key, &(struct expiry_key){.at_ms = expires_ms, .sequence = sequence});
    int rc = batch_del(batch, TABLE_EXPIRY, &key);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int bury(struct expiring *expiring, struct mailbox *mailbox, const struct entry_key *entry,
                const struct track_record *row)
{
    struct batch *batch = expiring->batch;
    struct dead_record dead = {
        .attempts = row->attempts, .code = STORED_CODE_EXPIRED, .died_ms = expiring->op->now_ms};
    struct store_turn turn = {0};
    int rc = batch_bury(batch, entry, &dead, &turn);
    if (rc == MDB_NOTFOUND && expiring->record.order != 0) {
        rc = order_bury(batch, mailbox, entry, expiring->record.order, &dead);
    }
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    struct store_expiry *said = expiring->said;
    said->entries[said->count++] = (struct store_expired){.mailbox = entry->mailbox,
                                                          .attempts = dead.attempts,
                                                          .sequence = entry->sequence,
                                                          .bytes = dead.bytes,
                                                          .turn = turn};
    return 0;
}

static int look(struct expiring *expiring, const struct track_key *found,
                const struct track_record *row)
{
    const struct entry_key entry = {.mailbox = found->mailbox,
                                    .lane = row->lane,
                                    .due_ms = row->due_ms,
                                    .sequence = found->sequence};
    struct mailbox *mailbox = mailbox_find(&expiring->batch->store->mailboxes, found->mailbox);
    if (row->state != TRACK_WAITING || mailbox == NULL) {
        return 0;
    }
    if (claims_has(&mailbox->claims, &entry)) {
        expiring->record.again = true;
        return 0;
    }
    return bury(expiring, mailbox, &entry, row);
}

/* Row by row, each found anew: what is buried moves the cursor. */
static int look_at_rows(struct expiring *expiring, MDB_cursor *rows)
{
    struct track_key found = {0};
    int rc = 0;
    while (rc == 0 && expiring->left > 0) {
        struct record_key from;
        struct track_record row;
        MDB_val value;
        key_track(&from, expiring->key.sequence, expiring->record.next);
        MDB_val key = val_of_key(&from);
        rc = mdb_cursor_get(rows, &key, &value, MDB_SET_RANGE);
        if (rc == MDB_NOTFOUND || (rc == 0 && (!key_read_track(bytes_of_val(&key), &found) ||
                                               found.sequence != expiring->key.sequence))) {
            expiring->over = true;
            return 0;
        }
        if (rc == 0 && record_read_track(bytes_of_val(&key), bytes_of_val(&value), &row)) {
            rc = look(expiring, &found, &row);
        }
        expiring->left--;
        expiring->over = found.mailbox == UINT32_MAX;
        expiring->record.next = found.mailbox + 1;
    }
    return rc;
}

/* The record of what was looked at goes, or says where to go on, or when to look again. */
static int move_on(struct expiring *expiring)
{
    struct record_key key;
    struct expiry_key later = expiring->key;
    if (!expiring->over) {
        return put(expiring->batch, &expiring->key, &expiring->record);
    }
    key_expiry(&key, &expiring->key);
    expiring->batch->changed = true;
    int rc = batch_del(expiring->batch, TABLE_EXPIRY, &key);
    if (rc != 0 || !expiring->record.again) {
        return rc;
    }
    later.at_ms = expiring->op->now_ms + STORED_EXPIRY_AGAIN_MS;
    return put(expiring->batch, &later, &(struct expiry_record){.order = expiring->record.order});
}

/* The first record, when its time has come; MDB_NOTFOUND: it has not, or there is none. */
static int first(struct expiring *expiring)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    struct batch *batch = expiring->batch;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_EXPIRY], &cursor);
    if (rc != 0) {
        return rc;
    }
    expiring->said->next_ms = 0;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc == 0 && !key_read_expiry(bytes_of_val(&key), &expiring->key)) {
        rc = MDB_NOTFOUND; /* a check tells it */
    }
    if (rc == 0) {
        expiring->said->next_ms = expiring->key.at_ms > 0 ? expiring->key.at_ms : 1;
        rc = expiring->key.at_ms > expiring->op->now_ms ? MDB_NOTFOUND : 0;
    }
    if (rc == 0) {
        expiring->record = (struct expiry_record){0};
        expiring->over =
            !record_read_expiry(bytes_of_val(&key), bytes_of_val(&value), &expiring->record);
    }
    mdb_cursor_close(cursor);
    return rc;
}

static int expire(struct expiring *expiring, MDB_cursor *rows)
{
    int rc = 0;
    while (rc == 0 && (rc = first(expiring)) == 0 && expiring->left > 0) {
        if (!expiring->batch->writes) {
            return BATCH_NEEDS_WRITE;
        }
        expiring->left--; /* one without rows costs a look too */
        rc = expiring->over ? 0 : look_at_rows(expiring, rows);
        rc = rc != 0 ? rc : move_on(expiring);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_expire(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct expiring expiring = {
        .batch = batch, .op = op, .said = &result->expiry, .left = op->expire.max_entries};
    MDB_cursor *rows = NULL;
    result->expiry.entries = calloc((size_t)expiring.left + 1, sizeof *result->expiry.entries);
    if (result->expiry.entries == NULL) {
        return ENOMEM;
    }
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_TRACK], &rows);
    if (rc == 0) {
        rc = expire(&expiring, rows);
        mdb_cursor_close(rows);
    }
    return rc;
}
