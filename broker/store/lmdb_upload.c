/* SPDX-License-Identifier: EUPL-1.2
 *
 * Payloads on their way in: which (member, id) has begun one, and how far it is on disk.
 *
 * Invariants: 1. the bytes of a chunk and the record that counts them are in one transaction, so
 * durable_bytes never says more than is there; 2. a content belongs to one upload or to one
 * message, or is doomed; 3. what was not touched for upload_keep_ms goes; 4. what a sender has
 * begun counts for its quota as if it were there (lmdb_sender.c). Writer thread.
 */
#include "store/lmdb_upload.h"
#include "store/lmdb_known.h"

#include <errno.h>
#include <string.h>

enum {
    PRUNE_EVERY_MS = 3600 * 1000,
    PRUNE_MOST = 256, /* erased in one batch; the next goes on */
    /* A sender with as many as it may have gives up the one that it has left alone so long. */
    IDLE_MS = 3600 * 1000,
};

static int put_upload(struct batch *batch, const struct record_key *key,
                      const struct upload_record *upload)
{
    struct small_record record;
    record_write_upload(&record, key, upload);
    batch->changed = true;
    return batch_put(batch, TABLE_UPLOAD, key, &record, 0);
}

static int get_upload(struct batch *batch, const struct record_key *key,
                      struct upload_record *out_upload)
{
    struct bytes record = {0};
    int rc = batch_get(batch, TABLE_UPLOAD, key, &record);
    if (rc != 0) {
        return rc;
    }
    /* A broken record begins anew; its content stays without an owner. */
    return record_read_upload(key_bytes(key), record, out_upload) ? 0 : MDB_NOTFOUND;
}

/* A key begins with the slug of the sender, and a zero. */
static const char *sender_of(const struct record_key *key)
{
    return (const char *)key->data;
}

static int erase(struct batch *batch, const struct record_key *key,
                 const struct upload_record *upload)
{
    int rc = batch_del(batch, TABLE_UPLOAD, key);
    batch->changed = true;
    batch_upload_ends(batch, sender_of(key), upload->bytes);
    return rc != 0 ? rc : content_doom(batch, upload->content);
}

static void keep_key(struct record_key *out_key, const MDB_val *key)
{
    out_key->size = key->mv_size < sizeof out_key->data ? key->mv_size : sizeof out_key->data;
    memcpy(out_key->data, key->mv_data, out_key->size);
}

/* The uploads of one sender, or of all. */
struct survey {
    uint32_t count;
    struct record_key oldest_key;
    struct upload_record oldest; /* touched the longest ago; content 0: none */
};

static void look(struct survey *survey, const MDB_val *key, const struct upload_record *upload)
{
    if (survey->oldest.content == 0 || upload->touched_ms < survey->oldest.touched_ms) {
        survey->oldest = *upload;
        keep_key(&survey->oldest_key, key);
    }
}

static int survey(struct batch *batch, const struct record_key *prefix, struct survey *out_survey)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = val_of_key(prefix);
    MDB_val value;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_UPLOAD], &cursor);
    if (rc != 0) {
        return rc;
    }
    *out_survey = (struct survey){0};
    rc = mdb_cursor_get(cursor, &key, &value, prefix->size > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && key.mv_size >= prefix->size &&
           memcmp(key.mv_data, prefix->data, prefix->size) == 0) {
        struct upload_record upload;
        out_survey->count++;
        if (record_read_upload(bytes_of_val(&key), bytes_of_val(&value), &upload)) {
            look(out_survey, &key, &upload);
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What a sender has begun counts as if it were there: else it could fill the disk with payloads
 * that it never submits. */
static bool is_over(const struct batch *batch, const struct store_op *op)
{
    const struct store_usage usage =
        sender_usage(sender_find(&batch->store->senders, op->upload.sender));
    return op->upload.quota > 0 && usage.bytes + op->upload.bytes > op->upload.quota;
}

/* Room for one more of this sender; *out_status says why there is none. */
static int make_place(struct batch *batch, const struct store_op *op, enum store_status *out_status)
{
    struct record_key prefix;
    struct survey found;
    key_upload(&prefix, op->upload.sender, "");
    int rc = survey(batch, &prefix, &found);
    if (rc == 0 && is_over(batch, op)) {
        *out_status = STORE_OVER_QUOTA;
        return 0;
    }
    if (rc != 0 || found.count < op->upload.most) {
        return rc;
    }
    if (found.oldest.content == 0 || op->now_ms - found.oldest.touched_ms < IDLE_MS) {
        *out_status = STORE_TOO_MANY;
        return 0;
    }
    return erase(batch, &found.oldest_key, &found.oldest);
}

static int begin(struct batch *batch, const struct store_op *op, const struct record_key *key,
                 struct store_result *result)
{
    struct upload_record upload = {.bytes = op->upload.bytes, .touched_ms = op->now_ms};
    if (batch->refuse_appends || !room_has(batch->store, op->upload.bytes)) {
        result->status = STORE_NO_ROOM;
        return 0;
    }
    int rc = make_place(batch, op, &result->status);
    if (rc != 0 || result->status != STORE_DONE) {
        return rc;
    }
    if (!batch_upload_begins(batch, op->upload.sender, upload.bytes)) {
        return ENOMEM;
    }
    upload.content = batch->next_sequence++;
    return put_upload(batch, key, &upload);
}

int batch_upload_open(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct record_key key;
    struct upload_record upload;
    uint64_t sequence = 0;
    int rc = duplicate_find(batch, op->upload.sender, op->upload.id, op->now_ms, &sequence);
    if (rc != MDB_NOTFOUND) {
        result->upload.accepted = true;
        result->upload.durable_bytes = op->upload.bytes;
        return rc;
    }
    key_upload(&key, op->upload.sender, op->upload.id);
    rc = get_upload(batch, &key, &upload);
    if (rc == 0 && upload.bytes == op->upload.bytes) {
        upload.touched_ms = op->now_ms;
        result->upload.durable_bytes = upload.durable_bytes;
        return put_upload(batch, &key, &upload);
    }
    if (rc == 0) {
        rc = erase(batch, &key, &upload);
    }
    return rc != 0 && rc != MDB_NOTFOUND ? rc : begin(batch, op, &key, result);
}

static int count_begun(struct lmdb_store *store, const MDB_val *key, const MDB_val *value)
{
    struct upload_record upload;
    struct record_key name = {.size = 0};
    if (!record_read_upload(bytes_of_val(key), bytes_of_val(value), &upload)) {
        return 0; /* a check tells it */
    }
    keep_key(&name, key);
    struct sender *sender = sender_find(&store->senders, sender_of(&name));
    if (sender != NULL) {
        sender_upload_begins(sender, upload.bytes);
        sender->committed_begun = sender->begun;
    }
    return 0;
}

int lmdb_read_uploads(struct lmdb_store *store, MDB_txn *txn)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_UPLOAD], &cursor);
    if (rc != 0) {
        return rc;
    }
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        rc = count_begun(store, &key, &value);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool fits(const struct upload_record *upload, const struct store_op *op)
{
    uint64_t size = op->chunk.message.payload.size;
    uint64_t left = upload->bytes - upload->durable_bytes;
    return op->chunk.offset == upload->durable_bytes && size > 0 && size <= left &&
           (size == left || size % STORED_SEGMENT_BYTES == 0);
}

int batch_upload_chunk(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct record_key key;
    struct upload_record upload;
    key_upload(&key, op->chunk.sender, op->chunk.id);
    int rc = get_upload(batch, &key, &upload);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    result->upload.durable_bytes = upload.durable_bytes;
    if (!fits(&upload, op)) {
        return 0;
    }
    if (batch->refuse_appends || !room_take(batch->store, room_cost(op))) {
        result->status = STORE_NO_ROOM;
        return 0;
    }
    batch->appended_bytes += room_cost(op);
    rc = content_write(batch, upload.content, op->chunk.offset, op->chunk.message.payload);
    upload.durable_bytes += op->chunk.message.payload.size;
    upload.touched_ms = op->now_ms;
    result->upload.durable_bytes = upload.durable_bytes;
    return rc != 0 ? rc : put_upload(batch, &key, &upload);
}

int batch_upload_claim(struct batch *batch, const struct store_op *op, uint64_t *out_content)
{
    struct record_key key;
    struct upload_record upload;
    key_upload(&key, op->append.sender, op->append.id);
    int rc = get_upload(batch, &key, &upload);
    if (rc == 0 &&
        (upload.bytes != op->append.stored_bytes || upload.durable_bytes != upload.bytes)) {
        rc = MDB_NOTFOUND;
    }
    if (rc != 0) {
        return rc;
    }
    *out_content = upload.content;
    batch_upload_ends(batch, op->append.sender, upload.bytes);
    batch->changed = true;
    return batch_del(batch, TABLE_UPLOAD, &key);
}

int batch_upload_prune(struct batch *batch)
{
    struct lmdb_store *store = batch->store;
    struct record_key all = {.size = 0};
    int64_t before_ms = batch->last_time_ms - store->settings.upload_keep_ms;
    if (batch->last_time_ms < store->next_prune_ms) {
        return 0;
    }
    for (size_t i = 0; i < PRUNE_MOST; i++) {
        struct survey found;
        int rc = survey(batch, &all, &found);
        if (rc == 0 && (found.oldest.content == 0 || found.oldest.touched_ms > before_ms)) {
            store->next_prune_ms = batch->last_time_ms + PRUNE_EVERY_MS;
            return 0;
        }
        rc = rc != 0 ? rc : erase(batch, &found.oldest_key, &found.oldest);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
