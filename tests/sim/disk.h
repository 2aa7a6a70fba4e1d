/* SPDX-License-Identifier: EUPL-1.2
 *
 * The simulated store: the semantics of store/store.h, in steps that a run can break off between.
 * Ops wait; some are *written* (they change what a later op of the same store sees, as in a
 * transaction); a *sync* makes all that is written lasting and gives their results; a crash undoes
 * what was not synced and forgets who had taken what.
 *
 * It is strict: an op on an entry that is not there, or that nobody has taken, breaks a promise.
 */
#ifndef RELAIS_TESTS_SIM_DISK_H
#define RELAIS_TESTS_SIM_DISK_H

#include "ledger.h"
#include "store/memory_dead.h"
#include "store/memory_mailbox.h"
#include "store/memory_order.h"
#include "trace.h"

enum { DISK_REASON_BYTES = 32 }; /* the simulator gives short ones */

/* What the oracle knows of an op; comes back with its result. */
struct op_note {
    uint64_t connection;
    uint64_t number; /* of the message, or tag */
    uint32_t consumer;
    struct message *message;
    unsigned place;
    uint32_t places; /* MAILBOXES: a bit each */
    uint64_t cost;   /* APPEND: counted as storing */
    bool claims;     /* APPEND: it takes its entry, of `place` */
    uint32_t free;   /* APPEND that supersedes: places of copies that were free, a bit each */
    int64_t at_ms;   /* mono: when that was so */
};

struct disk_op {
    struct store_op op; /* `recipients` and texts: see below */
    struct op_note note;
    unsigned place;                 /* MAILBOX: its name */
    struct message *tracked;        /* TRACK, CANCEL, KNOWN; NULL: of nobody */
    struct message *earlier;        /* APPEND that supersedes; NULL: of nobody */
    uint32_t named;                 /* APPEND: recipients that it came with */
    uint32_t name_ids[TOWN_PLACES]; /* MAILBOXES, with the places of their names */
    unsigned name_places[TOWN_PLACES];
    struct store_recipient recipients[TOWN_PLACES];
    char reason[DISK_REASON_BYTES];
    struct failed failed; /* DEFER, BURY: the attempt; of no number: none failed */
};

struct disk_result {
    struct store_result result;
    struct op_note note;
};

struct disk_mailbox {
    bool known;
    unsigned place;
    struct memory_mailbox box;
};

/* How to take back one thing that was written. A copy that was superseded is one that was acked. */
struct disk_undo {
    enum store_op_kind kind;
    uint32_t mailbox;
    struct message *message;    /* APPEND */
    uint64_t sequence;          /* APPEND */
    struct memory_entry before; /* ACK, DEFER, BURY; REPLAY, DROP: without its death */
    struct store_op death;      /* REPLAY, DROP: of which it had died */
    struct entry_key after;     /* DEFER */
    bool passed;                /* ACK, BURY: the next of its order came in its place */
    bool behind;                /* BURY: it was behind others of its order */
    bool failed;                /* DEFER, BURY: an attempt is in its history */
    size_t history_first;       /* REPLAY: of its life before */
};

struct disk {
    struct trace *trace;
    struct ledger *ledger;
    struct chance *chance;
    struct disk_op *ops; /* waiting from `op_first` on */
    size_t op_first, op_count, op_capacity;
    struct disk_result *results; /* from `result_first` on; synced before `result_synced` */
    size_t result_first, result_synced, result_count, result_capacity;
    struct disk_undo *undos;
    size_t undo_count, undo_capacity;
    struct disk_mailbox *mailboxes; /* by id */
    size_t mailbox_count, mailbox_capacity;
    struct store_usage usage[TOWN_MEMBERS]; /* of each member, as written */
    uint64_t next_sequence, synced_sequence;
    int64_t last_time_ms, synced_time_ms;
    bool full;  /* no room for messages and mailboxes */
    bool stuck; /* nor for answers */
};

void disk_init(struct disk *disk, struct trace *trace, struct ledger *ledger,
               struct chance *chance);
void disk_fini(struct disk *disk);

/* Like store_submit() for one op. */
void disk_submit(struct disk *disk, const struct store_op *op, const struct op_note *note);

size_t disk_waiting(const struct disk *disk);
void disk_write(struct disk *disk, size_t count);
void disk_sync(struct disk *disk);

/* False: no result is ready. */
bool disk_collect(struct disk *disk, struct disk_result *out_result);

/* Nothing is waiting, written or to be collected. */
bool disk_is_idle(const struct disk *disk);

/* What was not synced, and all results, are lost. */
void disk_crash(struct disk *disk);

/* Like store_close(): what was submitted is done. */
void disk_close(struct disk *disk);

/* What a new broker finds. At most TOWN_PLACES; names are the town's. */
size_t disk_mailboxes(const struct disk *disk, struct stored_mailbox *out_mailboxes);

/* Could an entry of this place that was never deferred be taken now? */
bool disk_offers(struct disk *disk, unsigned place, int64_t now_ms);

#endif
