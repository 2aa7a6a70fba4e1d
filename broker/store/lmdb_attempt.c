/* SPDX-License-Identifier: EUPL-1.2
 *
 * What became of the attempts to deliver an entry: written with the op that ends an attempt, read
 * for its dead letter, gone with the entry. The last STORED_HISTORY are kept, while appends have
 * room: what is kept for acks is not for a recipient to fill with reasons. Writer thread.
 */
#include "store/lmdb_attempt.h"

#include <errno.h>
#include <stdlib.h>

enum { COST_ATTEMPT_BYTES = 512 /* the longest record and its share of a page */ };

int attempt_keep(struct batch *batch, const struct entry_key *entry,
                 const struct stored_attempt *attempt)
{
    struct record_key key;
    struct small_record record;
    struct dead_key name = {.mailbox = entry->mailbox, .sequence = entry->sequence};
    if (attempt == NULL || batch->refuse_appends || !room_take(batch->store, COST_ATTEMPT_BYTES)) {
        return 0;
    }
    key_attempt(&key, &name, attempt->number);
    record_write_attempt(&record, &key, attempt);
    int rc = batch_put(batch, TABLE_ATTEMPT, &key, &record, 0);
    if (rc != 0 || attempt->number <= STORED_HISTORY) {
        return rc;
    }
    key_attempt(&key, &name, attempt->number - STORED_HISTORY);
    rc = batch_del(batch, TABLE_ATTEMPT, &key);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The next of the entry's, from the cursor's place or `from`. MDB_NOTFOUND: there is none. */
static int next(MDB_cursor *cursor, const struct dead_key *name, uint32_t from, MDB_val *out_key,
                MDB_val *out_value)
{
    struct record_key key;
    struct dead_key found = {0};
    uint32_t number = 0;
    key_attempt(&key, name, from);
    *out_key = val_of_key(&key);
    int rc = mdb_cursor_get(cursor, out_key, out_value, MDB_SET_RANGE);
    if (rc == 0 && (!key_read_attempt(bytes_of_val(out_key), &found, &number) ||
                    found.mailbox != name->mailbox || found.sequence != name->sequence)) {
        rc = MDB_NOTFOUND;
    }
    return rc;
}

int attempts_forget(struct batch *batch, const struct dead_key *name)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_ATTEMPT], &cursor);
    while (rc == 0 && (rc = next(cursor, name, 0, &key, &value)) == 0) {
        rc = batch_del_current(batch, TABLE_ATTEMPT, cursor);
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int attempts_read(struct batch *batch, const struct dead_key *name, struct store_dead *out_dead)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    struct dead_key found = {0};
    uint32_t number = 0;
    out_dead->history = calloc(STORED_HISTORY, sizeof *out_dead->history);
    if (out_dead->history == NULL) {
        return ENOMEM;
    }
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_ATTEMPT], &cursor);
    while (rc == 0 && out_dead->history_count < STORED_HISTORY &&
           (rc = next(cursor, name, number, &key, &value)) == 0) {
        struct stored_attempt *attempt = &out_dead->history[out_dead->history_count];
        (void)key_read_attempt(bytes_of_val(&key), &found, &number);
        /* One that does not match is left out: the letter itself is whole. */
        if (record_read_attempt(bytes_of_val(&key), bytes_of_val(&value), attempt)) {
            attempt->number = number;
            out_dead->history_count++;
        }
        number++;
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}
