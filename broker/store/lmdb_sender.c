/* SPDX-License-Identifier: EUPL-1.2
 *
 * What members have in the store, counted in the transaction that stores or deletes a message.
 *
 * Invariants: 1. a message whose bytes are stored is counted once for its sender, from the commit
 * that stored it to the one that deletes it, and each of its entries from then to the one that ends
 * it; 2. a batch that is given up counts nothing; 3. who sent a message and how long it is stands
 * in its head and in each of its entries: one of them is enough. Writer thread.
 */
#include "store/lmdb_known.h"
#include "store/lmdb_store.h"
#include "store/lmdb_upload.h"

#include <errno.h>
#include <string.h>

static void touch(struct batch *batch, struct sender *sender)
{
    if (!sender->touched) {
        sender->touched = true;
        sender->next = batch->senders;
        batch->senders = sender;
    }
}

int batch_sender_in(struct batch *batch, const struct store_op *op, struct store_result *result,
                    uint32_t *out_number)
{
    const struct held_message *message = &op->append.message;
    const uint64_t bytes = (uint64_t)message->envelope.size + message->payload.size +
                           op->append.stored_bytes +
                           (uint64_t)op->append.recipient_count * STORED_RECIPIENT_BYTES;
    struct sender *sender = sender_add(&batch->store->senders, op->append.sender);
    if (sender == NULL) {
        return ENOMEM;
    }
    if (sender_is_over(sender, &op->append.quota, bytes, op->append.stored_bytes)) {
        result->status = STORE_OVER_QUOTA;
        result->append.usage = sender_usage(sender);
        result->append.quota = op->append.quota;
        return 0;
    }
    *out_number = sender->number;
    return 0;
}

void batch_count_in(struct batch *batch, uint32_t number, uint64_t bytes)
{
    struct sender *sender = sender_numbered(&batch->store->senders, number);
    if (sender != NULL) {
        touch(batch, sender);
        sender_count_in(sender, bytes);
    }
}

void batch_count_out(struct batch *batch, uint32_t number, uint64_t bytes)
{
    struct sender *sender = sender_numbered(&batch->store->senders, number);
    if (sender != NULL) {
        touch(batch, sender);
        sender_count_out(sender, bytes);
    }
}

void batch_count_entry_out(struct batch *batch, uint32_t number)
{
    struct sender *sender = sender_numbered(&batch->store->senders, number);
    if (sender != NULL) {
        touch(batch, sender);
        sender_count_entry_out(sender);
    }
}

void batch_usage(const struct batch *batch, const struct store_op *op, struct store_result *result)
{
    result->usage = sender_usage(sender_find(&batch->store->senders, op->usage.sender));
}

bool batch_upload_begins(struct batch *batch, const char *slug, uint64_t bytes)
{
    struct sender *sender = sender_add(&batch->store->senders, slug);
    if (sender == NULL) {
        return false;
    }
    touch(batch, sender);
    sender_upload_begins(sender, bytes);
    return true;
}

void batch_upload_ends(struct batch *batch, const char *slug, uint64_t bytes)
{
    struct sender *sender = sender_find(&batch->store->senders, slug);
    if (sender != NULL) {
        touch(batch, sender);
        sender_upload_ends(sender, bytes);
    }
}

void batch_count_known(struct batch *batch, const char *slug, bool more)
{
    struct sender *sender = sender_find(&batch->store->senders, slug);
    if (sender != NULL) {
        touch(batch, sender);
        sender->known += more ? 1 : 0;
        sender->known -= !more && sender->known > 0 ? 1 : 0;
    }
}

int batch_write_senders(struct batch *batch)
{
    int rc = 0;
    for (const struct sender *one = batch->senders; rc == 0 && one != NULL; one = one->next) {
        struct record_key key;
        struct small_record record;
        const struct sender_record fields = {
            .messages = one->usage.messages,
            .bytes = one->usage.bytes,
            .known = one->known,
            .slug = {(const uint8_t *)one->slug, strlen(one->slug)},
        };
        key_sender(&key, one->number);
        record_write_sender(&record, &key, &fields);
        rc = batch_put(batch, TABLE_SENDER, &key, &record, 0);
    }
    return rc;
}

void batch_end_senders(struct batch *batch, bool committed)
{
    struct sender *next = NULL;
    for (struct sender *one = batch->senders; one != NULL; one = next) {
        next = one->next;
        if (committed) {
            one->committed = one->usage;
            one->committed_begun = one->begun;
            one->committed_known = one->known;
        } else {
            one->usage = one->committed;
            one->begun = one->committed_begun;
            one->known = one->committed_known;
        }
        one->touched = false;
        one->next = NULL;
    }
    batch->senders = NULL;
}

static int read_sender(struct lmdb_store *store, const MDB_val *key, const MDB_val *value)
{
    uint32_t number = 0;
    struct sender_record record;
    char slug[SENDER_SLUG_BYTES + 1];
    if (!key_read_sender(bytes_of_val(key), &number) ||
        !record_read_sender(bytes_of_val(key), bytes_of_val(value), &record)) {
        return MDB_CORRUPTED;
    }
    memcpy(slug, record.slug.data, record.slug.size);
    slug[record.slug.size] = '\0';
    const struct store_usage usage = {.messages = record.messages, .bytes = record.bytes};
    return sender_restore(&store->senders, number, slug, &usage, record.known) ? 0 : MDB_CORRUPTED;
}

int lmdb_read_senders(struct lmdb_store *store, MDB_txn *txn)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_SENDER], &cursor);
    if (rc != 0) {
        return rc;
    }
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        rc = read_sender(store, &key, &value);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
