/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message's bytes in the table `message`: a head and the content (envelope, then payload) cut
 * into segments. Segments are reserved in LMDB's pages and filled there, so the payload is copied
 * once; on reading, one allocation holds the whole message.
 */
#include "store/lmdb_expiry.h"
#include "store/lmdb_store.h"
#include "store/lmdb_upload.h"

#include <errno.h>
#include <string.h>

/* The next `size` bytes of a message's content. */
struct content {
    struct bytes parts[2];
};

static void content_move(struct content *content, uint8_t *out, size_t size)
{
    for (int i = 0; i < 2 && size > 0; i++) {
        struct bytes *part = &content->parts[i];
        size_t piece = part->size < size ? part->size : size;
        if (piece > 0) {
            memcpy(out, part->data, piece);
            part->data += piece;
        }
        part->size -= piece;
        out += piece;
        size -= piece;
    }
}

static size_t segment_content(size_t left, bool first)
{
    size_t most = first ? MESSAGE_FIRST_BYTES : MESSAGE_NEXT_BYTES;
    return left < most ? left : most;
}

int message_store(struct batch *batch, uint64_t sequence, const struct store_op *op,
                  const struct message_head *refers)
{
    const struct held_message *message = &op->append.message;
    struct content content = {{message->envelope, message->payload}};
    size_t left = message->envelope.size + message->payload.size;
    uint16_t segment = 0;
    do {
        bool first = segment == 0;
        size_t piece = segment_content(left, first);
        size_t head = RECORD_HEAD_BYTES + (first ? MESSAGE_HEAD_BYTES : 0U);
        struct record_key key;
        key_message(&key, sequence, segment);
        uint8_t *record = NULL;
        int rc = batch_reserve(batch, TABLE_MESSAGE, &key, head + piece, MDB_APPEND, &record);
        if (rc != 0) {
            return rc;
        }
        if (first) {
            struct message_head fields = {.envelope_bytes = (uint32_t)message->envelope.size,
                                          .payload_bytes = (uint32_t)message->payload.size,
                                          .accepted_ms = op->now_ms,
                                          .expires_ms = op->append.expires_ms,
                                          .sender = refers->sender,
                                          .content = refers->content,
                                          .stored_bytes = op->append.stored_bytes};
            message_head_write(record + RECORD_HEAD_BYTES, &fields);
        }
        content_move(&content, record + head, piece);
        batch_seal(batch, TABLE_MESSAGE, &key, record, head + piece);
        left -= piece;
        segment++;
    } while (left > 0);
    batch_count_in(batch, refers->sender,
                   (uint64_t)message->envelope.size + message->payload.size +
                       op->append.stored_bytes +
                       (uint64_t)op->append.recipient_count * STORED_RECIPIENT_BYTES);
    return 0;
}

/* The segment under the cursor, opened; NULL data when it is not the one that is due. */
static struct bytes open_segment(uint64_t sequence, uint16_t segment, const MDB_val *key_value,
                                 const MDB_val *value)
{
    struct record_key key;
    struct bytes body = {0};
    struct bytes found = bytes_of_val(key_value);
    key_message(&key, sequence, segment);
    if (found.size != key.size || memcmp(found.data, key.data, key.size) != 0 ||
        !record_open(TABLE_MESSAGE, found, bytes_of_val(value), &body)) {
        return (struct bytes){0};
    }
    return body;
}

static int copy_segments(MDB_cursor *cursor, uint64_t sequence, struct bytes first, uint8_t *out,
                         size_t left)
{
    struct bytes body = {first.data + MESSAGE_HEAD_BYTES, first.size - MESSAGE_HEAD_BYTES};
    uint16_t segment = 0;
    while (body.data != NULL && body.size == segment_content(left, segment == 0)) {
        if (body.size > 0) {
            memcpy(out, body.data, body.size);
        }
        out += body.size;
        left -= body.size;
        if (left == 0) {
            return 0;
        }
        segment++;
        MDB_val key;
        MDB_val value;
        int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc != 0) {
            return rc;
        }
        body = open_segment(sequence, segment, &key, &value);
    }
    return MDB_NOTFOUND;
}

static void give(const struct message_head *head, struct buffer *buffer, const uint8_t *data,
                 size_t payload_bytes, struct store_entry *out_entry)
{
    out_entry->accepted_ms = head->accepted_ms;
    out_entry->expires_ms = head->expires_ms;
    out_entry->content = head->content;
    out_entry->stored_bytes = head->stored_bytes;
    out_entry->message = (struct held_message){
        .envelope = {data, head->envelope_bytes},
        .payload = {data + head->envelope_bytes, payload_bytes},
        .envelope_buffer = buffer,
        .payload_buffer = buffer_ref(buffer),
    };
}

/* The first segment, opened, and the head in it. */
static int find_first(MDB_cursor *cursor, uint64_t sequence, struct bytes *out_first,
                      struct message_head *out_head)
{
    struct record_key key;
    key_message(&key, sequence, 0);
    MDB_val key_value = val_of_key(&key);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key_value, &value, MDB_SET_KEY);
    if (rc != 0) {
        return rc;
    }
    *out_first = open_segment(sequence, 0, &key_value, &value);
    return out_first->data != NULL && message_head_read(*out_first, out_head) ? 0 : MDB_NOTFOUND;
}

/* The next segment of the message, whole or not. MDB_NOTFOUND: there is none. */
static int find_any(MDB_cursor *cursor, uint64_t sequence, size_t *out_bytes)
{
    struct record_key key;
    uint64_t found = 0;
    key_message(&key, sequence, 0);
    MDB_val key_value = val_of_key(&key);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key_value, &value, MDB_SET_RANGE);
    if (rc == 0 && (!key_read_sequence(bytes_of_val(&key_value), &found) || found != sequence)) {
        rc = MDB_NOTFOUND;
    }
    *out_bytes = rc == 0 ? value.mv_size : 0;
    return rc;
}

/* What goes with a message: its sender has it no longer in the store, a payload that is stored
 * apart is doomed, and its expiry is over. Of one whose head is broken the latter two stay: bytes
 * that nobody needs are better than a guess; whose it was its last entry says. */
static int let_go(struct batch *batch, MDB_cursor *cursor, uint64_t sequence,
                  const struct entry_record *last)
{
    struct message_head head;
    struct bytes first = {0};
    int rc = find_first(cursor, sequence, &first, &head);
    if (rc != 0) {
        size_t bytes = 0;
        rc = rc == MDB_NOTFOUND ? find_any(cursor, sequence, &bytes) : rc;
        if (rc == 0) {
            batch_count_out(batch, last->sender, last->bytes);
        }
        return rc;
    }
    batch_count_out(batch, head.sender,
                    (uint64_t)head.envelope_bytes + head.payload_bytes + head.stored_bytes);
    rc = head.content != 0 ? content_doom(batch, head.content) : 0;
    return rc != 0 ? rc : expiry_end(batch, sequence, head.expires_ms);
}

int message_head_of(struct batch *batch, uint64_t sequence, struct message_head *out_head)
{
    MDB_cursor *cursor = NULL;
    struct bytes first = {0};
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_MESSAGE], &cursor);
    if (rc == 0) {
        rc = find_first(cursor, sequence, &first, out_head);
        mdb_cursor_close(cursor);
    }
    return rc;
}

int message_delete(struct batch *batch, uint64_t sequence, const struct entry_record *last)
{
    MDB_cursor *cursor = NULL;
    size_t bytes = 0;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_MESSAGE], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = let_go(batch, cursor, sequence, last);
    while (rc == 0 && (rc = find_any(cursor, sequence, &bytes)) == 0) {
        batch->moved_bytes += bytes;
        batch->recalled_bytes += sequence >= batch->store->open_from ? bytes : 0;
        rc = batch_del_current(batch, TABLE_MESSAGE, cursor);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int load(MDB_cursor *cursor, uint64_t sequence, struct store_entry *out_entry)
{
    struct message_head head;
    struct bytes first;
    int rc = find_first(cursor, sequence, &first, &head);
    if (rc != 0) {
        return rc;
    }
    size_t size = (size_t)head.envelope_bytes + head.payload_bytes;
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(size, &data);
    if (buffer == NULL) {
        return ENOMEM;
    }
    rc = copy_segments(cursor, sequence, first, data, size);
    if (rc != 0) {
        buffer_unref(buffer);
        return rc;
    }
    give(&head, buffer, data, head.payload_bytes, out_entry);
    return 0;
}

/* An envelope that the broker accepts fits in the first segment. */
static int load_envelope(MDB_cursor *cursor, uint64_t sequence, struct store_entry *out_entry)
{
    struct message_head head;
    struct bytes first;
    int rc = find_first(cursor, sequence, &first, &head);
    if (rc == 0 && head.envelope_bytes > first.size - MESSAGE_HEAD_BYTES) {
        rc = MDB_NOTFOUND;
    }
    if (rc != 0) {
        return rc;
    }
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(head.envelope_bytes, &data);
    if (buffer == NULL) {
        return ENOMEM;
    }
    if (head.envelope_bytes > 0) {
        memcpy(data, first.data + MESSAGE_HEAD_BYTES, head.envelope_bytes);
    }
    give(&head, buffer, data, 0, out_entry);
    return 0;
}

typedef int loader(MDB_cursor *cursor, uint64_t sequence, struct store_entry *out_entry);

static int load_with(loader *how, struct batch *batch, uint64_t sequence,
                     struct store_entry *out_entry, bool *out_damaged)
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(batch->txn, batch->store->tables[TABLE_MESSAGE], &cursor);
    if (rc != 0) {
        return rc;
    }
    rc = how(cursor, sequence, out_entry);
    mdb_cursor_close(cursor);
    *out_damaged = rc == MDB_NOTFOUND;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int message_load(struct batch *batch, uint64_t sequence, struct store_entry *out_entry,
                 bool *out_damaged)
{
    return load_with(load, batch, sequence, out_entry, out_damaged);
}

int message_load_envelope(struct batch *batch, uint64_t sequence, struct store_entry *out_entry,
                          bool *out_damaged)
{
    return load_with(load_envelope, batch, sequence, out_entry, out_damaged);
}
