/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record.h: the frame of every record, and the tables that a plain queue needs.
 */
#include "store/record_track.h"

#include "store/record_body.h"

#include <assert.h>
#include <string.h>

#include <xxhash.h>

const char *table_name(enum table table)
{
    static const char *const names[TABLE_COUNT] = {
        "meta",      "mailbox",       "message", "refs",       "ready",  "later",  "dead",
        "duplicate", "duplicate_age", "sender",  "order_head", "behind", "upload", "content",
        "doomed",    "attempt",       "track",   "deadline",   "expiry"};
    return names[table];
}

/* Keys. */

static void key_add_text(struct record_key *key, const char *text)
{
    size_t size = strlen(text);
    assert(key->size + size <= sizeof key->data);
    memcpy(key->data + key->size, text, size);
    key->size += size;
}

void key_text(struct record_key *out_key, const char *text)
{
    out_key->size = 0;
    key_add_text(out_key, text);
}

void key_mailbox(struct record_key *out_key, uint32_t mailbox)
{
    out_key->size = 0;
    key_add(out_key, mailbox, 4);
}

void key_message(struct record_key *out_key, uint64_t sequence, uint16_t segment)
{
    out_key->size = 0;
    key_add(out_key, sequence, 8);
    key_add(out_key, segment, 2);
}

void key_refs(struct record_key *out_key, uint64_t sequence)
{
    out_key->size = 0;
    key_add(out_key, sequence, 8);
}

void key_entry(struct record_key *out_key, const struct entry_key *entry)
{
    out_key->size = 0;
    key_add(out_key, entry->mailbox, 4);
    if (entry->due_ms > 0) {
        key_add(out_key, (uint64_t)entry->due_ms, 8);
    }
    key_add(out_key, entry->lane, 1);
    key_add(out_key, entry->sequence, 8);
}

void key_dead(struct record_key *out_key, uint32_t mailbox, uint64_t sequence)
{
    out_key->size = 0;
    key_add(out_key, mailbox, 4);
    key_add(out_key, sequence, 8);
}

void key_duplicate(struct record_key *out_key, const char *sender, const char *id)
{
    out_key->size = 0;
    key_add_text(out_key, sender);
    key_add(out_key, 0, 1);
    key_add_text(out_key, id);
}

void key_duplicate_age(struct record_key *out_key, const struct duplicate_record *duplicate)
{
    out_key->size = 0;
    key_add(out_key, (uint64_t)duplicate->age_ms, 8);
    key_add(out_key, duplicate->sequence, 8);
}

void key_sender(struct record_key *out_key, uint32_t sender)
{
    out_key->size = 0;
    key_add(out_key, sender, 4);
}

void key_upload(struct record_key *out_key, const char *sender, const char *id)
{
    key_duplicate(out_key, sender, id);
}

void key_content(struct record_key *out_key, uint64_t content, uint32_t segment)
{
    out_key->size = 0;
    key_add(out_key, content, 8);
    key_add(out_key, segment, 4);
}

void key_doomed(struct record_key *out_key, uint64_t content)
{
    key_refs(out_key, content);
}

struct bytes key_bytes(const struct record_key *key)
{
    return (struct bytes){key->data, key->size};
}

bool key_read_entry(enum table table, struct bytes key, struct entry_key *out_entry)
{
    bool later = table == TABLE_LATER;
    const uint8_t *at = key.data;
    if (key.size != (later ? 21U : 13U)) {
        return false;
    }
    struct entry_key entry = {.mailbox = (uint32_t)number_get(at, 4)};
    at += 4;
    if (later) {
        entry.due_ms = time_get(at);
        at += 8;
    }
    entry.lane = at[0];
    entry.sequence = number_get(at + 1, 8);
    if (entry.lane >= LANE_COUNT || (later && entry.due_ms <= 0)) {
        return false;
    }
    *out_entry = entry;
    return true;
}

bool key_read_mailbox(struct bytes key, uint32_t *out_mailbox)
{
    if (key.size != 4) {
        return false;
    }
    *out_mailbox = (uint32_t)number_get(key.data, 4);
    return true;
}

bool key_read_sender(struct bytes key, uint32_t *out_sender)
{
    return key_read_mailbox(key, out_sender);
}

bool key_read_sequence(struct bytes key, uint64_t *out_sequence)
{
    if (key.size < 8) {
        return false;
    }
    *out_sequence = number_get(key.data, 8);
    return true;
}

bool key_read_dead(struct bytes key, struct dead_key *out_dead)
{
    if (key.size != 12) {
        return false;
    }
    out_dead->mailbox = (uint32_t)number_get(key.data, 4);
    out_dead->sequence = number_get(key.data + 4, 8);
    return true;
}

bool key_read_duplicate_age(struct bytes key, struct duplicate_record *out_duplicate)
{
    if (key.size != 16) {
        return false;
    }
    out_duplicate->age_ms = time_get(key.data);
    out_duplicate->sequence = number_get(key.data + 8, 8);
    return true;
}

/* The frame of every record. */

static uint64_t checksum(enum table table, struct bytes key, const uint8_t *body, size_t size)
{
    XXH64_hash_t seed = XXH3_64bits_withSeed(key.data, key.size, (XXH64_hash_t)table + 1);
    return XXH3_64bits_withSeed(body, size, seed);
}

void record_seal(enum table table, struct bytes key, uint8_t *record, size_t size)
{
    assert(size >= RECORD_HEAD_BYTES);
    record[0] = RECORD_FORMAT;
    (void)number_put(record + 1,
                     checksum(table, key, record + RECORD_HEAD_BYTES, size - RECORD_HEAD_BYTES), 8);
}

bool record_open(enum table table, struct bytes key, struct bytes record, struct bytes *out_body)
{
    /* Sizes first: behind a broken page they can point far beyond the file. */
    if (record.size < RECORD_HEAD_BYTES || record.size > RECORD_SEGMENT_BYTES ||
        key.size > RECORD_KEY_BYTES || record.data[0] != RECORD_FORMAT) {
        return false;
    }
    struct bytes body = {record.data + RECORD_HEAD_BYTES, record.size - RECORD_HEAD_BYTES};
    if (number_get(record.data + 1, 8) != checksum(table, key, body.data, body.size)) {
        return false;
    }
    *out_body = body;
    return true;
}

/* Small values. */

void record_write_number(struct small_record *out, enum table table, const struct record_key *key,
                         uint32_t number)
{
    body_begin(out);
    body_add(out, number, 4);
    body_seal(out, table, key);
}

bool record_read_number(enum table table, struct bytes key, struct bytes record,
                        uint32_t *out_number)
{
    struct bytes body = {0};
    if (!record_open(table, key, record, &body) || body.size != 4) {
        return false;
    }
    *out_number = (uint32_t)number_get(body.data, 4);
    return true;
}

void record_write_state(struct small_record *out, const struct record_key *key,
                        const struct state_record *state)
{
    body_begin(out);
    body_add(out, state->next_sequence, 8);
    body_add(out, (uint64_t)state->last_time_ms, 8);
    body_add(out, state->transaction, 8);
    body_seal(out, TABLE_META, key);
}

void record_write_redo(struct small_record *out, const struct record_key *key, uint64_t identity)
{
    body_begin(out);
    body_add(out, identity, 8);
    body_seal(out, TABLE_META, key);
}

bool record_read_redo(struct bytes key, struct bytes record, uint64_t *out_identity)
{
    struct bytes body = {0};
    if (!record_open(TABLE_META, key, record, &body) || body.size != 8) {
        return false;
    }
    *out_identity = number_get(body.data, 8);
    return true;
}

bool record_read_state(struct bytes key, struct bytes record, struct state_record *out_state)
{
    struct bytes body = {0};
    if (!record_open(TABLE_META, key, record, &body) || body.size != 24) {
        return false;
    }
    out_state->next_sequence = number_get(body.data, 8);
    out_state->last_time_ms = time_get(body.data + 8);
    out_state->transaction = number_get(body.data + 16, 8);
    return true;
}

void record_write_mailbox(struct small_record *out, const struct record_key *key,
                          const struct mailbox_record *mailbox)
{
    body_begin(out);
    body_add(out, mailbox->waiting, 8);
    body_add(out, mailbox->waiting_bytes, 8);
    body_add(out, mailbox->dead, 8);
    body_add(out, mailbox->behind, 8);
    body_add_bytes(out, mailbox->name);
    body_seal(out, TABLE_MAILBOX, key);
}

bool record_read_mailbox(struct bytes key, struct bytes record, struct mailbox_record *out_mailbox)
{
    struct bytes body = {0};
    if (!record_open(TABLE_MAILBOX, key, record, &body) || body.size < 32 ||
        body.size > 32 + STORED_NAME_BYTES) {
        return false;
    }
    out_mailbox->waiting = number_get(body.data, 8);
    out_mailbox->waiting_bytes = number_get(body.data + 8, 8);
    out_mailbox->dead = number_get(body.data + 16, 8);
    out_mailbox->behind = number_get(body.data + 24, 8);
    out_mailbox->name = (struct bytes){body.data + 32, body.size - 32};
    return true;
}

void record_write_entry(struct small_record *out, enum table table, const struct record_key *key,
                        const struct entry_record *entry)
{
    body_begin(out);
    body_add(out, entry->attempts, 4);
    body_add(out, entry->bytes, 8);
    body_add(out, entry->sender, 4);
    if (entry->order != 0) {
        body_add(out, entry->order, 8);
    }
    body_seal(out, table, key);
}

bool record_read_entry(enum table table, struct bytes key, struct bytes record,
                       struct entry_record *out_entry)
{
    struct bytes body = {0};
    if (!record_open(table, key, record, &body) || (body.size != 16 && body.size != 24)) {
        return false;
    }
    out_entry->attempts = (uint32_t)number_get(body.data, 4);
    out_entry->bytes = number_get(body.data + 4, 8);
    out_entry->sender = (uint32_t)number_get(body.data + 12, 4);
    out_entry->order = body.size == 24 ? number_get(body.data + 16, 8) : 0;
    return body.size == 16 || out_entry->order != 0;
}

void record_write_dead(struct small_record *out, const struct record_key *key,
                       const struct dead_record *dead)
{
    body_begin(out);
    body_add(out, dead->attempts, 4);
    body_add(out, dead->code, 4);
    body_add(out, (uint64_t)dead->died_ms, 8);
    body_add(out, dead->bytes, 8);
    body_add(out, dead->lane, 1);
    body_add(out, dead->order, 8);
    body_add(out, dead->sender, 4);
    body_add_bytes(out, dead->reason);
    body_seal(out, TABLE_DEAD, key);
}

bool record_read_dead(struct bytes key, struct bytes record, struct dead_record *out_dead)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DEAD, key, record, &body) || body.size < 37 ||
        body.size > 37 + STORED_REASON_BYTES) {
        return false;
    }
    out_dead->attempts = (uint32_t)number_get(body.data, 4);
    out_dead->code = (uint32_t)number_get(body.data + 4, 4);
    out_dead->died_ms = time_get(body.data + 8);
    out_dead->bytes = number_get(body.data + 16, 8);
    out_dead->lane = body.data[24];
    out_dead->order = number_get(body.data + 25, 8);
    out_dead->sender = (uint32_t)number_get(body.data + 33, 4);
    out_dead->reason = (struct bytes){body.data + 37, body.size - 37};
    return true;
}

void record_write_duplicate(struct small_record *out, const struct record_key *key,
                            const struct duplicate_record *duplicate)
{
    body_begin(out);
    body_add(out, duplicate->sequence, 8);
    body_add(out, (uint64_t)duplicate->accepted_ms, 8);
    body_add(out, (uint64_t)duplicate->age_ms, 8);
    body_add(out, (uint64_t)duplicate->expires_ms, 8);
    body_add(out, duplicate->flow, 8);
    body_add(out, duplicate->order, 8);
    if (duplicate->deadline_ms != 0) {
        body_add(out, (uint64_t)duplicate->deadline_ms, 8);
    }
    body_seal(out, TABLE_DUPLICATE, key);
}

bool record_read_duplicate(struct bytes key, struct bytes record,
                           struct duplicate_record *out_duplicate)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DUPLICATE, key, record, &body) || (body.size != 48 && body.size != 56)) {
        return false;
    }
    out_duplicate->sequence = number_get(body.data, 8);
    out_duplicate->accepted_ms = time_get(body.data + 8);
    out_duplicate->age_ms = time_get(body.data + 16);
    out_duplicate->expires_ms = time_get(body.data + 24);
    out_duplicate->flow = number_get(body.data + 32, 8);
    out_duplicate->order = number_get(body.data + 40, 8);
    out_duplicate->deadline_ms = body.size == 56 ? time_get(body.data + 48) : 0;
    return body.size == 48 || out_duplicate->deadline_ms != 0;
}

void record_write_duplicate_age(struct small_record *out, const struct record_key *key,
                                const struct record_key *duplicate)
{
    body_begin(out);
    body_add_bytes(out, key_bytes(duplicate));
    body_seal(out, TABLE_DUPLICATE_AGE, key);
}

bool record_read_duplicate_age(struct bytes key, struct bytes record, struct bytes *out_duplicate)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DUPLICATE_AGE, key, record, &body) || body.size == 0 ||
        body.size > RECORD_KEY_BYTES) {
        return false;
    }
    *out_duplicate = body;
    return true;
}

void record_write_sender(struct small_record *out, const struct record_key *key,
                         const struct sender_record *sender)
{
    body_begin(out);
    body_add(out, sender->messages, 8);
    body_add(out, sender->bytes, 8);
    body_add(out, sender->known, 8);
    body_add_bytes(out, sender->slug);
    body_seal(out, TABLE_SENDER, key);
}

bool record_read_sender(struct bytes key, struct bytes record, struct sender_record *out_sender)
{
    struct bytes body = {0};
    if (!record_open(TABLE_SENDER, key, record, &body) || body.size <= 24 ||
        body.size > 24 + STORED_SENDER_BYTES) {
        return false;
    }
    out_sender->messages = number_get(body.data, 8);
    out_sender->bytes = number_get(body.data + 8, 8);
    out_sender->known = number_get(body.data + 16, 8);
    out_sender->slug = (struct bytes){body.data + 24, body.size - 24};
    return true;
}

void record_write_upload(struct small_record *out, const struct record_key *key,
                         const struct upload_record *upload)
{
    body_begin(out);
    body_add(out, upload->content, 8);
    body_add(out, upload->bytes, 8);
    body_add(out, upload->durable_bytes, 8);
    body_add(out, (uint64_t)upload->touched_ms, 8);
    body_seal(out, TABLE_UPLOAD, key);
}

bool record_read_upload(struct bytes key, struct bytes record, struct upload_record *out_upload)
{
    struct bytes body = {0};
    if (!record_open(TABLE_UPLOAD, key, record, &body) || body.size != 32) {
        return false;
    }
    out_upload->content = number_get(body.data, 8);
    out_upload->bytes = number_get(body.data + 8, 8);
    out_upload->durable_bytes = number_get(body.data + 16, 8);
    out_upload->touched_ms = time_get(body.data + 24);
    return out_upload->content > 0 && out_upload->bytes > 0 &&
           out_upload->durable_bytes <= out_upload->bytes;
}

/* Messages. */

void message_head_write(uint8_t *body, const struct message_head *head)
{
    uint8_t *at = number_put(body, head->envelope_bytes, 4);
    at = number_put(at, head->payload_bytes, 4);
    at = number_put(at, (uint64_t)head->accepted_ms, 8);
    at = number_put(at, (uint64_t)head->expires_ms, 8);
    at = number_put(at, head->sender, 4);
    at = number_put(at, head->content, 8);
    (void)number_put(at, head->stored_bytes, 8);
}

bool message_head_read(struct bytes body, struct message_head *out_head)
{
    if (body.size < MESSAGE_HEAD_BYTES) {
        return false;
    }
    out_head->envelope_bytes = (uint32_t)number_get(body.data, 4);
    out_head->payload_bytes = (uint32_t)number_get(body.data + 4, 4);
    out_head->accepted_ms = time_get(body.data + 8);
    out_head->expires_ms = time_get(body.data + 16);
    out_head->sender = (uint32_t)number_get(body.data + 24, 4);
    out_head->content = number_get(body.data + 28, 8);
    out_head->stored_bytes = number_get(body.data + 36, 8);
    return (uint64_t)out_head->envelope_bytes + out_head->payload_bytes <= MESSAGE_CONTENT_BYTES;
}
