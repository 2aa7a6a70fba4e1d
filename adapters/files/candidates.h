/* SPDX-License-Identifier: EUPL-1.2
 *
 * The files of the outbound folder that are on their way, by name: each is WAITING (looked at again
 * when it is due), READY (to be sent) or FLYING (submitted, no outcome yet).
 *
 * 1. Every operation takes a time that does not depend on how many there are.
 * 2. The waiting list is in order of due time, because each waits for the same time.
 * 3. At most CANDIDATES_MAX: what does not fit is found again by the next scan.
 *
 * Pure; thread: that of its owner.
 */
#ifndef RELAIS_FILES_CANDIDATES_H
#define RELAIS_FILES_CANDIDATES_H

#include "adapters/files/folder.h"

/* A name and its state take about 200 bytes: 20 MB when full. */
enum { CANDIDATES_MAX = 100000 };

enum candidate_state { CANDIDATE_WAITING, CANDIDATE_READY, CANDIDATE_FLYING };

struct candidate {
    struct candidate *next; /* of its list */
    struct candidate *previous;
    struct candidate *chain; /* same bucket */
    void *owner;             /* for the outcome of a submit */
    enum candidate_state state;
    struct file_mark mark; /* as last seen, or as submitted */
    bool is_large;         /* does not travel whole */
    bool accepted;         /* by the broker; only the move to "sent" is missing */
    uint32_t hash;
    uint32_t seen; /* number of the scan that saw it last */
    int64_t due_ms;
    char name[];
};

struct candidate_list {
    struct candidate *first;
    struct candidate *last;
};

struct candidates {
    struct candidate **buckets;
    size_t bucket_count;
    size_t count;
    struct candidate_list waiting;
    struct candidate_list ready;
    void *owner;
    int64_t flying_bytes;
    size_t flying;
};

bool candidates_init(struct candidates *set, void *owner);
void candidates_fini(struct candidates *set);

struct candidate *candidates_find(const struct candidates *set, const char *name);

/* Adds a name that is not there yet, as READY. NULL: full, or out of memory. */
struct candidate *candidates_add(struct candidates *set, const char *name);

void candidates_wait(struct candidates *set, struct candidate *candidate, int64_t due_ms);
void candidates_make_ready(struct candidates *set, struct candidate *candidate);
void candidates_fly(struct candidates *set, struct candidate *candidate);
void candidates_remove(struct candidates *set, struct candidate *candidate);

/* Removes what is WAITING or READY and was not seen by scan `scan`. */
void candidates_sweep(struct candidates *set, uint32_t scan);

#endif
