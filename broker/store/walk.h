/* SPDX-License-Identifier: EUPL-1.2
 *
 * Walks one tree of a store's file in the order of its keys, through pages.h: a broken page is told
 * and stepped over, whatever is in it.
 *
 * Invariants: 1. keys come in strictly rising order, and between the keys of the branches above
 * them: what is told as a record is what LMDB would find; 2. a walk ends: no key comes twice.
 */
#ifndef RELAIS_STORE_WALK_H
#define RELAIS_STORE_WALK_H

#include "store/pages.h"

enum walk_step {
    WALK_RECORD,
    WALK_END,
    WALK_BROKEN, /* broken_page and broken_what; go on behind it */
    WALK_FAILED, /* without memory, or the disk does not give a page */
};

struct walk_level {
    uint64_t page; /* in its buffer, checked as `kind`; 0: none */
    enum page_kind kind;
    unsigned nodes;
    unsigned next;
};

struct walk_counts {
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
};

struct walk {
    struct pages *pages;
    struct page_tree tree;
    bool numbers; /* keys are numbers of the machine, 8 bytes */
    size_t value_max;
    bool keys_only; /* records that lie in runs of pages are not read: they are empty */
    unsigned depth;
    struct walk_level levels[PAGES_DEPTH_MAX];
    uint8_t *buffers[PAGES_DEPTH_MAX];
    uint8_t *value;
    size_t value_capacity;
    uint8_t last[PAGES_KEY_BYTES]; /* no key below this one may come */
    size_t last_bytes;
    bool last_allowed; /* nor this one itself */
    bool begun;        /* `last` counts */
    struct walk_counts counts;
    uint64_t broken_page;
    const char *broken_what;
    /* The record that it stands on, until the next step. */
    struct bytes key;
    struct bytes record;
    uint16_t flags;
};

/* Values longer than value_max are broken. */
void walk_init(struct walk *walk, struct pages *pages, size_t value_max);
void walk_fini(struct walk *walk);

/* To before the first key of a tree, or the first that is not below `from`; the counts begin again.
 * WALK_RECORD or WALK_BROKEN: go on with walk_next(). */
enum walk_step walk_begin(struct walk *walk, const struct page_tree *tree);
enum walk_step walk_seek(struct walk *walk, const struct page_tree *tree, struct bytes from);
enum walk_step walk_next(struct walk *walk);

/* Forgets the pages in memory: the file may have changed. */
void walk_forget(struct walk *walk);

/* WALK_RECORD: stands on exactly this key. WALK_END: there is none. */
enum walk_step walk_find(struct walk *walk, const struct page_tree *tree, struct bytes key);

#endif
