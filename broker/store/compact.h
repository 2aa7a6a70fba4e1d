/* SPDX-License-Identifier: EUPL-1.2
 *
 * Makes the file of a store as small as what is in it. LMDB uses free pages again but never gives
 * them back.
 *
 * Invariant: 1. data.mdb is at each moment a whole store, the old one or the new one: the copy is
 * complete, checked and synced before one rename puts it there, and the folder is synced after.
 * The folder's lock is held by the caller, and no environment is open.
 */
#ifndef RELAIS_STORE_COMPACT_H
#define RELAIS_STORE_COMPACT_H

#include "store/folder.h"

struct compaction {
    const struct folder *folder;
    const char *path;
    uint64_t reserve_bytes; /* free room that must be left on the disk */
    uint64_t before_bytes;
    uint64_t after_bytes;
};

/* Removes what one left that was cut short: it may take much room. */
void compact_clean(const struct folder *folder);

/* Whether a start should do it: more than half of a file that is not small is free, and what is not
 * free is copied within seconds. */
bool compact_is_due(const struct folder *folder);

/* False: *out_problem says why, and nothing has changed. */
bool compact_run(struct compaction *compaction, struct store_problem *out_problem);

#endif
