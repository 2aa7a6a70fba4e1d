/* SPDX-License-Identifier: EUPL-1.2
 *
 * Memory that is handed out piece by piece and forgotten in one go: the effects of one turn, the
 * names of one directory.
 *
 * Invariants: 1. pieces are aligned to 16 and zeroed; 2. after a reset the region keeps one block
 * of at most REGION_KEEP_BYTES, so steady use allocates nothing. One thread.
 */
#ifndef RELAIS_CORE_REGION_H
#define RELAIS_CORE_REGION_H

#include <stddef.h>

struct region_block;

struct region {
    struct region_block *blocks; /* newest first: the one that is being filled */
    size_t used;                 /* handed out since the last reset */
};

enum {
    REGION_BLOCK_BYTES = 16 * 1024,
    REGION_KEEP_BYTES = 1024 * 1024, /* a burst's memory goes back to the system beyond this */
};

/* NULL without memory. */
void *region_alloc(struct region *region, size_t size);

/* A copy of `size` bytes of text and a NUL. NULL without memory. */
char *region_text(struct region *region, const char *text, size_t size);

/* Forgets everything handed out. */
void region_reset(struct region *region);
void region_fini(struct region *region);

#endif
