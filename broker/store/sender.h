/* SPDX-License-Identifier: EUPL-1.2
 *
 * What each member has sent and that still lies in the store: read whole at start, a few bytes for
 * each member that ever sent something, so that a quota is judged without a look at the disk.
 *
 * Invariants: 1. a number names one slug for ever; 2. `usage` is what the running transaction has
 * made of `committed`; 3. an address stays valid until sender_table_fini(). One thread.
 */
#ifndef RELAIS_STORE_SENDER_H
#define RELAIS_STORE_SENDER_H

#include "core/stored.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SENDER_SLUG_BYTES = STORED_SENDER_BYTES,
    /* Far beyond LIMIT_DIRECTORY_MEMBERS, those of the past included: a higher number is damage. */
    SENDER_NUMBER_MAX = 1024 * 1024,
};

struct sender {
    uint32_t number; /* from 1 */
    char slug[SENDER_SLUG_BYTES + 1];
    struct store_usage usage;
    struct store_usage committed;
    uint64_t begun; /* bytes of its unfinished uploads, whole; found anew at start */
    uint64_t committed_begun;
    uint64_t known; /* its ids that are remembered */
    uint64_t committed_known;
    bool touched;        /* by the running transaction */
    struct sender *next; /* of those that are touched */
};

struct sender_table {
    struct sender **items; /* by number - 1; NULL: never on disk */
    size_t count;
    size_t capacity;
    struct sender **buckets; /* by slug; open addressing, at most half full */
    size_t bucket_count;     /* 0 or a power of two */
    size_t used;
    /* Of the ids that are forgotten since there are too many: where they are looked for, and among
     * whom: who has more than so many; how many looks until that is found out anew. */
    int64_t heavy_age_ms;
    uint64_t heavy_sequence;
    uint64_t heavy_known;
    uint32_t heavy_looks;
};

void sender_table_fini(struct sender_table *table);

/* NULL: never sent anything; no such number. */
struct sender *sender_find(const struct sender_table *table, const char *slug);
struct sender *sender_numbered(const struct sender_table *table, uint32_t number);

/* The sender of that slug, made with the next number when it is new. NULL without memory. */
struct sender *sender_add(struct sender_table *table, const char *slug);

/* As found on disk. False without memory, or when number or slug cannot be. */
bool sender_restore(struct sender_table *table, uint32_t number, const char *slug,
                    const struct store_usage *usage, uint64_t known);

/* So many remembered ids that those who have more hold a good part of all, the heaviest first. */
uint64_t sender_heavy(const struct sender_table *table);

/* What counts for its quota: messages, and uploads as if they were there. NULL: nothing. */
struct store_usage sender_usage(const struct sender *sender);

/* Would one more message of `bytes` be beyond `quota`? In it 0 is no end. `uploaded` of the bytes
 * are an upload that has been counted. */
bool sender_is_over(const struct sender *sender, const struct store_usage *quota, uint64_t bytes,
                    uint64_t uploaded);

void sender_upload_begins(struct sender *sender, uint64_t bytes);
void sender_upload_ends(struct sender *sender, uint64_t bytes);

void sender_count_in(struct sender *sender, uint64_t bytes);
void sender_count_out(struct sender *sender, uint64_t bytes);

/* Bytes alone: of an entry. */
void sender_count_entry_out(struct sender *sender);

#endif
