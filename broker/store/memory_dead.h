/* SPDX-License-Identifier: EUPL-1.2
 *
 * The dead letters of one mailbox of the memory engine, in the order of their sequence whatever
 * lane they came from.
 */
#ifndef RELAIS_STORE_MEMORY_DEAD_H
#define RELAIS_STORE_MEMORY_DEAD_H

#include "store/memory_mailbox.h"

struct memory_death {
    uint32_t code;
    uint8_t lane; /* that it came from */
    int64_t died_ms;
    char reason[STORED_REASON_BYTES + 1];
};

/* Takes over an entry that was removed from its list. False without memory. */
bool memory_dead_bury(struct memory_mailbox *mailbox, struct memory_entry *entry,
                      const struct store_op *op);

/* False without memory; *result is to be dropped all the same. */
bool memory_dead_list(const struct memory_mailbox *mailbox, const struct store_op *op,
                      struct store_result *result);
bool memory_dead_read(const struct memory_mailbox *mailbox, uint64_t sequence,
                      struct store_result *result);

/* Gives the entry as it can be added to its lane. False: no such dead letter. */
bool memory_dead_remove(struct memory_mailbox *mailbox, uint64_t sequence,
                        struct memory_entry *out_entry);

#endif
