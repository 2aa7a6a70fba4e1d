/* SPDX-License-Identifier: EUPL-1.2
 *
 * Records as a broken disk gives them back. Input: table u8, key size u8, key, record. Once as it
 * is, and once with a checksum that matches, so that the readers behind it are reached; what they
 * read must write the same bytes again.
 */
#include "store/record_deadline.h"
#include "store/record_expiry.h"
#include "store/record_track.h"

#include <assert.h>
#include <string.h>

enum { MOST = RECORD_SMALL_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct small_record *written, struct bytes record)
{
    return written->size == record.size && memcmp(written->data, record.data, record.size) == 0;
}

static struct record_key copy_of(struct bytes key)
{
    struct record_key copy = {.size = key.size};
    memcpy(copy.data, key.data, key.size);
    return copy;
}

static void read_numbers(enum table table, struct bytes key, struct bytes record)
{
    struct record_key copy = copy_of(key);
    struct small_record out;
    struct state_record state;
    struct entry_record entry;
    struct duplicate_record duplicate;
    uint32_t number = 0;
    if (record_read_number(table, key, record, &number)) {
        record_write_number(&out, table, &copy, number);
        assert(same(&out, record));
    }
    if (record_read_state(key, record, &state)) {
        record_write_state(&out, &copy, &state);
        assert(same(&out, record));
    }
    if (record_read_entry(table, key, record, &entry)) {
        record_write_entry(&out, table, &copy, &entry);
        assert(same(&out, record));
    }
    if (record_read_duplicate(key, record, &duplicate)) {
        record_write_duplicate(&out, &copy, &duplicate);
        assert(same(&out, record));
    }
}

static void read_order(struct bytes key, struct bytes record)
{
    struct record_key copy = copy_of(key);
    struct small_record out;
    struct behind_record behind;
    struct track_record track;
    struct expiry_record expiry;
    uint64_t sequence = 0;
    if (record_read_expiry(key, record, &expiry)) {
        record_write_expiry(&out, &copy, &expiry);
        assert(same(&out, record));
    }
    if (record_read_track(key, record, &track)) {
        record_write_track(&out, &copy, &track);
        assert(same(&out, record));
    }
    if (record_read_order_head(key, record, &sequence)) {
        record_write_order_head(&out, &copy, sequence);
        assert(same(&out, record));
    }
    struct stored_deadline deadline;
    if (record_read_deadline(key, record, &deadline)) {
        record_write_deadline(&out, &copy, &deadline);
        assert(same(&out, record));
    }
    struct stored_attempt attempt;
    if (record_read_attempt(key, record, &attempt)) {
        record_write_attempt(&out, &copy, &attempt);
        assert(same(&out, record));
    }
    if (record_read_behind(key, record, &behind)) {
        record_write_behind(&out, &copy, &behind);
        assert(same(&out, record));
    }
}

static void read_texts(struct bytes key, struct bytes record)
{
    struct record_key copy = copy_of(key);
    struct small_record out;
    struct mailbox_record mailbox;
    struct dead_record dead;
    struct bytes name = {0};
    struct sender_record sender;
    struct upload_record upload;
    if (record_read_upload(key, record, &upload)) {
        assert(upload.durable_bytes <= upload.bytes);
        record_write_upload(&out, &copy, &upload);
        assert(same(&out, record));
    }
    if (record_read_mailbox(key, record, &mailbox)) {
        record_write_mailbox(&out, &copy, &mailbox);
        assert(same(&out, record));
    }
    if (record_read_dead(key, record, &dead)) {
        record_write_dead(&out, &copy, &dead);
        assert(same(&out, record));
    }
    if (record_read_sender(key, record, &sender)) {
        record_write_sender(&out, &copy, &sender);
        assert(same(&out, record));
    }
    if (record_read_duplicate_age(key, record, &name)) {
        struct record_key named = copy_of(name);
        record_write_duplicate_age(&out, &copy, &named);
        assert(same(&out, record));
    }
}

static void read_head(enum table table, struct bytes key, struct bytes record)
{
    struct bytes body = {0};
    struct message_head head;
    uint8_t out[MESSAGE_HEAD_BYTES];
    if (record_open(table, key, record, &body) && message_head_read(body, &head)) {
        assert((uint64_t)head.envelope_bytes + head.payload_bytes <= MESSAGE_CONTENT_BYTES);
        message_head_write(out, &head);
        assert(memcmp(out, body.data, sizeof out) == 0);
    }
}

static void read_key(struct bytes key)
{
    struct entry_key entry;
    struct record_key out;
    static const enum table tables[] = {TABLE_READY, TABLE_LATER};
    for (int i = 0; i < 2; i++) {
        if (key_read_entry(tables[i], key, &entry)) {
            key_entry(&out, &entry);
            assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
        }
    }
}

static void read_dead_key(struct bytes key)
{
    struct dead_key dead;
    struct record_key out;
    if (key_read_dead(key, &dead)) {
        key_dead(&out, dead.mailbox, dead.sequence);
        assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
    }
}

static void read_order_keys(struct bytes key)
{
    struct behind_key behind;
    struct record_key out;
    uint32_t mailbox = 0;
    uint64_t order = 0;
    if (key_read_order_head(key, &mailbox, &order)) {
        key_order_head(&out, mailbox, order);
        assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
    }
    struct dead_key entry;
    uint32_t number = 0;
    if (key_read_attempt(key, &entry, &number)) {
        key_attempt(&out, &entry, number);
        assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
    }
    struct deadline_key deadline;
    if (key_read_deadline(key, &deadline)) {
        key_deadline(&out, &deadline);
        assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
    }
    if (key_read_behind(key, &behind)) {
        key_behind(&out, &behind);
        assert(out.size == key.size && memcmp(out.data, key.data, key.size) == 0);
    }
}

static void read_all(enum table table, struct bytes key, struct bytes record)
{
    read_numbers(table, key, record);
    read_order(key, record);
    read_texts(key, record);
    read_head(table, key, record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size - 2 < data[1]) {
        return 0;
    }
    enum table table = (enum table)(data[0] % TABLE_COUNT);
    struct bytes key = {data + 2, data[1]};
    struct bytes record = {key.data + key.size, size - 2 - key.size};
    uint8_t sealed[MOST];
    read_key(key);
    read_dead_key(key);
    read_order_keys(key);
    read_all(table, key, record);
    if (record.size >= RECORD_HEAD_BYTES && record.size <= sizeof sealed) {
        for (int other = 0; other < TABLE_COUNT; other++) {
            memcpy(sealed, record.data, record.size);
            record_seal((enum table)other, key, sealed, record.size);
            read_all((enum table)other, key, (struct bytes){sealed, record.size});
        }
    }
    return 0;
}
