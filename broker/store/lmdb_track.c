/* SPDX-License-Identifier: EUPL-1.2
 *
 * What has become of a message, for each recipient, kept beyond the message itself: the table
 * `track`, whose rows are written with the message and change with its entries.
 *
 * Invariants: 1. a row is changed in the transaction that changes its entry; 2. rows go with the
 * (sender, id) that leads to them, never while an entry holds the message; 3. a row that is broken
 * says nothing and stops nothing. Writer thread.
 */
#include "store/lmdb_known.h"
#include "store/track.h"

#include <errno.h>
#include <stdlib.h>

int track_begin(struct batch *batch, const struct store_op *op, uint64_t sequence)
{
    uint32_t last = 0;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < op->append.recipient_count; i++) {
        const struct store_recipient *recipient = &op->append.recipients[i];
        const struct track_record fields = {.state = TRACK_WAITING,
                                            .lane = recipient->lane,
                                            .since_ms = op->now_ms,
                                            .due_ms =
                                                recipient->due_ms > 0 ? recipient->due_ms : 0};
        struct record_key key;
        struct small_record record;
        bool behind = i == 0 || recipient->mailbox > last;
        key_track(&key, sequence, recipient->mailbox);
        record_write_track(&record, &key, &fields);
        rc = batch_put(batch, TABLE_TRACK, &key, &record, behind ? MDB_APPEND : 0);
        last = behind ? recipient->mailbox : last;
    }
    return rc;
}

static int open_cursor(struct batch *batch)
{
    MDB_dbi table = batch->store->tables[TABLE_TRACK];
    return batch->track != NULL ? 0 : mdb_cursor_open(batch->txn, table, &batch->track);
}

int track_move(struct batch *batch, uint64_t sequence, uint32_t mailbox,
               const struct track_record *fields)
{
    struct record_key key;
    struct small_record record;
    struct track_record before;
    struct track_record after = *fields;
    MDB_val old;
    key_track(&key, sequence, mailbox);
    MDB_val key_value = val_of_key(&key);
    int rc = open_cursor(batch);
    rc = rc != 0 ? rc : mdb_cursor_get(batch->track, &key_value, &old, MDB_SET_KEY);
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    if (after.state == TRACK_WAITING &&
        record_read_track(key_bytes(&key), bytes_of_val(&old), &before) &&
        before.state == TRACK_WAITING) {
        after.since_ms = before.since_ms; /* tried again is waiting still */
    }
    record_write_track(&record, &key, &after);
    return batch_put_current(batch, TABLE_TRACK, batch->track, &key, &record);
}

int track_forget(struct batch *batch, uint64_t sequence, size_t *most)
{
    int rc = open_cursor(batch);
    while (rc == 0 && *most > 0) {
        struct record_key key;
        struct track_key found = {0};
        MDB_val value;
        key_track(&key, sequence, 0);
        MDB_val key_value = val_of_key(&key);
        rc = mdb_cursor_get(batch->track, &key_value, &value, MDB_SET_RANGE);
        if (rc == 0 &&
            (!key_read_track(bytes_of_val(&key_value), &found) || found.sequence != sequence)) {
            return 0;
        }
        rc = rc != 0 ? rc : batch_del_current(batch, TABLE_TRACK, batch->track);
        (*most)--;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum track_state state_now(const struct batch *batch, const struct track_key *key,
                                  const struct track_record *fields)
{
    const struct mailbox *mailbox = mailbox_find(&batch->store->mailboxes, key->mailbox);
    const struct entry_key entry = {.mailbox = key->mailbox,
                                    .lane = fields->lane,
                                    .due_ms = fields->due_ms,
                                    .sequence = key->sequence};
    bool taken =
        fields->state == TRACK_WAITING && mailbox != NULL && claims_has(&mailbox->claims, &entry);
    return taken ? TRACK_DELIVERED : (enum track_state)fields->state;
}

static int list_rows(struct batch *batch, MDB_cursor *cursor, const struct store_op *op,
                     struct store_result *result)
{
    struct record_key from;
    struct track_key found = {0};
    bool more = true;
    uint32_t looks = 0;
    key_track(&from, result->track.sequence,
              op->track.from > op->track.after ? op->track.from : op->track.after);
    MDB_val key = val_of_key(&from);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && more && key_read_track(bytes_of_val(&key), &found) &&
           found.sequence == result->track.sequence) {
        struct track_record fields;
        if (op->track.looks > 0 && looks++ == op->track.looks) {
            result->track.next = found.mailbox;
            return 0;
        }
        if (record_read_track(bytes_of_val(&key), bytes_of_val(&value), &fields)) {
            const struct store_track_row row = {.mailbox = found.mailbox,
                                                .attempts = fields.attempts,
                                                .code = fields.code,
                                                .since_ms = fields.since_ms,
                                                .state = state_now(batch, &found, &fields)};
            more = track_list(op, &row, result);
        }
        batch->moved_bytes += value.mv_size;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_track(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct duplicate_record known = {0};
    MDB_cursor *cursor = NULL;
    int rc = duplicate_known(batch, op->track.sender, op->track.id, &known);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    size_t most = op->track.max_rows > 0 ? op->track.max_rows : 1;
    result->track.rows = rc == 0 ? calloc(most, sizeof *result->track.rows) : NULL;
    if (rc != 0 || result->track.rows == NULL) {
        return rc != 0 ? rc : ENOMEM;
    }
    result->track.sequence = known.sequence;
    result->track.accepted_ms = known.accepted_ms;
    result->track.expires_ms = known.expires_ms;
    result->track.deadline_ms = known.deadline_ms;
    result->track.flow = known.flow;
    rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_TRACK], &cursor);
    if (rc == 0) {
        rc = list_rows(batch, cursor, op, result);
        mdb_cursor_close(cursor);
    }
    return rc;
}
