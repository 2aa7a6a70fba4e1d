/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/record.h"

#include <assert.h>
#include <string.h>

#include <xxhash.h>

const char *table_name(enum table table)
{
    static const char *const names[TABLE_COUNT] = {
        "meta",  "mailbox", "message",   "refs",          "ready",
        "later", "dead",    "duplicate", "duplicate_age", "sender"};
    return names[table];
}

/* Numbers. */

static uint8_t *put_number(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return at + bytes;
}

static uint64_t get_number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static int64_t get_time(const uint8_t *at)
{
    return (int64_t)get_number(at, 8);
}

/* Keys. */

static void key_add(struct record_key *key, uint64_t value, size_t bytes)
{
    assert(key->size + bytes <= sizeof key->data);
    (void)put_number(key->data + key->size, value, bytes);
    key->size += bytes;
}

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
    key_add(out_key, (uint64_t)duplicate->accepted_ms, 8);
    key_add(out_key, duplicate->sequence, 8);
}

void key_sender(struct record_key *out_key, uint32_t sender)
{
    out_key->size = 0;
    key_add(out_key, sender, 4);
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
    struct entry_key entry = {.mailbox = (uint32_t)get_number(at, 4)};
    at += 4;
    if (later) {
        entry.due_ms = get_time(at);
        at += 8;
    }
    entry.lane = at[0];
    entry.sequence = get_number(at + 1, 8);
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
    *out_mailbox = (uint32_t)get_number(key.data, 4);
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
    *out_sequence = get_number(key.data, 8);
    return true;
}

bool key_read_dead(struct bytes key, struct dead_key *out_dead)
{
    if (key.size != 12) {
        return false;
    }
    out_dead->mailbox = (uint32_t)get_number(key.data, 4);
    out_dead->sequence = get_number(key.data + 4, 8);
    return true;
}

bool key_read_duplicate_age(struct bytes key, struct duplicate_record *out_duplicate)
{
    if (key.size != 16) {
        return false;
    }
    out_duplicate->accepted_ms = get_time(key.data);
    out_duplicate->sequence = get_number(key.data + 8, 8);
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
    (void)put_number(record + 1,
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
    if (get_number(record.data + 1, 8) != checksum(table, key, body.data, body.size)) {
        return false;
    }
    *out_body = body;
    return true;
}

/* Small values. */

static void begin(struct small_record *out)
{
    out->size = RECORD_HEAD_BYTES;
}

static void add(struct small_record *out, uint64_t value, size_t bytes)
{
    assert(out->size + bytes <= sizeof out->data);
    (void)put_number(out->data + out->size, value, bytes);
    out->size += bytes;
}

static void add_bytes(struct small_record *out, struct bytes bytes)
{
    size_t room = sizeof out->data - out->size;
    size_t size = bytes.size < room ? bytes.size : room;
    if (size > 0) {
        memcpy(out->data + out->size, bytes.data, size);
    }
    out->size += size;
}

static void seal(struct small_record *out, enum table table, const struct record_key *key)
{
    record_seal(table, key_bytes(key), out->data, out->size);
}

void record_write_number(struct small_record *out, enum table table, const struct record_key *key,
                         uint32_t number)
{
    begin(out);
    add(out, number, 4);
    seal(out, table, key);
}

bool record_read_number(enum table table, struct bytes key, struct bytes record,
                        uint32_t *out_number)
{
    struct bytes body = {0};
    if (!record_open(table, key, record, &body) || body.size != 4) {
        return false;
    }
    *out_number = (uint32_t)get_number(body.data, 4);
    return true;
}

void record_write_state(struct small_record *out, const struct record_key *key,
                        const struct state_record *state)
{
    begin(out);
    add(out, state->next_sequence, 8);
    add(out, (uint64_t)state->last_time_ms, 8);
    add(out, state->transaction, 8);
    seal(out, TABLE_META, key);
}

bool record_read_state(struct bytes key, struct bytes record, struct state_record *out_state)
{
    struct bytes body = {0};
    if (!record_open(TABLE_META, key, record, &body) || body.size != 24) {
        return false;
    }
    out_state->next_sequence = get_number(body.data, 8);
    out_state->last_time_ms = get_time(body.data + 8);
    out_state->transaction = get_number(body.data + 16, 8);
    return true;
}

void record_write_mailbox(struct small_record *out, const struct record_key *key,
                          const struct mailbox_record *mailbox)
{
    begin(out);
    add(out, mailbox->waiting, 8);
    add(out, mailbox->waiting_bytes, 8);
    add(out, mailbox->dead, 8);
    add_bytes(out, mailbox->name);
    seal(out, TABLE_MAILBOX, key);
}

bool record_read_mailbox(struct bytes key, struct bytes record, struct mailbox_record *out_mailbox)
{
    struct bytes body = {0};
    if (!record_open(TABLE_MAILBOX, key, record, &body) || body.size < 24 ||
        body.size > 24 + STORED_NAME_BYTES) {
        return false;
    }
    out_mailbox->waiting = get_number(body.data, 8);
    out_mailbox->waiting_bytes = get_number(body.data + 8, 8);
    out_mailbox->dead = get_number(body.data + 16, 8);
    out_mailbox->name = (struct bytes){body.data + 24, body.size - 24};
    return true;
}

void record_write_entry(struct small_record *out, enum table table, const struct record_key *key,
                        const struct entry_record *entry)
{
    begin(out);
    add(out, entry->attempts, 4);
    add(out, entry->bytes, 8);
    seal(out, table, key);
}

bool record_read_entry(enum table table, struct bytes key, struct bytes record,
                       struct entry_record *out_entry)
{
    struct bytes body = {0};
    if (!record_open(table, key, record, &body) || body.size != 12) {
        return false;
    }
    out_entry->attempts = (uint32_t)get_number(body.data, 4);
    out_entry->bytes = get_number(body.data + 4, 8);
    return true;
}

void record_write_dead(struct small_record *out, const struct record_key *key,
                       const struct dead_record *dead)
{
    begin(out);
    add(out, dead->attempts, 4);
    add(out, dead->code, 4);
    add(out, (uint64_t)dead->died_ms, 8);
    add(out, dead->bytes, 8);
    add(out, dead->lane, 1);
    add_bytes(out, dead->reason);
    seal(out, TABLE_DEAD, key);
}

bool record_read_dead(struct bytes key, struct bytes record, struct dead_record *out_dead)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DEAD, key, record, &body) || body.size < 25 ||
        body.size > 25 + STORED_REASON_BYTES) {
        return false;
    }
    out_dead->attempts = (uint32_t)get_number(body.data, 4);
    out_dead->code = (uint32_t)get_number(body.data + 4, 4);
    out_dead->died_ms = get_time(body.data + 8);
    out_dead->bytes = get_number(body.data + 16, 8);
    out_dead->lane = body.data[24];
    out_dead->reason = (struct bytes){body.data + 25, body.size - 25};
    return true;
}

void record_write_duplicate(struct small_record *out, const struct record_key *key,
                            const struct duplicate_record *duplicate)
{
    begin(out);
    add(out, duplicate->sequence, 8);
    add(out, (uint64_t)duplicate->accepted_ms, 8);
    seal(out, TABLE_DUPLICATE, key);
}

bool record_read_duplicate(struct bytes key, struct bytes record,
                           struct duplicate_record *out_duplicate)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DUPLICATE, key, record, &body) || body.size != 16) {
        return false;
    }
    out_duplicate->sequence = get_number(body.data, 8);
    out_duplicate->accepted_ms = get_time(body.data + 8);
    return true;
}

void record_write_duplicate_age(struct small_record *out, const struct record_key *key,
                                const struct record_key *duplicate)
{
    begin(out);
    add_bytes(out, key_bytes(duplicate));
    seal(out, TABLE_DUPLICATE_AGE, key);
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
    begin(out);
    add(out, sender->messages, 8);
    add(out, sender->bytes, 8);
    add_bytes(out, sender->slug);
    seal(out, TABLE_SENDER, key);
}

bool record_read_sender(struct bytes key, struct bytes record, struct sender_record *out_sender)
{
    struct bytes body = {0};
    if (!record_open(TABLE_SENDER, key, record, &body) || body.size <= 16 ||
        body.size > 16 + STORED_SENDER_BYTES) {
        return false;
    }
    out_sender->messages = get_number(body.data, 8);
    out_sender->bytes = get_number(body.data + 8, 8);
    out_sender->slug = (struct bytes){body.data + 16, body.size - 16};
    return true;
}

/* Messages. */

void message_head_write(uint8_t *body, const struct message_head *head)
{
    uint8_t *at = put_number(body, head->envelope_bytes, 4);
    at = put_number(at, head->payload_bytes, 4);
    at = put_number(at, (uint64_t)head->accepted_ms, 8);
    at = put_number(at, (uint64_t)head->expires_ms, 8);
    (void)put_number(at, head->sender, 4);
}

bool message_head_read(struct bytes body, struct message_head *out_head)
{
    if (body.size < MESSAGE_HEAD_BYTES) {
        return false;
    }
    out_head->envelope_bytes = (uint32_t)get_number(body.data, 4);
    out_head->payload_bytes = (uint32_t)get_number(body.data + 4, 4);
    out_head->accepted_ms = get_time(body.data + 8);
    out_head->expires_ms = get_time(body.data + 16);
    out_head->sender = (uint32_t)get_number(body.data + 24, 4);
    return (uint64_t)out_head->envelope_bytes + out_head->payload_bytes <= MESSAGE_CONTENT_BYTES;
}
