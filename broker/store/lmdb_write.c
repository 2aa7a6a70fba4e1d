/* SPDX-License-Identifier: EUPL-1.2
 *
 * Everything that a batch writes into its transaction goes through here. Writer thread.
 */
#include "store/lmdb_store.h"

static MDB_dbi table_of(const struct batch *batch, enum table table)
{
    return batch->store->tables[table];
}

int batch_put(struct batch *batch, enum table table, const struct record_key *key,
              const struct small_record *record, unsigned flags)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value = val_of_record(record);
    return mdb_put(batch->txn, table_of(batch, table), &key_value, &value, flags);
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
    (void)batch;
    record_seal(table, key_bytes(key), record, size);
}

int batch_del(struct batch *batch, enum table table, const struct record_key *key)
{
    MDB_val key_value = val_of_key(key);
    return mdb_del(batch->txn, table_of(batch, table), &key_value, NULL);
}

int batch_del_current(struct batch *batch, enum table table, MDB_cursor *cursor)
{
    (void)batch;
    (void)table;
    return mdb_cursor_del(cursor, 0);
}

int batch_put_current(struct batch *batch, enum table table, MDB_cursor *cursor,
                      const struct record_key *key, const struct small_record *record)
{
    (void)batch;
    (void)table;
    MDB_val key_value = val_of_key(key);
    MDB_val value = val_of_record(record);
    return mdb_cursor_put(cursor, &key_value, &value, MDB_CURRENT);
}
