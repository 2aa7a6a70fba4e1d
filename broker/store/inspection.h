/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is to be true of one record of a store: its checksum, the shape of its key, and that what it
 * refers to is there. One row a table (inspection.c): a new table is one row more.
 *
 * Reads through pages.h alone, so that it survives any file; what is found is told, named, and
 * never with content. Records of a table come in the order of their keys, for those of a message
 * belong together.
 */
#ifndef RELAIS_STORE_INSPECTION_H
#define RELAIS_STORE_INSPECTION_H

#include "core/finding.h"
#include "store/record.h"
#include "store/walk.h"

struct sender_sum {
    uint64_t messages;
    uint64_t bytes;
};

struct inspection {
    struct pages pages; /* for what is looked up: not counted as seen */
    struct walk finder;
    struct page_tree trees[TABLE_COUNT];
    void (*tell)(void *context, const struct store_finding *finding);
    void *context;
    /* The message whose segments come. */
    uint64_t sequence;
    uint32_t next_segment;
    uint64_t left_bytes;
    bool message_open;
    bool message_broken; /* told already */
    /* What each sender has in the messages that were seen: only where all of them are. */
    bool sums_senders;
    struct sender_sum *senders;
    size_t sender_count;
    uint64_t records;
    uint64_t findings;
};

/* `pages` is copied. */
void inspection_init(struct inspection *inspection, const struct pages *pages);
void inspection_fini(struct inspection *inspection);

/* The trees of all tables, from the tree of their names; a table that is missing or unknown is
 * told. `walk` is used. False: without memory, or the disk does not give a page. */
bool inspection_read_tables(struct inspection *inspection, struct walk *walk,
                            const struct page_tree *names);

/* False: without memory, or the disk does not give a page. */
bool inspect_record(struct inspection *inspection, enum table table, struct bytes key,
                    struct bytes record);

/* After the last record of a table. */
void inspect_end(struct inspection *inspection, enum table table);

/* What a page of this table that was noise is told as. */
void inspect_page(struct inspection *inspection, enum table table, uint64_t page);

/* Counts and tells. */
void inspection_tell(struct inspection *inspection, const struct store_finding *finding);

/* Whether the table has a record under this key. False: could not be said. */
bool inspection_has(struct inspection *inspection, enum table table, const struct record_key *key,
                    bool *out_has, struct bytes *out_record);

#endif
