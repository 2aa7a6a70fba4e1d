/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters: looked at, put back to their lane, or gone for good.
 *
 * Invariants: 1. what is handed out was checked, and what does not match is shown as damaged, with
 * nothing of its message; 2. a dead letter goes to its lane only when its whole message can be
 * read; 3. one that cannot be read at all can still be dropped. Writer thread.
 */
#include "store/lmdb_attempt.h"
#include "store/lmdb_expiry.h"
#include "store/lmdb_known.h"
#include "store/lmdb_order.h"
#include "store/lmdb_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct mailbox *find_mailbox(const struct batch *batch, uint32_t id)
{
    return mailbox_find(&batch->store->mailboxes, id);
}

/* MDB_NOTFOUND: no such dead letter. */
static int get_dead(struct batch *batch, const struct dead_key *dead, struct record_key *out_key,
                    struct bytes *out_record)
{
    key_dead(out_key, dead->mailbox, dead->sequence);
    return batch_get(batch, TABLE_DEAD, out_key, out_record);
}

/* What the record says; a broken one is shown as damaged. */
static void lay_record(struct bytes key, struct bytes record, struct store_dead *out_dead)
{
    struct dead_record fields;
    if (!record_read_dead(key, record, &fields)) {
        out_dead->damaged = true;
        out_dead->code = STORED_CODE_DAMAGED;
        return;
    }
    out_dead->attempts = fields.attempts;
    out_dead->code = fields.code;
    out_dead->died_ms = fields.died_ms;
    out_dead->bytes = fields.bytes;
    size_t size = fields.reason.size;
    size = size < STORED_REASON_BYTES ? size : STORED_REASON_BYTES;
    if (size > 0) {
        memcpy(out_dead->reason, fields.reason.data, size);
    }
}

static int lay_message(struct batch *batch, bool whole, struct store_dead *out_dead)
{
    struct store_entry entry = {0};
    bool damaged = false;
    int rc = whole ? message_load(batch, out_dead->sequence, &entry, &damaged)
                   : message_load_envelope(batch, out_dead->sequence, &entry, &damaged);
    out_dead->damaged = out_dead->damaged || damaged;
    out_dead->accepted_ms = entry.accepted_ms;
    out_dead->expires_ms = entry.expires_ms;
    out_dead->stored_bytes = entry.stored_bytes;
    out_dead->message = entry.message;
    batch->moved_bytes += RECORD_SEGMENT_BYTES + entry.message.payload.size;
    return rc;
}

/* The letter under the cursor, into the list. */
static int list_one(struct batch *batch, const struct dead_key *found, const MDB_val *key,
                    const MDB_val *value, struct store_result *result)
{
    struct store_dead *dead = &result->dead.entries[result->dead.count++];
    dead->sequence = found->sequence;
    lay_record(bytes_of_val(key), bytes_of_val(value), dead);
    return lay_message(batch, false, dead);
}

static bool is_full(const struct store_op *op, const struct store_result *result, uint64_t bytes)
{
    return result->dead.count >= op->dead_list.max_entries ||
           (result->dead.count > 0 && bytes >= op->dead_list.max_bytes);
}

static int walk(struct batch *batch, MDB_cursor *cursor, const struct store_op *op,
                struct store_result *result)
{
    struct record_key from;
    struct dead_key found = {.mailbox = op->dead_list.mailbox};
    uint64_t bytes = 0;
    key_dead(&from, op->dead_list.mailbox, op->dead_list.after + 1);
    MDB_val key = val_of_key(&from);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0) {
        /* A broken key must not hide those behind it. */
        if (key_read_dead(bytes_of_val(&key), &found)) {
            if (found.mailbox != op->dead_list.mailbox) {
                return 0;
            }
            if (is_full(op, result, bytes)) {
                result->dead.more = true;
                return 0;
            }
            rc = list_one(batch, &found, &key, &value, result);
            bytes += result->dead.entries[result->dead.count - 1].message.envelope.size;
        }
        rc = rc != 0 ? rc : mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_dead_list(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    size_t most = op->dead_list.max_entries;
    if (find_mailbox(batch, op->dead_list.mailbox) == NULL) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    if (op->dead_list.after == UINT64_MAX) {
        return 0;
    }
    result->dead.entries = calloc(most > 0 ? most : 1, sizeof *result->dead.entries);
    if (result->dead.entries == NULL) {
        return ENOMEM;
    }
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_DEAD], &cursor);
    if (rc == 0) {
        rc = walk(batch, cursor, op, result);
        mdb_cursor_close(cursor);
    }
    return rc;
}

int batch_dead_read(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct record_key key;
    struct bytes record;
    int rc = get_dead(batch, &op->dead, &key, &record);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    struct store_dead *dead = calloc(1, sizeof *dead);
    if (dead == NULL) {
        return ENOMEM;
    }
    result->dead.entries = dead;
    result->dead.count = 1;
    dead->sequence = op->dead.sequence;
    lay_record(key_bytes(&key), record, dead);
    rc = lay_message(batch, true, dead);
    rc = rc != 0 ? rc : attempts_read(batch, &op->dead, dead);
    result->status = dead->damaged ? STORE_DAMAGED : STORE_DONE;
    return rc;
}

/* Out of the table; its reference on the message stays. */
static int remove_dead(struct batch *batch, struct mailbox *mailbox, const struct record_key *key)
{
    int rc = batch_del(batch, TABLE_DEAD, key);
    rc = rc != 0 ? rc : batch_touch(batch, mailbox);
    if (rc == 0 && mailbox->counts.dead > 0) {
        mailbox->counts.dead--;
    }
    return rc;
}

/* Whether its message can be read to the last byte. */
static int check_message(struct batch *batch, uint64_t sequence, int64_t *out_expires_ms,
                         bool *out_damaged)
{
    struct store_entry entry = {0};
    int rc = message_load(batch, sequence, &entry, out_damaged);
    batch->moved_bytes += entry.message.envelope.size + entry.message.payload.size;
    *out_expires_ms = entry.expires_ms;
    held_message_drop(&entry.message);
    return rc;
}

int batch_replay(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct mailbox *mailbox = find_mailbox(batch, op->dead.mailbox);
    struct record_key key;
    struct bytes record;
    struct dead_record fields = {0};
    int64_t expires_ms = 0;
    bool damaged = false;
    int rc = mailbox != NULL ? get_dead(batch, &op->dead, &key, &record) : MDB_NOTFOUND;
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    if (record_read_dead(key_bytes(&key), record, &fields) && fields.lane < LANE_COUNT) {
        rc = check_message(batch, op->dead.sequence, &expires_ms, &damaged);
    } else {
        damaged = true;
    }
    if (rc != 0 || damaged) {
        result->status = STORE_DAMAGED;
        return rc;
    }
    struct entry_key place = {
        .mailbox = mailbox->id, .lane = fields.lane, .sequence = op->dead.sequence};
    struct entry_record entry = {
        .bytes = fields.bytes, .sender = fields.sender, .order = fields.order};
    rc = remove_dead(batch, mailbox, &key);
    rc = rc != 0 ? rc : attempts_forget(batch, &op->dead);
    result->replayed_bytes = fields.bytes;
    rc = rc != 0 ? rc : order_admit(batch, mailbox, &place, &entry);
    rc = rc != 0 ? rc : expiry_begin(batch, place.sequence, expires_ms, fields.order);
    const struct track_record track = {
        .state = TRACK_WAITING, .lane = place.lane, .since_ms = op->now_ms};
    return rc != 0 ? rc : track_move(batch, place.sequence, place.mailbox, &track);
}

int batch_drop(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct mailbox *mailbox = find_mailbox(batch, op->dead.mailbox);
    struct record_key key;
    struct bytes record = {0};
    int rc = mailbox != NULL ? get_dead(batch, &op->dead, &key, &record) : MDB_NOTFOUND;
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    struct dead_record dropped = {0};
    if (rc == 0 && !record_read_dead(key_bytes(&key), record, &dropped)) {
        dropped = (struct dead_record){.code = STORED_CODE_DAMAGED};
    }
    const struct entry_record gone = {.bytes = dropped.bytes, .sender = dropped.sender};
    rc = rc != 0 ? rc : remove_dead(batch, mailbox, &key);
    rc = rc != 0 ? rc : attempts_forget(batch, &op->dead);
    const struct track_record track = {.state = TRACK_DROPPED,
                                       .attempts = dropped.attempts,
                                       .code = dropped.code,
                                       .since_ms = op->now_ms};
    rc = rc != 0 ? rc : track_move(batch, op->dead.sequence, op->dead.mailbox, &track);
    return rc != 0 ? rc : batch_release_message(batch, op->dead.sequence, &gone);
}
