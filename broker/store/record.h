/* SPDX-License-Identifier: EUPL-1.2
 *
 * Layout 2 of what is on disk: keys and values of every table, as bytes. Knows no engine.
 *
 * Integers are big-endian, so that keys sort as numbers. A value is
 *     format u8 (1) | checksum u64 | body
 * and the checksum is XXH3-64 over the body, seeded by XXH3-64 over the key, seeded by the table:
 * a record that stands under another key or in another table does not match either.
 *
 *   table          key                                  body
 *   meta           "version" | "state" | "redo"         see struct state_record; identity u64
 *   mailbox        id u32                               waiting, bytes, dead, behind u64 | name
 *   message        sequence u64 | segment u16           segment 0: head, then content; content
 *   refs           sequence u64                         entries that remain u32
 *   ready          mailbox u32 | lane u8 | sequence u64 attempts u32 | bytes u64 |
 *                                                       sender u32 (| order u64)
 *   later          mailbox | due u64 | lane | sequence  the same
 *   dead           mailbox u32 | sequence u64           see struct dead_record
 *   duplicate      sender | 0x00 | id                   see struct duplicate_record
 *   duplicate_age  age u64 | sequence u64               key in `duplicate`
 *   sender         number u32                           messages, bytes, known u64 | slug
 *   order_head     mailbox u32 | order u64              sequence u64 of the one that is not behind
 *   behind         mailbox | order | sequence u64       attempts u32 | bytes u64 | lane u8
 *                                                       | due u64 | sender u32
 *   upload         sender | 0x00 | id                   see struct upload_record
 *   content        content u64 | segment u32            bytes of a stored payload
 *   doomed         content u64                          0 u32
 *   attempt        mailbox | sequence u64 | number u32   at u64 | ending u8 | client size u8 |
 *                                                       client | reason
 * A message's content is the envelope's bytes, then the payload's, unless that is stored apart. A
 * doomed content is erased in steps. Pure; any thread.
 *   track          sequence u64 | mailbox u32           see struct track_record
 *   deadline       at u64 | sequence u64                see record_deadline.c
 *   expiry         at u64 | sequence u64                see struct expiry_record
 * Content is the envelope's bytes, then the payload's. Pure; any thread.
 */
#ifndef RELAIS_STORE_RECORD_H
#define RELAIS_STORE_RECORD_H

#include "core/stored.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table {
    TABLE_META,
    TABLE_MAILBOX,
    TABLE_MESSAGE,
    TABLE_REFS,
    TABLE_READY,
    TABLE_LATER,
    TABLE_DEAD,
    TABLE_DUPLICATE,
    TABLE_DUPLICATE_AGE,
    TABLE_SENDER,
    TABLE_ORDER_HEAD,
    TABLE_BEHIND,
    TABLE_UPLOAD,
    TABLE_CONTENT,
    TABLE_DOOMED,
    TABLE_ATTEMPT,
    TABLE_TRACK,
    TABLE_DEADLINE,
    TABLE_EXPIRY,
    TABLE_COUNT
};

enum {
    RECORD_LAYOUT = 2,
    RECORD_FORMAT = 1,
    RECORD_HEAD_BYTES = 1 + 8,
    RECORD_KEY_BYTES = 256, /* the longest: slug, 0x00, id = 192 */
    MESSAGE_KEY_BYTES = 8 + 2,
    RECORD_SMALL_BYTES = 512, /* the longest but segments: a deadline with its texts */
    /* A full segment fills its 16 overflow pages of 4,096 bytes to the last byte: LMDB puts a
     * header of 16 bytes in front of the run. */
    RECORD_SEGMENT_BYTES = 16 * 4096 - 16,
    MESSAGE_HEAD_BYTES = 4 + 4 + 8 + 8 + 4 + 8 + 8,
    MESSAGE_FIRST_BYTES = RECORD_SEGMENT_BYTES - RECORD_HEAD_BYTES - MESSAGE_HEAD_BYTES,
    MESSAGE_NEXT_BYTES = RECORD_SEGMENT_BYTES - RECORD_HEAD_BYTES,
    /* LIMIT_PAYLOAD_BYTES_MAX and an envelope, with room; the segment number has 16 bits. */
    MESSAGE_CONTENT_BYTES = 128 * 1024 * 1024,
};

_Static_assert((int)STORED_SEGMENT_BYTES == (int)MESSAGE_NEXT_BYTES,
               "a chunk fills the segments of a content");

struct record_key {
    uint8_t data[RECORD_KEY_BYTES];
    size_t size;
};

struct small_record {
    uint8_t data[RECORD_SMALL_BYTES];
    size_t size;
};

struct state_record {
    uint64_t next_sequence;
    int64_t last_time_ms;
    uint64_t transaction; /* that wrote this */
};

struct mailbox_record {
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t dead;
    uint64_t behind; /* of those that wait */
    struct bytes name;
};

struct message_head {
    uint32_t envelope_bytes;
    uint32_t payload_bytes;
    int64_t accepted_ms;
    int64_t expires_ms;
    uint32_t sender;       /* its number in `sender` */
    uint64_t content;      /* of a payload that is stored apart; 0: it follows the envelope */
    uint64_t stored_bytes; /* its length */
};

struct sender_record {
    uint64_t messages;
    uint64_t bytes;
    uint64_t known; /* its ids in `duplicate` */
    struct bytes slug;
};

struct entry_record {
    uint32_t attempts;
    uint64_t bytes;  /* of the message: counters need not read it */
    uint32_t sender; /* its number, nor for this; 0: not known, the record was broken */
    uint64_t order;  /* see stored.h; 0: none */
};

struct behind_key {
    uint32_t mailbox;
    uint64_t order;
    uint64_t sequence;
};

/* An entry that waits for its turn, and where it goes then. */
struct behind_record {
    uint32_t attempts;
    uint64_t bytes;
    uint8_t lane;
    int64_t due_ms; /* 0: in the lane */
    uint32_t sender;
};

struct dead_record {
    uint32_t attempts;
    uint32_t code;
    int64_t died_ms;
    uint64_t bytes;
    uint8_t lane;
    uint64_t order;
    uint32_t sender; /* as in struct entry_record */
    struct bytes reason;
};

/* A payload that is on its way in. Segments before durable_bytes are there. */
struct upload_record {
    uint64_t content;
    uint64_t bytes; /* of the whole */
    uint64_t durable_bytes;
    int64_t touched_ms;
};

const char *table_name(enum table table);

/* Keys. */
void key_text(struct record_key *out_key, const char *text);
void key_mailbox(struct record_key *out_key, uint32_t mailbox);
void key_message(struct record_key *out_key, uint64_t sequence, uint16_t segment);
void key_refs(struct record_key *out_key, uint64_t sequence);
void key_entry(struct record_key *out_key, const struct entry_key *entry);
void key_dead(struct record_key *out_key, uint32_t mailbox, uint64_t sequence);
void key_duplicate(struct record_key *out_key, const char *sender, const char *id);
void key_sender(struct record_key *out_key, uint32_t sender);
void key_order_head(struct record_key *out_key, uint32_t mailbox, uint64_t order);
void key_attempt(struct record_key *out_key, const struct dead_key *entry, uint32_t number);
void key_behind(struct record_key *out_key, const struct behind_key *behind);
void key_upload(struct record_key *out_key, const char *sender, const char *id); /* id "": first */
void key_content(struct record_key *out_key, uint64_t content, uint32_t segment);
void key_doomed(struct record_key *out_key, uint64_t content);
struct bytes key_bytes(const struct record_key *key);

/* `table` is TABLE_READY or TABLE_LATER. */
bool key_read_entry(enum table table, struct bytes key, struct entry_key *out_entry);
bool key_read_mailbox(struct bytes key, uint32_t *out_mailbox);
bool key_read_sender(struct bytes key, uint32_t *out_sender);
bool key_read_sequence(struct bytes key, uint64_t *out_sequence); /* message, refs, content... */
bool key_read_dead(struct bytes key, struct dead_key *out_dead);
bool key_read_order_head(struct bytes key, uint32_t *out_mailbox, uint64_t *out_order);
bool key_read_attempt(struct bytes key, struct dead_key *out_entry, uint32_t *out_number);
bool key_read_behind(struct bytes key, struct behind_key *out_behind);

/* Fills in format and checksum of a record whose body is in place behind RECORD_HEAD_BYTES. */
void record_seal(enum table table, struct bytes key, uint8_t *record, size_t size);

/* False: too short, too long, of another format, or the checksum does not match. */
bool record_open(enum table table, struct bytes key, struct bytes record, struct bytes *out_body);

/* Values; each reader is false for what record_open() refuses or a body of the wrong shape. */
void record_write_number(struct small_record *out, enum table table, const struct record_key *key,
                         uint32_t number);
bool record_read_number(enum table table, struct bytes key, struct bytes record,
                        uint32_t *out_number);
void record_write_state(struct small_record *out, const struct record_key *key,
                        const struct state_record *state);
bool record_read_state(struct bytes key, struct bytes record, struct state_record *out_state);
/* Which redo log belongs to the store (redo.h). */
void record_write_redo(struct small_record *out, const struct record_key *key, uint64_t identity);
bool record_read_redo(struct bytes key, struct bytes record, uint64_t *out_identity);
void record_write_mailbox(struct small_record *out, const struct record_key *key,
                          const struct mailbox_record *mailbox);
bool record_read_mailbox(struct bytes key, struct bytes record, struct mailbox_record *out_mailbox);
void record_write_entry(struct small_record *out, enum table table, const struct record_key *key,
                        const struct entry_record *entry);
bool record_read_entry(enum table table, struct bytes key, struct bytes record,
                       struct entry_record *out_entry);
void record_write_dead(struct small_record *out, const struct record_key *key,
                       const struct dead_record *dead);
bool record_read_dead(struct bytes key, struct bytes record, struct dead_record *out_dead);
void record_write_sender(struct small_record *out, const struct record_key *key,
                         const struct sender_record *sender);
bool record_read_sender(struct bytes key, struct bytes record, struct sender_record *out_sender);
void record_write_order_head(struct small_record *out, const struct record_key *key,
                             uint64_t sequence);
bool record_read_order_head(struct bytes key, struct bytes record, uint64_t *out_sequence);
void record_write_behind(struct small_record *out, const struct record_key *key,
                         const struct behind_record *behind);
bool record_read_behind(struct bytes key, struct bytes record, struct behind_record *out_behind);
void record_write_upload(struct small_record *out, const struct record_key *key,
                         const struct upload_record *upload);
bool record_read_upload(struct bytes key, struct bytes record, struct upload_record *out_upload);
void record_write_attempt(struct small_record *out, const struct record_key *key,
                          const struct stored_attempt *attempt);
/* The number is in the key. */
bool record_read_attempt(struct bytes key, struct bytes record, struct stored_attempt *out_attempt);

/* The head of segment 0: written behind RECORD_HEAD_BYTES; read from an opened body. */
void message_head_write(uint8_t *body, const struct message_head *head);
bool message_head_read(struct bytes body, struct message_head *out_head);

#endif
