/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which (sender, id) the memory engine has accepted: a hash table whose nodes also stand in a queue
 * by age. The oldest go when they are out of the window or too many.
 */
#ifndef RELAIS_STORE_MEMORY_DUPLICATE_H
#define RELAIS_STORE_MEMORY_DUPLICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duplicate_node {
    struct duplicate_node *next;    /* in the bucket */
    struct duplicate_node *younger; /* in the queue */
    int64_t accepted_ms;
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
bool memory_duplicates_find(const struct memory_duplicates *duplicates, const char *sender,
                            const char *id, uint64_t *out_sequence);

/* False without memory. */
bool memory_duplicates_add(struct memory_duplicates *duplicates, const char *sender, const char *id,
                           const struct duplicate_node *values);

/* Forgets those accepted at `until_ms` or before, and the oldest beyond `max`. */
void memory_duplicates_prune(struct memory_duplicates *duplicates, int64_t until_ms, uint64_t max);

#endif
