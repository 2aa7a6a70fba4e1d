/* SPDX-License-Identifier: EUPL-1.2
 *
 * Writes the records of a store's file into a new one, in order and packed: what a backup and a
 * compaction are. The source is read through pages.h, so that no page of it can lead anywhere.
 *
 * Invariants: 1. records are copied byte for byte, damaged ones too: they stay damaged, and are
 * never delivered; 2. a page that cannot be read ends the copy; 3. the target is written and synced
 * in steps of COPY_STEP_BYTES, so that other writers of the disk are not held up for long.
 * Any thread; nothing may write to the source's pages meanwhile.
 */
#ifndef RELAIS_STORE_COPY_H
#define RELAIS_STORE_COPY_H

#include "store/metas.h"
#include "store/store.h"

enum { COPY_STEP_BYTES = 8 * 1024 * 1024 };

struct copy {
    int source;
    struct page_meta meta; /* of the snapshot that is copied */
    const char *target;    /* must not exist; made with mode 0600 */
    /* Asked after each step; false ends the copy. NULL: never asked. */
    bool (*go_on)(void *context, uint64_t done_bytes);
    void *context;
    bool lives_alone; /* the copy is used without the store's redo log, and does not name it */
    uint64_t records; /* copied */
    uint64_t damaged; /* of them, with a checksum that does not match */
};

/* False: *out_problem says why, and what is at `target` is not a store. */
bool copy_run(struct copy *copy, struct store_problem *out_problem);

#endif
