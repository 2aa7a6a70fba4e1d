/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every message that was ever made in a run, and for each of its recipients one *life*: what the
 * disk has of it and what the core may do with it. Disk and oracle both write here, each its own
 * fields.
 */
#ifndef RELAIS_TESTS_SIM_LEDGER_H
#define RELAIS_TESTS_SIM_LEDGER_H

#include "core/buffer.h"
#include "core/stored.h"
#include "town.h"

#include <stddef.h>

enum disk_state {
    DISK_NOTHING,
    DISK_WAITING,
    DISK_ACKED,
    DISK_DEAD,
    DISK_DROPPED,
    DISK_SUPERSEDED, /* nobody had it when a later message took its place */
};

/* Of an entry, as the core must see it. */
enum life_state {
    LIFE_FREE,     /* with the store, for the taking */
    LIFE_TAKEN,    /* the core has it, nobody was told */
    LIFE_LEASED,   /* a consumer was told */
    LIFE_ANSWERED, /* an ack, defer or bury is with the store */
    LIFE_UNDONE,   /* for which the store had no room */
    LIFE_GONE,     /* acknowledged or dead, on disk */
};

/* One that failed, as it was told to the disk. */
struct failed {
    uint32_t number;
    uint8_t ending;
    bool because; /* what clients say of a nack */
    int64_t at_ms;
    const char *client; /* the town's name of it; "": another */
};

struct life {
    enum disk_state on_disk; /* written; what is not synced is undone by a crash */
    uint32_t dead_code;
    enum life_state state;
    bool ack_said;     /* its consumer has acknowledged it: it may be gone */
    bool drop_said;    /* somebody has dropped it, dead */
    bool replayed;     /* it has been dead before: its place in the order is where it came back */
    uint32_t attempts; /* those made, as the last take says */
    int64_t due_ms;    /* as the last take says */
    uint32_t holder;   /* serial of the consumer */
    uint64_t tag;
    int64_t leased_ms; /* mono: granted, or granted anew */
    int64_t taken_ms;  /* mono; while it is taken */
    int64_t until_ms;  /* mono */
    bool extended;
    uint32_t lease_ms, attempts_most; /* of its flow, when it was delivered */
    struct failed *history;           /* disk: those of this life from `history_first` on */
    size_t history_first, history_count, history_capacity;
};

struct message {
    uint32_t index;
    unsigned client; /* who sends it */
    enum town_flow flow;
    uint8_t lane;
    bool to_subscribers;      /* its places are known once it is stored */
    bool supersedes;          /* `earlier`, whose places it gets beside those that it names */
    uint32_t earlier;         /* index, perhaps of a message that it may not supersede */
    struct message *later;    /* the last that names this one so */
    struct message *sibling;  /* the one before it that names the same */
    uint32_t key;             /* ordering key of its member; 0: none */
    struct message *same_key; /* the one before it with the same */
    uint64_t sequence;        /* on disk */
    uint32_t named_count;     /* of its places: those in its envelope */
    uint32_t place_count;
    unsigned places[TOWN_PLACES];
    int64_t expires_ms, not_before_ms;
    uint32_t payload_bytes;
    struct bytes payload; /* in the ledger's noise */
    struct buffer *envelope;
    bool stored;      /* on disk: its id is known (disk) */
    uint64_t counted; /* bytes, in what its sender has there (disk); 0: not at all */
    int64_t stored_ms;
    bool accepted; /* a client was told so: it is owed */
    struct life lives[TOWN_PLACES];
};

enum { LEDGER_KEYS = 4 }; /* of each member, from 1 */

struct ledger {
    struct message **messages;
    size_t count, capacity;
    uint32_t *by_sequence; /* message of each; 0 is never used */
    size_t sequence_capacity;
    uint64_t sequence_count;
    struct message *last_of_key[TOWN_MEMBERS][LEDGER_KEYS + 1];
    struct buffer *noise;
    uint64_t lives; /* that have come to an end */
};

void ledger_init(struct ledger *ledger);
void ledger_fini(struct ledger *ledger);

/* A new message like `pattern` (client, flow, lane, places, times, size); its envelope is packed
 * once and for all. */
struct message *ledger_add(struct ledger *ledger, const struct message *pattern);

/* NULL: no such message. By the id, or by the envelope, which begins with the id. */
struct message *ledger_find(const struct ledger *ledger, const char *id);
struct message *ledger_read(const struct ledger *ledger, struct bytes envelope);

void ledger_set_sequence(struct ledger *ledger, uint64_t sequence, uint32_t message);
struct message *ledger_of_sequence(const struct ledger *ledger, uint64_t sequence);

/* NULL: not for this place. */
struct life *ledger_life(struct message *message, unsigned place);

uint64_t ledger_bytes(const struct message *message);

/* The same, and what so many recipients cost. */
uint64_t ledger_stored_bytes(const struct message *message, uint32_t recipients);

#endif
