/* SPDX-License-Identifier: EUPL-1.2
 *
 * Order: of the entries of one mailbox and order, the first is in its lane or waits for its time
 * (the *head*), the others stand in `behind` until it is gone for good.
 *
 * Invariants: 1. `order_head` has an order exactly while an entry of it is in a lane or waits for
 * its time; 2. `behind` has nothing of an order without a head; 3. the take path knows nothing of
 * order. Damage that breaks 1 or 2 is mended: a broken head is found by its sequence, and when
 * nothing of a mailbox can be taken any more but something is behind, the heads are made anew.
 * Writer thread.
 */
#include "store/lmdb_order.h"

#include <string.h>

static int put_head(struct batch *batch, uint32_t mailbox, uint64_t order, uint64_t sequence)
{
    struct record_key key;
    struct small_record record;
    key_order_head(&key, mailbox, order);
    record_write_order_head(&record, &key, sequence);
    return batch_put(batch, TABLE_ORDER_HEAD, &key, &record, 0);
}

static int put_behind(struct batch *batch, struct mailbox *mailbox, const struct entry_key *entry,
                      const struct entry_record *fields)
{
    struct record_key key;
    struct small_record record;
    struct behind_key place = {
        .mailbox = mailbox->id, .order = fields->order, .sequence = entry->sequence};
    struct behind_record behind = {.attempts = fields->attempts,
                                   .bytes = fields->bytes,
                                   .lane = entry->lane,
                                   .due_ms = entry->due_ms,
                                   .sender = fields->sender};
    key_behind(&key, &place);
    record_write_behind(&record, &key, &behind);
    int rc = batch_put(batch, TABLE_BEHIND, &key, &record, MDB_NOOVERWRITE);
    rc = rc != 0 ? rc : batch_touch(batch, mailbox);
    if (rc == 0) {
        mailbox->counts.behind++;
        mailbox_count_in(mailbox, fields->bytes);
    }
    return rc;
}

int order_admit(struct batch *batch, struct mailbox *mailbox, const struct entry_key *entry,
                const struct entry_record *fields)
{
    struct record_key key;
    struct bytes record;
    if (fields->order == 0) {
        return batch_put_entry(batch, mailbox, entry, fields);
    }
    key_order_head(&key, mailbox->id, fields->order);
    int rc = batch_get(batch, TABLE_ORDER_HEAD, &key, &record);
    if (rc == 0) {
        return put_behind(batch, mailbox, entry, fields);
    }
    if (rc == MDB_NOTFOUND) {
        rc = put_head(batch, mailbox->id, fields->order, entry->sequence);
        rc = rc != 0 ? rc : batch_put_entry(batch, mailbox, entry, fields);
    }
    return rc;
}

/* A record of `behind` that does not match goes to a lane as it is: the take that finds it there
 * moves it aside, as it does with every damaged entry. */
static int put_broken(struct batch *batch, struct mailbox *mailbox, uint64_t sequence)
{
    struct record_key key;
    struct small_record record = {.size = RECORD_HEAD_BYTES};
    struct entry_key entry = {.mailbox = mailbox->id, .lane = LANE_NORMAL, .sequence = sequence};
    memset(record.data, 0, record.size);
    key_entry(&key, &entry);
    int rc = batch_put(batch, TABLE_READY, &key, &record, 0);
    if (rc == 0) {
        claims_lower(&mailbox->claims, &entry);
    }
    return rc;
}

/* The entry under the cursor becomes the head of its order. */
static int promote(struct batch *batch, struct mailbox *mailbox, MDB_cursor *cursor,
                   const struct behind_key *place, struct store_turn *out_turn)
{
    struct record_key key;
    struct behind_record behind = {0};
    MDB_val raw_key;
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &raw_key, &value, MDB_GET_CURRENT);
    if (rc != 0) {
        return rc;
    }
    key_behind(&key, place);
    bool whole = record_read_behind(key_bytes(&key), bytes_of_val(&value), &behind);
    rc = batch_del_current(batch, TABLE_BEHIND, cursor);
    rc = rc != 0 ? rc : batch_touch(batch, mailbox);
    rc = rc != 0 ? rc : put_head(batch, place->mailbox, place->order, place->sequence);
    if (rc != 0) {
        return rc;
    }
    mailbox->counts.behind -= mailbox->counts.behind > 0 ? 1 : 0;
    *out_turn = (struct store_turn){.passed = true, .due_ms = behind.due_ms};
    if (!whole) {
        return put_broken(batch, mailbox, place->sequence);
    }
    struct entry_key entry = {.mailbox = place->mailbox,
                              .lane = behind.lane,
                              .due_ms = behind.due_ms,
                              .sequence = place->sequence};
    struct entry_record fields = {.attempts = behind.attempts,
                                  .bytes = behind.bytes,
                                  .sender = behind.sender,
                                  .order = place->order};
    mailbox_count_out(mailbox, behind.bytes); /* counted in again */
    return batch_put_entry(batch, mailbox, &entry, &fields);
}

int order_remove(struct batch *batch, struct mailbox *mailbox, uint64_t order, uint64_t sequence,
                 struct entry_record *out_entry)
{
    struct record_key key;
    struct bytes record = {0};
    struct behind_record behind = {0};
    const struct behind_key place = {.mailbox = mailbox->id, .order = order, .sequence = sequence};
    key_behind(&key, &place);
    int rc = batch_get(batch, TABLE_BEHIND, &key, &record);
    if (rc != 0) {
        return rc;
    }
    (void)record_read_behind(key_bytes(&key), record, &behind);
    rc = batch_del(batch, TABLE_BEHIND, &key);
    rc = rc != 0 ? rc : batch_touch(batch, mailbox);
    if (rc == 0) {
        mailbox->counts.behind -= mailbox->counts.behind > 0 ? 1 : 0;
        mailbox_count_out(mailbox, behind.bytes);
    }
    *out_entry = (struct entry_record){.attempts = behind.attempts,
                                       .bytes = behind.bytes,
                                       .sender = behind.sender,
                                       .order = order};
    return rc;
}

int order_bury(struct batch *batch, struct mailbox *mailbox, const struct entry_key *entry,
               uint64_t order, struct dead_record *dead)
{
    const struct behind_key place = {
        .mailbox = mailbox->id, .order = order, .sequence = entry->sequence};
    struct record_key key;
    struct bytes record = {0};
    struct behind_record behind = {0};
    struct entry_record gone = {0};
    key_behind(&key, &place);
    int rc = batch_get(batch, TABLE_BEHIND, &key, &record);
    if (rc == 0 && !record_read_behind(key_bytes(&key), record, &behind)) {
        rc = MDB_NOTFOUND;
    }
    rc = rc != 0 ? rc : order_remove(batch, mailbox, order, entry->sequence, &gone);
    if (rc != 0) {
        return rc;
    }
    dead->bytes = behind.bytes;
    dead->order = order;
    dead->lane = behind.lane;
    dead->sender = behind.sender;
    return batch_put_dead(batch, mailbox, entry, dead);
}

/* MDB_NOTFOUND: nothing of the mailbox at `from` or behind it; broken keys are passed by. */
static int seek(MDB_cursor *cursor, const struct behind_key *from, struct behind_key *out_found)
{
    struct record_key key;
    key_behind(&key, from);
    MDB_val found = val_of_key(&key);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
    while (rc == 0 && !key_read_behind(bytes_of_val(&found), out_found)) {
        rc = mdb_cursor_get(cursor, &found, &value, MDB_NEXT);
    }
    return rc == 0 && out_found->mailbox != from->mailbox ? MDB_NOTFOUND : rc;
}

int order_find(struct batch *batch, uint32_t mailbox, uint64_t sequence, uint64_t *out_order)
{
    MDB_cursor *cursor = NULL;
    struct record_key from;
    MDB_val value;
    key_order_head(&from, mailbox, 0);
    MDB_val key = val_of_key(&from);
    *out_order = 0;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_ORDER_HEAD], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && *out_order == 0) {
        uint32_t of = 0;
        uint64_t order = 0;
        uint64_t head = 0;
        if (key_read_order_head(bytes_of_val(&key), &of, &order) && of != mailbox) {
            break;
        }
        if (record_read_order_head(bytes_of_val(&key), bytes_of_val(&value), &head) &&
            head == sequence) {
            *out_order = order;
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int drop_head(struct batch *batch, uint32_t mailbox, uint64_t order)
{
    struct record_key key;
    key_order_head(&key, mailbox, order);
    int rc = batch_del(batch, TABLE_ORDER_HEAD, &key);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int order_pass(struct batch *batch, struct mailbox *mailbox, uint64_t order,
               struct store_turn *out_turn)
{
    MDB_cursor *cursor = NULL;
    struct behind_key first = {.mailbox = mailbox->id, .order = order};
    struct behind_key found = {0};
    if (order == 0) {
        return 0;
    }
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_BEHIND], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = seek(cursor, &first, &found);
    if (rc == 0 && found.order == order) {
        rc = promote(batch, mailbox, cursor, &found, out_turn);
    } else if (rc == 0 || rc == MDB_NOTFOUND) {
        rc = drop_head(batch, mailbox->id, order);
    }
    mdb_cursor_close(cursor);
    return rc;
}

int order_mend(struct batch *batch, struct mailbox *mailbox)
{
    MDB_cursor *cursor = NULL;
    struct behind_key from = {.mailbox = mailbox->id};
    struct behind_key found = {0};
    struct store_turn turn = {0};
    uint64_t behind = 0;
    uint64_t last_order = 0; /* no order is 0 */
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_BEHIND], &cursor);
    while (rc == 0 && (rc = seek(cursor, &from, &found)) == 0) {
        if (found.order != last_order) {
            last_order = found.order;
            rc = promote(batch, mailbox, cursor, &found, &turn);
        } else {
            behind++;
        }
        from = found;
        from.sequence++; /* sequences end long before this wraps */
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    mailbox->counts.behind = behind;
    return rc == MDB_NOTFOUND ? batch_touch(batch, mailbox) : rc;
}
