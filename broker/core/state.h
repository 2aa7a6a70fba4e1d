/* SPDX-License-Identifier: EUPL-1.2
 *
 * The core's state, for the files of this folder alone: sessions, their consumers, mailboxes, and
 * the deliveries between a mailbox and a consumer.
 *
 * Invariants:
 *   1. A session has its number in `sessions` from Hello until its connection has gone.
 *   2. A delivery is in its consumer's list and in the heap of leases, and once it is sent in the
 *      consumer's table by its tag; those from `unsent` on, at the end of the list, have not left.
 *   3. mailbox.credit is the sum of `offered` of the consumers in its ring, and nobody is in the
 *      ring with `offered` 0.
 *   4. mailbox.leased and core.leased count the deliveries that exist.
 *   5. Mailboxes are never freed before the core.
 */
#ifndef RELAIS_CORE_STATE_H
#define RELAIS_CORE_STATE_H

#include "core/core.h"
#include "core/limits.h"
#include "core/ranges.h"
#include "core/table.h"
#include "core/ticket.h"
#include "core/upkeep_job.h"
#include "wire/arena.h"
#include "wire/name.h"

enum {
    KEY_BYTES = 40,
    SOFTWARE_BYTES = 64, /* docs/protocol.md, Hello */
};

struct ahead;

struct mailbox {
    uint32_t id;
    bool announced; /* the store knows its name, or will before the next op */
    bool taking;    /* a take is with the store */
    bool more;      /* something may be there to be taken now */
    bool again;     /* something came back while a take was with the store */
    bool dirty;
    struct mailbox *next_dirty;
    int64_t next_due_ms;   /* when the first deferred entry is due; 0: none is known */
    int64_t rest_until_ms; /* no take before: the store had no room for what became of an entry */
    size_t due_place;      /* in the heap, from 1; 0: not in it */
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t dead;
    uint32_t leased;
    uint32_t consumers;
    uint64_t credit;
    uint32_t claims; /* entries that are on their way to the store, claimed; their bytes */
    uint64_t claim_bytes;
    uint32_t unclaimed; /* and those that are not, of one recipient */
    struct ahead *ahead_first, *ahead_last;
    uint64_t ahead_count, ahead_bytes;
    uint64_t ahead_most;   /* as many are of use */
    int64_t answered_ms;   /* mono: when an entry was acknowledged last */
    struct consumer *turn; /* ring of consumers that can take; whose turn it is */
    char name[];
};

struct delivery {
    struct consumer *consumer;
    uint64_t tag; /* once it is sent */
    struct entry_key key;
    uint32_t attempts; /* made before this one */
    uint64_t bytes;
    uint32_t attempts_most; /* of its flow */
    uint32_t lease_ms;      /* the same */
    int64_t leased_ms;      /* mono: when its lease began, or was granted anew */
    int64_t deadline_ms;    /* mono */
    size_t lease_place;     /* in the heap, from 1 */
    uint64_t serial;        /* in the order of granting */
    uint64_t content;       /* number of its stored payload; 0: none */
    uint64_t stored_bytes;  /* part of `bytes` that is not in `message` */
    struct delivery *older, *newer;
    bool sent;
    bool extended;               /* by its consumer: it has arrived */
    int64_t accepted_ms;         /* until it is sent */
    struct held_message message; /* until it is sent */
};

struct member_use;

struct consumer {
    struct session *session;
    struct consumer *next;
    struct mailbox *mailbox;
    uint32_t number; /* the client's */
    uint64_t serial; /* ours: a number may be used again */
    uint32_t credit;
    uint32_t offered; /* part of it that is counted in mailbox.credit; > 0: in the ring */
    struct consumer *ring_before, *ring_after;
    uint32_t held;       /* deliveries without an answer */
    uint64_t held_bytes; /* that were sent with them: stored payloads are not */
    uint64_t next_tag;
    uint64_t answered_tag; /* the highest that was answered */
    int64_t answered_ms;   /* mono; when anything was */
    struct table deliveries;
    struct delivery *oldest, *newest, *unsent;
    uint32_t settling; /* answers with the store */
    struct ranges settled;
    bool detaching;
    unsigned detach_code; /* Relais__V1__Code; 0: the client asked for it */
};

/* Messages of a session that the store refused since its sender has enough there. */
enum over_kind { OVER_MESSAGES, OVER_BYTES, OVER_COUNT };

struct over_quota {
    struct ranges numbers;
    uint64_t use, limit; /* as the last of them found it */
};

struct session {
    uint64_t connection;
    char key[KEY_BYTES + 1];
    char member[NAME_SLUG_BYTES + 1];
    bool over; /* cut; only its end is awaited */
    bool gone; /* that has come: freed at the next flush */
    bool dirty;
    const struct mailbox *pacer; /* for which its `accepted` waits: pace.h; NULL: it does not */
    int64_t paced_ms;            /* mono: since when */
    struct session *next_paced;
    struct session *next_dirty;
    uint64_t next_number;
    uint32_t window_messages;
    uint64_t window_bytes;
    struct ranges accepted;
    struct ranges full; /* the store had no room for these */
    struct over_quota over_quota[OVER_COUNT];
    struct member_use *use; /* of its member */
    uint32_t noted;         /* codes of refusals that have been logged once, a bit each */
    struct consumer *consumers;
    uint32_t consumer_count;
    uint32_t asking; /* questions with the store: question.h */
    struct upload *uploads;
    uint32_t upload_count;
    uint64_t chunk_bytes; /* with the store */
    uint64_t fetch_bytes; /* asked of the store */
};

/* How many connections a key has. */
struct key_use {
    char key[KEY_BYTES + 1];
    uint32_t connections;
};

/* Deadlines for acknowledgement: remind.h. */
struct reminding {
    int64_t next_ms;       /* broker time, when to ask the store which step is due; 0: never */
    int64_t rest_until_ms; /* mono; the store had no room */
    bool with_store;       /* a question, or what a step says, is */
    uint64_t sequence;     /* whose step is being said, and to how many so far */
    uint8_t step;
    uint64_t recipients; /* 0: none is */
};

struct core_totals {
    uint64_t waiting, waiting_bytes, dead;
    uint64_t accepted, duplicates, refused, delivered, acknowledged;
    uint64_t reminders, deadlines_missed;
    uint64_t leased;
    uint32_t consumers;
};

struct core {
    struct core_settings settings;
    char software[SOFTWARE_BYTES + 1];
    struct directory *directory;
    struct table sessions;
    struct table keys;
    struct table uses; /* struct member_use */
    struct session *dirty_sessions;
    struct session *paced; /* all that are */
    int64_t pace_ms;       /* mono: when the next of them must go; 0: none */
    struct table mailboxes;
    struct mailbox **numbered; /* by id; NULL: of nobody */
    size_t numbered_capacity;
    struct mailbox **sorted; /* every mailbox; by name when `is_sorted` */
    size_t sorted_capacity;
    bool is_sorted;
    uint32_t next_mailbox;
    struct mailbox *dirty_mailboxes, *last_dirty_mailbox; /* in the order of being touched */
    struct mailbox **due;                                 /* heap, the earliest first */
    size_t due_count, due_capacity;
    struct delivery **leases; /* heap, the first deadline first */
    size_t lease_count, lease_capacity;
    struct ahead *ahead_first, *ahead_last; /* taken ahead of credit, the oldest first */
    uint64_t ahead_bytes;
    struct tickets tickets;
    uint64_t storing_bytes;
    uint64_t storing;                  /* appends with the store */
    uint64_t settling;                 /* answers with the store */
    uint32_t asking;                   /* the same of all sessions */
    uint32_t takes;                    /* with the store */
    uint64_t chunk_bytes, fetch_bytes; /* of uploads, with the store; asked of it */
    uint64_t next_serial;
    struct core_totals totals;
    struct wire_arena command_arena;
    struct wire_arena envelope_arena;
    uint64_t random;
    bool started;
    int64_t started_ms; /* mono */
    bool draining, drained;
    bool tight;           /* much is on its way to clients */
    uint64_t share_bytes; /* of a consumer, while it is */
    uint64_t store_used_bytes, store_size_bytes;
    struct upkeep upkeep;
    struct reminding reminding;
    struct expiry {
        int64_t due_ms; /* broker time, when to ask the store what has expired; 0: never */
        bool with_store;
    } expiry;
    int64_t full_noted_ms; /* mono; when the log last told of a full store; 0: never */
};

/* What every function of a step is given. */
struct step {
    struct core *core;
    struct moment now;
    struct effects *effects;
};

/* Between 0 and UINT64_MAX, from the seed. */
uint64_t core_random(struct core *core);

/* An op of this kind and, but for RELEASE, its ticket; both to be filled in. Without memory
 * effects->failed is set, *out_ticket is NULL and what is returned goes nowhere. */
struct store_op *core_op(struct step *step, enum store_op_kind kind, struct ticket **out_ticket);

#endif
