/* SPDX-License-Identifier: EUPL-1.2
 *
 * The bytes of stored payloads: segments of one size in the table `content`, under a number of
 * their own. A segment has the size of a message's, so that LMDB uses the runs of pages again that
 * either leaves.
 *
 * Invariants: 1. a segment is handed out only when its checksum matches its place, so bytes of two
 * contents are never mixed; 2. a content goes in steps: one of 4 GiB has 65,560 segments, and a
 * transaction that frees them all would stop everybody. Writer thread.
 */
#include "store/lmdb_upload.h"

#include <errno.h>
#include <string.h>

static int write_segment(struct batch *batch, uint64_t content, uint32_t segment,
                         struct bytes piece)
{
    struct record_key key;
    key_content(&key, content, segment);
    size_t size = RECORD_HEAD_BYTES + piece.size;
    uint8_t *record = NULL;
    int rc = batch_reserve(batch, TABLE_CONTENT, &key, size, 0, &record);
    if (rc == 0) {
        memcpy(record + RECORD_HEAD_BYTES, piece.data, piece.size);
        batch_seal(batch, TABLE_CONTENT, &key, record, size);
    }
    return rc;
}

int content_write(struct batch *batch, uint64_t content, uint64_t offset, struct bytes data)
{
    uint32_t segment = (uint32_t)(offset / STORED_SEGMENT_BYTES);
    int rc = 0;
    while (rc == 0 && data.size > 0) {
        size_t size = data.size < STORED_SEGMENT_BYTES ? data.size : STORED_SEGMENT_BYTES;
        rc = write_segment(batch, content, segment, (struct bytes){data.data, size});
        data.data += size;
        data.size -= size;
        segment++;
    }
    return rc;
}

/* The bytes of one segment from `skip` on, as many as there are and `left` wants. MDB_NOTFOUND: it
 * is not whole. */
static int copy_segment(struct batch *batch, const struct record_key *key, size_t skip,
                        uint8_t *out, size_t left, size_t *out_size)
{
    struct bytes record = {0};
    struct bytes body = {0};
    int rc = batch_get(batch, TABLE_CONTENT, key, &record);
    if (rc != 0) {
        return rc;
    }
    if (!record_open(TABLE_CONTENT, key_bytes(key), record, &body) || body.size <= skip) {
        return MDB_NOTFOUND;
    }
    *out_size = body.size - skip < left ? body.size - skip : left;
    memcpy(out, body.data + skip, *out_size);
    return 0;
}

static int copy_content(struct batch *batch, const struct store_op *op, uint8_t *out)
{
    uint32_t segment = (uint32_t)(op->fetch.offset / STORED_SEGMENT_BYTES);
    size_t skip = op->fetch.offset % STORED_SEGMENT_BYTES;
    size_t left = op->fetch.bytes;
    int rc = 0;
    while (rc == 0 && left > 0) {
        struct record_key key;
        size_t size = 0;
        key_content(&key, op->fetch.content, segment);
        rc = copy_segment(batch, &key, skip, out, left, &size);
        out += size;
        left -= size;
        skip = 0;
        segment++;
    }
    return rc;
}

int content_fetch(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(op->fetch.bytes, &data);
    if (buffer == NULL) {
        return ENOMEM;
    }
    int rc = copy_content(batch, op, data);
    batch->moved_bytes += op->fetch.bytes;
    if (rc == 0) {
        result->fetched.payload = (struct bytes){data, op->fetch.bytes};
        result->fetched.payload_buffer = buffer;
        return 0;
    }
    buffer_unref(buffer);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_DAMAGED;
        rc = 0;
    }
    return rc;
}

int content_doom(struct batch *batch, uint64_t content)
{
    struct record_key key;
    struct small_record record;
    key_doomed(&key, content);
    record_write_number(&record, TABLE_DOOMED, &key, 0);
    batch->changed = true;
    batch->store->doomed = true;
    return batch_put(batch, TABLE_DOOMED, &key, &record, 0);
}

/* Segments of one content, at most *left, which counts down; *out_gone when none is left. */
static int erase_segments(struct batch *batch, MDB_cursor *cursor, uint64_t content, uint32_t *left,
                          bool *out_gone)
{
    int rc = 0;
    *out_gone = false;
    while (rc == 0 && *left > 0) {
        struct record_key key;
        uint64_t found = 0;
        key_content(&key, content, 0);
        MDB_val key_value = val_of_key(&key);
        MDB_val value;
        rc = mdb_cursor_get(cursor, &key_value, &value, MDB_SET_RANGE);
        if (rc != 0 || !key_read_sequence(bytes_of_val(&key_value), &found) || found != content) {
            *out_gone = true;
            return rc == MDB_NOTFOUND ? 0 : rc;
        }
        rc = batch_del_current(batch, TABLE_CONTENT, cursor);
        batch->changed = true;
        (*left)--;
    }
    return rc;
}

/* The first that is doomed; MDB_NOTFOUND: none is. */
static int first_doomed(struct batch *batch, uint64_t *out_content)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_DOOMED], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc == 0 && !key_read_sequence(bytes_of_val(&key), out_content)) {
        rc = MDB_CORRUPTED;
    }
    mdb_cursor_close(cursor);
    return rc;
}

int content_erase(struct batch *batch)
{
    uint32_t left = CONTENT_ERASE_SEGMENTS;
    MDB_cursor *cursor = NULL;
    int rc = 0;
    if (!batch->store->doomed) {
        return 0;
    }
    rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_CONTENT], &cursor);
    while (rc == 0 && left > 0) {
        uint64_t content = 0;
        bool gone = false;
        struct record_key key;
        rc = first_doomed(batch, &content);
        rc = rc != 0 ? rc : erase_segments(batch, cursor, content, &left, &gone);
        if (rc == 0 && gone) {
            key_doomed(&key, content);
            batch->changed = true;
            rc = batch_del(batch, TABLE_DOOMED, &key);
        }
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    batch->erased_all = rc == MDB_NOTFOUND;
    return rc == MDB_NOTFOUND ? 0 : rc;
}
