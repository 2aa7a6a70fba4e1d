/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ledger's entries in memory: a hash table by key. Keys are hashes already, so their first
 * bytes are the place to look; collisions go to the next place. Thread: that of its owner.
 */
#ifndef RELAIS_FILES_LEDGER_TABLE_H
#define RELAIS_FILES_LEDGER_TABLE_H

#include "adapters/files/ledger_line.h"

struct ledger_table {
    struct ledger_entry *places; /* mark LEDGER_NONE: free */
    size_t place_count;          /* a power of two, or 0 */
    size_t count;
};

void ledger_table_fini(struct ledger_table *table);

/* The entry of this key, or NULL. Valid until the next put or remove. */
struct ledger_entry *ledger_table_find(const struct ledger_table *table,
                                       const unsigned char key[LEDGER_KEY_BYTES]);

/* Adds or replaces. False: out of memory, nothing changed. */
bool ledger_table_put(struct ledger_table *table, const struct ledger_entry *entry);

void ledger_table_remove(struct ledger_table *table, const unsigned char key[LEDGER_KEY_BYTES]);

#endif
