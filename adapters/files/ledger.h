/* SPDX-License-Identifier: EUPL-1.2
 *
 * What has been received: an append-only file of lines (ledger_line.h) and the same in memory.
 *
 * 1. ledger_record() returns RELAIS_OK only when all its lines are on disk, and RELAIS_STORE_FULL
 *    only when none of them is, nor will be. After anything else the ledger records no more: what
 *    is on disk is known again after the next start.
 * 2. The last line of a key is what counts.
 * 3. A torn end (at most one batch) is cut off on opening: nothing was done in its name. A line
 * that cannot be read anywhere else is damage: opening fails and says so, because a lost VOID line
 *    would make us acknowledge what was never delivered.
 * 4. Entries are dropped LEDGER_SETTLED_MS after the broker has our ack on its disk,
 *    LEDGER_DELIVERED_MS after delivery otherwise, and the oldest first beyond LEDGER_ENTRIES.
 *
 * Thread: that of its owner.
 */
#ifndef RELAIS_FILES_LEDGER_H
#define RELAIS_FILES_LEDGER_H

#include "adapters/files/ledger_table.h"

#include <relais/status.h>

enum {
    LEDGER_BATCH = 64,
    LEDGER_ENTRIES = 1000000, /* 64 MiB in memory when full: a week at 100,000 files a day */
};

/* The broker remembers ids for 24 hours: twice that. */
#define LEDGER_SETTLED_MS INT64_C(172800000)
/* 35 days: longer than a message waits in a mailbox. */
#define LEDGER_DELIVERED_MS INT64_C(3024000000)

struct ledger;

/* Opens (or makes) "ledger" in the folder and reads it. RELAIS_SYSTEM, RELAIS_CONFIG_INVALID
 * (damaged), RELAIS_NO_MEMORY. */
relais_status ledger_open(int folder, struct ledger **out_ledger, relais_error *error);
void ledger_close(struct ledger *ledger);

/* The mark of a key; LEDGER_NONE when it is not known. */
enum ledger_mark ledger_look(const struct ledger *ledger,
                             const unsigned char key[LEDGER_KEY_BYTES]);

/* Records up to LEDGER_BATCH entries: on disk, then in memory. */
relais_status ledger_record(struct ledger *ledger, const struct ledger_entry *entries, size_t count,
                            relais_error *error);

/* Sets disk space aside for a batch, before the batch itself fills the disk. 0 or an errno. */
int ledger_reserve(const struct ledger *ledger);

/* Changes a known key in memory; on disk with the next ledger_compact(). VOID forgets it. */
void ledger_note(struct ledger *ledger, const unsigned char key[LEDGER_KEY_BYTES],
                 enum ledger_mark mark, int64_t now_ms);

size_t ledger_count(const struct ledger *ledger);

/* Calls `visit` for each entry; it may change `entry->mark` (VOID forgets the entry). */
void ledger_each(struct ledger *ledger, void (*visit)(void *context, struct ledger_entry *entry),
                 void *context);

/* True when the file holds much more than it needs. */
bool ledger_is_wasteful(const struct ledger *ledger);

/* Writes what is in memory into a new file and puts it in place of the old one, synced. When that
 * fails the old one goes on. */
relais_status ledger_compact(struct ledger *ledger, int64_t now_ms, relais_error *error);

#endif
