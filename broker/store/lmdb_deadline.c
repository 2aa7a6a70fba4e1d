/* SPDX-License-Identifier: EUPL-1.2
 *
 * See lmdb_deadline.h.
 *
 * Invariants: 1. a step is done in the transaction that stores what it says, so a crash neither
 * loses nor repeats a reminder; 2. a reminder is stored for those alone who, in that transaction,
 * have not acknowledged; 3. a deadline that is broken goes, and stops no other; 4. who has nothing
 * left to remind of has no row: it goes at its next step.
 */
#include "store/lmdb_deadline.h"

#include "store/deadline.h"
#include "store/lmdb_known.h"
#include "store/record_deadline.h"
#include "store/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int put(struct batch *batch, const struct deadline_key *name,
               const struct stored_deadline *deadline)
{
    struct record_key key;
    struct small_record record;
    key_deadline(&key, name);
    record_write_deadline(&record, &key, deadline);
    batch->changed = true;
    return batch_put(batch, TABLE_DEADLINE, &key, &record, 0);
}

static int del(struct batch *batch, const struct deadline_key *name)
{
    struct record_key key;
    key_deadline(&key, name);
    batch->changed = true;
    return batch_del(batch, TABLE_DEADLINE, &key);
}

int deadline_begin(struct batch *batch, const struct store_op *op, uint64_t sequence)
{
    const struct stored_deadline *deadline = op->append.deadline;
    if (deadline == NULL || op->append.recipient_count == 0) {
        return 0;
    }
    const struct deadline_key name = {.at_ms = stored_deadline_at(deadline, deadline->step),
                                      .sequence = sequence};
    return put(batch, &name, deadline);
}

/* Looks at one recipient's row. False: no more is wanted. */
typedef bool (*look_at)(void *context, const struct store_track_row *row);

/* The rows of a message behind a mailbox, in their order. */
static int walk(struct batch *batch, uint64_t sequence, uint32_t after, look_at look, void *context)
{
    MDB_cursor *cursor = NULL;
    struct record_key from;
    struct track_key found = {0};
    MDB_val value;
    bool more = true;
    key_track(&from, sequence, after);
    MDB_val key = val_of_key(&from);
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_TRACK], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && more && key_read_track(bytes_of_val(&key), &found) &&
           found.sequence == sequence) {
        struct track_record fields;
        if ((after == 0 || found.mailbox > after) &&
            record_read_track(bytes_of_val(&key), bytes_of_val(&value), &fields)) {
            const struct store_track_row row = {.mailbox = found.mailbox,
                                                .attempts = fields.attempts,
                                                .code = fields.code,
                                                .since_ms = fields.since_ms,
                                                .state = (enum track_state)fields.state};
            more = look(context, &row);
        }
        batch->moved_bytes += value.mv_size;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What the step asks for becomes the append's own recipients: `reminded` holds them. */
static int pass_step(struct batch *batch, const struct store_op *op,
                     struct stored_deadline *deadline, struct reminded *reminded,
                     struct store_result *result)
{
    const struct deadline_pass *pass = &op->append.pass;
    struct store_op own = *op;
    uint64_t known = 0;
    int rc = MDB_NOTFOUND;
    if (pass->step < deadline->remind_count) {
        rc = walk(batch, pass->sequence, stored_deadline_after(deadline, pass->step), reminded_add,
                  reminded);
        if (rc != 0) {
            return rc;
        }
        own.append.recipients = reminded->recipients;
        own.append.recipient_count = reminded->count;
    }
    if (own.append.recipient_count > 0) {
        rc = duplicate_find(batch, op->append.sender, op->append.id, op->now_ms, &known);
        result->append.duplicate = rc == 0;
        result->append.sequence = known;
        rc = rc == MDB_NOTFOUND ? batch_append_new(batch, &own, result) : rc;
    } else {
        rc = 0;
    }
    if (rc != 0 || result->status != STORE_DONE || result->append.duplicate) {
        return rc;
    }
    return reminded_tell(reminded, result) ? 0 : ENOMEM;
}

int batch_pass(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    const struct deadline_pass *pass = &op->append.pass;
    struct deadline_key name = {.at_ms = pass->at_ms, .sequence = pass->sequence};
    struct record_key key;
    struct bytes record = {0};
    struct stored_deadline deadline;
    struct reminded reminded;
    key_deadline(&key, &name);
    int rc = batch_get(batch, TABLE_DEADLINE, &key, &record);
    if (rc != 0 || !record_read_deadline(key_bytes(&key), record, &deadline) ||
        pass->step < deadline.step) {
        result->status = STORE_NOT_FOUND;
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    if (!reminded_init(&reminded, op)) {
        return ENOMEM;
    }
    rc = pass_step(batch, op, &deadline, &reminded, result);
    if (rc == 0 && result->status == STORE_DONE) {
        bool stays = reminded_pass(&reminded, &deadline, pass->step);
        rc = del(batch, &name);
        name.at_ms = stored_deadline_at(&deadline, deadline.step);
        rc = rc == 0 && stays ? put(batch, &name, &deadline) : rc;
    }
    reminded_fini(&reminded);
    return rc;
}

static bool count(void *context, const struct store_track_row *row)
{
    due_count(context, row);
    return true;
}

/* The first that is whole; sequence 0: none is. */
static int read_first(struct batch *batch, MDB_cursor *cursor, struct store_due *due)
{
    MDB_val key;
    MDB_val value;
    struct deadline_key name;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0 &&
           (!key_read_deadline(bytes_of_val(&key), &name) ||
            !record_read_deadline(bytes_of_val(&key), bytes_of_val(&value), &due->deadline))) {
        struct record_key broken = {.size = key.mv_size};
        if (!batch->writes) {
            return BATCH_NEEDS_WRITE;
        }
        if (key.mv_size > sizeof broken.data) {
            return MDB_CORRUPTED;
        }
        memcpy(broken.data, key.mv_data, key.mv_size);
        batch->changed = true;
        rc = batch_del(batch, TABLE_DEADLINE, &broken);
        rc = rc != 0 ? rc : mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    }
    if (rc == 0) {
        due->at_ms = name.at_ms;
        due->sequence = name.sequence;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_due(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    MDB_cursor *cursor = NULL;
    struct store_due *due = calloc(1, sizeof *due);
    result->due = due;
    if (due == NULL) {
        return ENOMEM;
    }
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_DEADLINE], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = read_first(batch, cursor, due);
    mdb_cursor_close(cursor);
    if (rc != 0 || due->sequence == 0 || due->deadline.deadline_ms > op->now_ms) {
        return rc;
    }
    return walk(batch, due->sequence, 0, count, due);
}
