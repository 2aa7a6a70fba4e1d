/* SPDX-License-Identifier: EUPL-1.2
 *
 * The failed attempts of a mailbox' entries in the memory engine, the oldest first.
 */
#ifndef RELAIS_STORE_MEMORY_ATTEMPT_H
#define RELAIS_STORE_MEMORY_ATTEMPT_H

#include "store/memory_mailbox.h"

/* NULL: there was none. False without memory. */
bool memory_attempt_keep(struct memory_mailbox *mailbox, uint64_t sequence,
                         const struct stored_attempt *attempt);
void memory_attempts_forget(struct memory_mailbox *mailbox, uint64_t sequence);
bool memory_attempts_read(const struct memory_mailbox *mailbox, uint64_t sequence,
                          struct store_dead *out_dead);

#endif
