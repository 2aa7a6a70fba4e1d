/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which (sender, id) the memory engine has accepted: a hash table whose nodes also stand in a queue
 * by age. The oldest go, with what became of their messages, when they are too old, or too many:
 * then those of the sender that has the most; one whose message an entry holds goes to the end of
 * the queue instead, without its id when there are too many.
 */
#ifndef RELAIS_STORE_MEMORY_DUPLICATE_H
#define RELAIS_STORE_MEMORY_DUPLICATE_H

#include "store/memory_track.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duplicate_node {
    struct duplicate_node *next;    /* in the bucket */
    struct duplicate_node *younger; /* in the queue */
    bool forgotten;                 /* its id: only the rows of its message are kept */
    int64_t accepted_ms;
    int64_t age_ms;
    int64_t expires_ms;
    int64_t deadline_ms; /* 0: none */
    uint64_t flow;
    uint64_t sequence;
    size_t key_size;
    char key[];
};

struct memory_duplicates {
    struct duplicate_node **buckets;
    size_t bucket_count; /* a power of two */
    struct duplicate_node *oldest;
    struct duplicate_node *youngest;
    uint64_t count;
};

bool memory_duplicates_init(struct memory_duplicates *duplicates);
void memory_duplicates_fini(struct memory_duplicates *duplicates);
/* The latest of this name; NULL: not known. */
const struct duplicate_node *memory_duplicates_find(const struct memory_duplicates *duplicates,
                                                    const char *sender, const char *id);

/* False without memory. */
bool memory_duplicates_add(struct memory_duplicates *duplicates, const char *sender, const char *id,
                           const struct duplicate_node *values);

/* Forgets those of `until_ms` or before, and beyond `max` the oldest of who has the most. */
void memory_duplicates_prune(struct memory_duplicates *duplicates, struct memory_tracks *tracks,
                             int64_t until_ms, uint64_t max, int64_t now_ms);

#endif
