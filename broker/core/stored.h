/* SPDX-License-Identifier: EUPL-1.2
 *
 * The words between the core and a store: what is to be remembered, and what was. Values only.
 *
 * An *entry* is one mailbox' small record that refers to a message; the message's bytes are stored
 * once whatever the number of entries. Entries wait in a *lane* in the order of their sequence
 * number; an entry with due_ms > 0 waits aside until then, and is offered before the lanes when
 * due. The broker *takes* entries: they are its own until it acks, defers, buries or releases them.
 * Entries of one mailbox with the same *order* (that is not 0) are given out one at a time, by
 * sequence: only the first is in a lane or waits for its time, the others are *behind* it until it
 * is gone for good. A deferred one keeps the others behind.
 * A buried entry is a *dead letter*: it holds its message until it is replayed or dropped.
 */
#ifndef RELAIS_CORE_STORED_H
#define RELAIS_CORE_STORED_H

#include "core/buffer.h"
#include "core/finding.h"
#include "core/stored_deadline.h"
#include "core/stored_expiry.h"
#include "core/stored_name.h"
#include "core/stored_upload.h"
#include "core/tracked.h"

#include <stdbool.h>

enum store_op_kind {
    STORE_MAILBOX, /* remember mailbox.id and mailbox.name */
    STORE_APPEND,
    STORE_TAKE,
    STORE_ACK,
    STORE_DEFER,
    STORE_BURY,
    STORE_RELEASE,   /* not a write: the entry may be taken again */
    STORE_DEAD_LIST, /* nor is this */
    STORE_DEAD_READ, /* nor this */
    STORE_REPLAY,    /* a dead letter whose message is whole goes to its lane, with no attempts */
    STORE_DROP,      /* a dead letter goes for good */
    STORE_USAGE,     /* not a write: what a sender has in the store */
    STORE_MAILBOXES, /* remember each of announce.names, all or none */
    STORE_BACKUP,    /* begins one, which goes on beside everything else; nor a write */
    STORE_BACKED_UP, /* nor this: how the last backup stands */
    STORE_CHECK,     /* the next step of a check: a write when it sets something aside */
    STORE_UPLOAD,    /* an upload begins, or what is known of it is told */
    STORE_CHUNK,     /* the next bytes of an upload */
    STORE_FETCH,     /* not a write: bytes of a stored payload */
    STORE_TRACK,     /* not a write: what became of a message, for each recipient */
    STORE_CANCEL,    /* what nobody has taken of a message becomes dead letters */
    STORE_DUE,       /* not a write: the deadline whose step is next */
    STORE_KNOWN,     /* not a write: was this (sender, id) accepted? Else STORE_NOT_FOUND */
    STORE_EXPIRE,    /* what nobody has taken of messages that have expired, the same */
};

/* What a member has sent and that lies in the store, dead letters included: each message once, and
 * beside its bytes STORED_RECIPIENT_BYTES for each of its entries. */
struct store_usage {
    uint64_t messages;
    uint64_t bytes; /* of envelopes, payloads and entries */
};

/* Names a dead letter. */
struct dead_key {
    uint32_t mailbox;
    uint64_t sequence;
};

struct store_recipient {
    uint32_t mailbox;
    uint8_t lane;
    int64_t due_ms;
};

/* One thing to do. Pointers are borrowed until store_submit() returns, which copies what it needs;
 * the references in `message` are taken over by it. `now_ms` is broker time. */
struct store_op {
    enum store_op_kind kind;
    uint64_t ticket; /* the core's; comes back in the result */
    int64_t now_ms;
    union {
        struct {
            uint32_t id;
            const char *name; /* address, NUL-terminated, at most STORED_NAME_BYTES */
        } mailbox;
        struct {
            const char *sender; /* slug of the member */
            const char *id;     /* envelope.id: (sender, id) is stored once */
            struct held_message message;
            const struct store_recipient *recipients;
            uint32_t recipient_count;
            int64_t expires_ms;       /* 0: never */
            uint64_t flow;            /* stands for it while the message is remembered */
            struct store_usage quota; /* what the sender may have, with this one; 0: no end */
            uint64_t order;           /* of its entries; 0: none */
            /* > 0: the payload is the upload of (sender, id), which must be whole and this long,
             * else STORE_NOT_FOUND; message.payload is empty. */
            uint64_t stored_bytes;
            bool claim; /* take its entry: of one recipient, without order or upload, due at once */
            /* Id of an earlier message of the same sender and flow, else STORE_UNKNOWN_EARLIER:
             * each past recipient gets this one, in this place, and no copy that waits. NULL: none.
             */
            const char *supersedes;
            uint8_t lane;
            int64_t due_ms;
            const struct stored_deadline *deadline; /* for acknowledging it; NULL: none */
            struct deadline_pass pass;              /* this message is what a step of one says */
        } append;
        struct {
            uint32_t mailbox;
            uint32_t max_entries;
            uint32_t max_bytes; /* the first entry is taken even when it is larger */
        } take;
        struct entry_key ack;
        struct {
            struct entry_key key;
            uint32_t attempts;                    /* made so far */
            int64_t due_ms;                       /* > 0 */
            const struct stored_attempt *attempt; /* that failed; NULL: none did */
        } defer;
        struct {
            struct entry_key key;
            uint32_t attempts;
            uint32_t code;                        /* relais.v1.Code */
            const char *reason;                   /* NUL-terminated, at most LIMIT_REASON_BYTES */
            const struct stored_attempt *attempt; /* as in `defer` */
        } bury;
        struct entry_key release;
        struct {
            uint32_t mailbox;
            uint64_t after; /* the first has a higher sequence */
            uint32_t max_entries;
            uint32_t max_bytes; /* of envelopes; the first is listed even when it is larger */
        } dead_list;
        struct dead_key dead; /* READ, REPLAY, DROP */
        struct {
            const char *sender;
        } usage;
        struct {
            const struct store_name *names;
            uint32_t count;
        } announce;
        struct {
            const char *name; /* at most STORED_BACKUP_BYTES; "": one with the time */
        } backup;
        struct {
            bool begin;         /* a new round */
            uint32_t max_bytes; /* read in this step */
        } check;
        struct upload_op upload;
        struct chunk_op chunk;
        struct fetch_op fetch;
        struct store_track_query track;
        struct {
            const char *sender;
            const char *id;
        } cancel;
        struct {
            const char *sender;
            const char *id;
        } known;
        struct {
            uint32_t max_entries; /* looked at, as well as buried */
        } expire;
    };
};

struct store_entry {
    struct entry_key key;
    uint32_t attempts; /* made before this one, as far as the disk knows */
    int64_t accepted_ms;
    int64_t expires_ms;
    uint64_t content;      /* number of the stored payload; 0: it is in `message` */
    uint64_t stored_bytes; /* its length */
    struct held_message message;
};

struct store_dead {
    uint64_t sequence;
    uint32_t attempts;
    uint32_t code; /* relais.v1.Code, or STORED_CODE_DAMAGED */
    int64_t died_ms;
    int64_t accepted_ms;
    int64_t expires_ms;
    uint64_t bytes; /* of envelope and payload */
    uint64_t stored_bytes;
    char reason[STORED_REASON_BYTES + 1];
    bool damaged; /* its record, or what was read of its message: the fields of that are 0 */
    struct held_message message;    /* DEAD_LIST: the envelope alone */
    struct stored_attempt *history; /* DEAD_READ: in order of number; receiver calls free() */
    uint32_t history_count;
};

/* What became of an op: every one but RELEASE has exactly one result, in the order of the ops, only
 * after the commit that holds its effect has been synced. */
struct store_result {
    enum store_op_kind kind;
    enum store_status status;
    uint64_t ticket;
    union {
        struct {
            uint64_t sequence;
            bool duplicate, claimed; /* known already: nothing stored, sequence of the first */
            struct store_usage usage, quota; /* OVER_QUOTA: of the sender */
            struct held_message message;     /* `claimed`: the receiver drops it */
            struct store_replaced *replaced; /* past recipients; receiver calls free() */
            uint32_t replaced_count;
        } append;
        struct {
            struct store_entry *entries; /* receiver drops the messages and calls free() */
            uint32_t count;
            bool more;           /* others can be taken now */
            int64_t next_due_ms; /* when the first deferred entry is due; 0: none waits */
            uint32_t aside;      /* entries that were damaged: dead letters now */
            uint64_t aside_bytes;
        } take;
        struct {
            struct store_dead *entries; /* receiver drops the messages and calls free() */
            uint32_t count;             /* of DEAD_READ: 1, damaged or not */
            bool more;
        } dead;
        uint64_t replayed_bytes;
        struct store_tracked track;
        struct store_cancelled cancel;
        struct store_due *due; /* DUE; receiver calls free() */
        struct store_expiry expiry;
        struct store_usage usage;
        struct store_turn turn;        /* ACK, BURY */
        struct store_backup *backup;   /* BACKUP, BACKED_UP; receiver calls free() */
        struct store_checked *checked; /* CHECK; receiver calls free() */
        struct upload_result upload;   /* UPLOAD, CHUNK */
        struct held_message fetched;   /* the receiver drops it; the bytes are `payload` */
    };
};

/* What a mailbox holds, as persisted. */
struct stored_mailbox {
    uint32_t id;
    const char *name;
    uint64_t waiting, waiting_bytes; /* entries, deferred ones and those behind included */
    uint64_t dead;
};

#endif
