/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which (sender, id) were accepted within the window, so that a repeated submit is stored once.
 * The table `duplicate` finds them, `duplicate_age` says which are the oldest.
 *
 * Invariants: 1. each record of `duplicate` has its age, written in the same transaction; an age
 * can be left of an id that was accepted anew, and says nothing about it; 2. a broken record counts
 * as unknown, for storing twice is allowed and losing is not.
 */
#include "store/lmdb_store.h"

#include <string.h>

enum {
    /* Beyond one for each append of the batch, so that a backlog shrinks but no batch is long. */
    PRUNE_SPARE = 64,
};

static bool is_within(const struct batch *batch, int64_t accepted_ms, int64_t now_ms)
{
    return now_ms - accepted_ms < batch->store->settings.duplicate_window_ms;
}

static int read_known(struct batch *batch, const struct record_key *key,
                      struct duplicate_record *out_known)
{
    struct bytes record = {0};
    int rc = batch_get(batch, TABLE_DUPLICATE, key, &record);
    if (rc != 0) {
        return rc;
    }
    return record_read_duplicate(key_bytes(key), record, out_known) ? 0 : MDB_NOTFOUND;
}

int duplicate_find(struct batch *batch, const char *sender, const char *id, int64_t now_ms,
                   uint64_t *out_sequence)
{
    struct record_key key;
    struct duplicate_record known = {0};
    key_duplicate(&key, sender, id);
    int rc = read_known(batch, &key, &known);
    if (rc == 0 && !is_within(batch, known.accepted_ms, now_ms)) {
        rc = MDB_NOTFOUND;
    }
    if (rc == 0) {
        *out_sequence = known.sequence;
    }
    return rc;
}

int duplicate_remember(struct batch *batch, const struct store_op *op, uint64_t sequence)
{
    struct duplicate_record fresh = {.sequence = sequence, .accepted_ms = op->now_ms};
    struct record_key key;
    struct record_key age;
    struct small_record record;
    key_duplicate(&key, op->append.sender, op->append.id);
    record_write_duplicate(&record, &key, &fresh);
    int rc = batch_put(batch, TABLE_DUPLICATE, &key, &record, 0);
    if (rc != 0) {
        return rc;
    }
    key_duplicate_age(&age, &fresh);
    record_write_duplicate_age(&record, &age, &key);
    return batch_put(batch, TABLE_DUPLICATE_AGE, &age, &record, 0);
}

/* Deletes the record that the oldest age names, unless the id was accepted anew since. */
static int forget(struct batch *batch, const MDB_val *age_key, const MDB_val *age_value,
                  const struct duplicate_record *oldest)
{
    struct bytes name = {0};
    struct duplicate_record known = {0};
    struct record_key key;
    if (!record_read_duplicate_age(bytes_of_val(age_key), bytes_of_val(age_value), &name)) {
        return 0;
    }
    memcpy(key.data, name.data, name.size);
    key.size = name.size;
    int rc = read_known(batch, &key, &known);
    if (rc == 0 && known.sequence == oldest->sequence) {
        rc = batch_del(batch, TABLE_DUPLICATE, &key);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* *out_done when the oldest may stay. */
static int prune_one(struct batch *batch, MDB_cursor *cursor, bool too_many, bool *out_done)
{
    MDB_val key;
    MDB_val value;
    struct duplicate_record oldest = {0};
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc != 0) {
        *out_done = true;
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    bool known = key_read_duplicate_age(bytes_of_val(&key), &oldest);
    if (known && !too_many && is_within(batch, oldest.accepted_ms, batch->last_time_ms)) {
        *out_done = true;
        return 0;
    }
    rc = known ? forget(batch, &key, &value, &oldest) : 0;
    return rc != 0 ? rc : mdb_cursor_del(cursor, 0);
}

int duplicate_prune(struct batch *batch)
{
    MDB_cursor *cursor = NULL;
    MDB_stat stat;
    const MDB_dbi *tables = batch->store->tables;
    int rc = mdb_stat(batch->txn, tables[TABLE_DUPLICATE], &stat);
    rc = rc != 0 ? rc : mdb_cursor_open(batch->txn, tables[TABLE_DUPLICATE_AGE], &cursor);
    if (rc != 0) {
        return rc;
    }
    uint64_t count = stat.ms_entries;
    bool done = false;
    for (size_t i = 0; rc == 0 && !done && i < batch->append_count + PRUNE_SPARE; i++) {
        rc = prune_one(batch, cursor, count > batch->store->settings.duplicate_max, &done);
        count -= done || count == 0 ? 0 : 1;
    }
    mdb_cursor_close(cursor);
    return rc;
}
