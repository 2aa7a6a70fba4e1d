/* SPDX-License-Identifier: EUPL-1.2
 *
 * The pages of a store's file, read with pread() and believed only once they are checked. LMDB
 * believes its pages: one that is noise leads it outside its memory. Whoever must survive any file
 * reads it through here. The layout is LMDB 0.9's MDB_DATA_VERSION 1 (mdb.c: MDB_page, MDB_meta,
 * MDB_node).
 *
 * Invariants: 1. what pages_read() gives has its nodes inside it; 2. no page beyond the last is
 * read; 3. with `seen`, no page is given twice.
 * Nothing may write to the tree that is read: the writer thread between its batches, a snapshot
 * that a read transaction holds, or a file that nobody has open.
 */
#ifndef RELAIS_STORE_PAGES_H
#define RELAIS_STORE_PAGES_H

#include "core/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PAGES_META = 2, /* the first pages of a file */
    PAGES_META_BYTES = 16 + 136,
    PAGES_HEAD = 16,       /* of each page */
    PAGES_DEPTH_MAX = 32,  /* LMDB's CURSOR_STACK */
    PAGES_KEY_BYTES = 511, /* LMDB's longest key */
    PAGES_TREE_BYTES = 48,
};

#define PAGES_NONE UINT64_MAX /* the root of an empty tree */

struct page_tree {
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root;
};

struct page_meta {
    uint32_t page_bytes;
    struct page_tree free_pages; /* for each transaction, the pages that it freed */
    struct page_tree names;      /* the tables, by name */
    uint64_t last_page;
    uint64_t transaction;
};

/* False: not the meta page of that number. `page` has PAGES_META_BYTES. */
bool page_meta_read(const uint8_t *page, uint64_t number, struct page_meta *out_meta);
bool page_tree_read(struct bytes record, struct page_tree *out_tree);

struct pages {
    int fd;
    size_t page_bytes;
    uint64_t last_page;
    uint8_t *seen; /* a bit a page; NULL: not watched. Borrowed */
    uint64_t read_bytes;
};

enum page_kind { PAGE_BRANCH = 0x01, PAGE_LEAF = 0x02, PAGE_OVERFLOW = 0x04, PAGE_META = 0x08 };

/* What reading a page came to. */
enum page_end { PAGE_READ, PAGE_BROKEN, PAGE_UNREADABLE };

/* A branch or leaf page into `out_page`. PAGE_BROKEN: *out_what says in what way. */
enum page_end pages_read(struct pages *pages, uint64_t number, enum page_kind kind,
                         uint8_t *out_page, const char **out_what);

/* A value of `size` bytes in a run of pages, into `out_run`, which has PAGES_HEAD bytes more. */
enum page_end pages_read_run(struct pages *pages, uint64_t number, size_t size, uint8_t *out_run,
                             uint64_t *out_pages, const char **out_what);

/* Of a page that pages_read() gave. */
unsigned page_nodes(const uint8_t *page);

struct page_node {
    struct bytes key;
    uint16_t flags;      /* leaf */
    uint64_t child;      /* branch */
    size_t data_bytes;   /* leaf: of the value, wherever it is */
    const uint8_t *data; /* leaf: the value, or the number of the run's first page */
};

enum { NODE_RUN = 0x01, NODE_TREE = 0x02, NODE_DUPLICATES = 0x04 };

struct page_node page_node(const uint8_t *page, enum page_kind kind, unsigned index);

#endif
