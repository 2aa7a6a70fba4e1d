/* SPDX-License-Identifier: EUPL-1.2
 *
 * Everything that a batch writes goes through here: into the transaction, and into the frame of the
 * redo log that the batch becomes. Writer thread.
 */
#include "store/lmdb_store.h"

static struct redo *log_of(struct batch *batch)
{
    return &batch->store->redo;
}

static MDB_dbi table_of(const struct batch *batch, enum table table)
{
    return batch->store->tables[table];
}

int batch_put(struct batch *batch, enum table table, const struct record_key *key,
              const struct small_record *record, unsigned flags)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value = val_of_record(record);
    int rc = mdb_put(batch->txn, table_of(batch, table), &key_value, &value, flags);
    if (rc == 0) {
        redo_put(log_of(batch), table, key_bytes(key), bytes_of_val(&value));
    }
    return rc;
}

int batch_reserve(struct batch *batch, enum table table, const struct record_key *key, size_t size,
                  unsigned flags, uint8_t **out_record)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value = {.mv_size = size};
    int rc = mdb_put(batch->txn, table_of(batch, table), &key_value, &value, MDB_RESERVE | flags);
    *out_record = rc == 0 ? value.mv_data : NULL;
    return rc;
}

void batch_seal(struct batch *batch, enum table table, const struct record_key *key,
                uint8_t *record, size_t size)
{
    record_seal(table, key_bytes(key), record, size);
    redo_put(log_of(batch), table, key_bytes(key), (struct bytes){record, size});
}

int batch_del(struct batch *batch, enum table table, const struct record_key *key)
{
    MDB_val key_value = val_of_key(key);
    int rc = mdb_del(batch->txn, table_of(batch, table), &key_value, NULL);
    if (rc == 0) {
        redo_del(log_of(batch), table, key_bytes(key));
    }
    return rc;
}

int batch_del_current(struct batch *batch, enum table table, MDB_cursor *cursor)
{
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_GET_CURRENT);
    if (rc == 0) {
        redo_del(log_of(batch), table, bytes_of_val(&key));
        rc = mdb_cursor_del(cursor, 0);
    }
    return rc;
}

int batch_put_current(struct batch *batch, enum table table, MDB_cursor *cursor,
                      const struct record_key *key, const struct small_record *record)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value = val_of_record(record);
    int rc = mdb_cursor_put(cursor, &key_value, &value, MDB_CURRENT);
    if (rc == 0) {
        redo_put(log_of(batch), table, key_bytes(key), bytes_of_val(&value));
    }
    return rc;
}
