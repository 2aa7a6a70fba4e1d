/* SPDX-License-Identifier: EUPL-1.2
 *
 * The entries of one mailbox that the broker has taken, in memory only: after a crash they are
 * offered again. With them, for each lane and for the deferred entries, a hint where the first
 * entry that nobody has taken can be, so that a take need not walk over all that are held.
 *
 * Invariants: 1. `items` is sorted by (due_ms, lane, sequence); 2. every existing entry before its
 * hint is claimed. A hint that is too low costs a walk, one that is too high loses an entry until
 * the next start: whoever adds or gives back an entry calls claims_lower().
 */
#ifndef RELAIS_STORE_CLAIMS_H
#define RELAIS_STORE_CLAIMS_H

#include "core/stored.h"

#include <stddef.h>

struct claims {
    struct entry_key *items;
    size_t count;
    size_t capacity;
    uint64_t lane_hint[LANE_COUNT];
    struct entry_key later_hint;
};

/* Whether an append that is stored takes its entry. */
static inline bool claims_asked(const struct store_op *op)
{
    return op->append.claim && op->append.recipient_count == 1 && op->append.supersedes == NULL &&
           op->append.order == 0 && op->append.stored_bytes == 0 &&
           op->append.recipients[0].due_ms <= 0;
}

/* Zeroed claims are empty and ready. */
void claims_fini(struct claims *claims);

/* Order of (due_ms, lane, sequence). */
int entry_key_compare(const struct entry_key *left, const struct entry_key *right);

/* False without memory. */
bool claims_add(struct claims *claims, const struct entry_key *key);

/* False when it was not claimed. */
bool claims_drop(struct claims *claims, const struct entry_key *key);
bool claims_has(const struct claims *claims, const struct entry_key *key);

/* An entry at `key` is there and free: takes look from it on. */
void claims_lower(struct claims *claims, const struct entry_key *key);

#endif
