/* SPDX-License-Identifier: EUPL-1.2
 *
 * A store for the core's tests: the words of core/stored.h over a plain array, one op at a time, so
 * that a test decides when the disk answers. It is strict: an op on an entry that was not taken, or
 * for a mailbox whose name was never said, aborts.
 */
#ifndef RELAIS_TESTS_CORE_SHELF_H
#define RELAIS_TESTS_CORE_SHELF_H

#include "core/stored.h"
#include "store/memory_content.h"

#include <stddef.h>

struct shelf_entry {
    struct entry_key key;
    bool taken;
    bool dead;
    bool damaged; /* set by a test: it cannot be read */
    uint32_t attempts;
    uint32_t code;
    int64_t died_ms;
    char reason[260];
    int64_t accepted_ms, expires_ms;
    struct held_message message;
    struct memory_content *content; /* its stored payload, or NULL */
};

struct shelf_op {
    struct store_op op; /* texts and arrays copied */
    char name[128];
    char id[132];
    char reason[260];
    struct store_recipient recipients[64];
    struct stored_deadline deadline;
    uint32_t ids[64]; /* MAILBOXES */
    char names[64][128];
};

struct shelf {
    struct shelf_op **ops; /* not done yet */
    size_t op_count, op_capacity;
    struct shelf_entry *entries;
    size_t entry_count, entry_capacity;
    char (*ids)[260]; /* "sender id" of what is stored */
    size_t id_count, id_capacity;
    char (*names)[128]; /* by mailbox id */
    size_t name_count;
    uint64_t sequence;
    uint64_t flow;                                         /* of the last message */
    bool no_room;                                          /* appends find no room */
    bool answer_no_room;                                   /* acks and the like neither */
    size_t claims;                                         /* appends that took their entry */
    size_t takes, releases, defers, acks, buries, appends; /* ops handed over */
    size_t mailboxes;                                      /* names */
    size_t dead_lists, dead_reads, replays, drops, usages, announces, tracks;
    size_t cancels, expires, knowns;
    int64_t last_expiry_ms;           /* of all that were handed over */
    uint32_t track_looks;             /* recipients in one step; 0: all; set by a test */
    uint32_t expire_most;             /* in one step; 0: what is asked; set by a test */
    struct store_cancelled cancelled; /* what every cancel does; set by a test, as the next */
    enum store_status cancel_status;
    struct store_usage usage; /* of every sender; set by a test */
    size_t dues, passes;
    struct store_due due;            /* what is answered until it is passed; set by a test */
    enum store_status pass_status;   /* the same of what a step of a deadline says */
    uint32_t reminded[4];            /* whom it reminds: mailboxes; 0: no more */
    struct stored_deadline deadline; /* of the last append; sender "": it had none */
    struct shelf_op pass;            /* the last of a step, and its message */
    struct held_message passed;
    size_t uploads, chunks, fetches;
    struct memory_contents contents; /* as the memory engine has them */
    bool damaged;                    /* set by a test: no fetch finds its bytes */
    size_t backups, looks, checks;
    size_t begun;                 /* rounds of checks */
    struct store_backup backup;   /* of every answer about one; set by a test */
    struct store_checked checked; /* of the next step of a check; set by a test */
};

void shelf_fini(struct shelf *shelf);

/* Like store_submit() for one op. */
void shelf_submit(struct shelf *shelf, const struct store_op *op);

/* Does the oldest op. False: none waits. RELEASE has no result: kind STORE_RELEASE, to be skipped.
 */
bool shelf_work(struct shelf *shelf, struct store_result *out_result);

/* What expires. */
void shelf_expects(struct shelf *shelf, int64_t expires_ms);
void shelf_expire(struct shelf *shelf, const struct store_op *op, struct store_result *result);

bool shelf_has_id(const struct shelf *shelf, const char *sender, const char *id);
size_t shelf_waiting(const struct shelf *shelf, const char *mailbox);
const struct shelf_entry *shelf_first_dead(const struct shelf *shelf);
size_t shelf_taken(const struct shelf *shelf);

#endif
