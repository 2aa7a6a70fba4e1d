/* SPDX-License-Identifier: EUPL-1.2
 *
 * Handing on: a message for one mailbox whose consumers have credit left is taken by the append
 * that stores it, and its bytes come back with the result. So it is delivered as soon as it is on
 * disk, without being read from there.
 *
 * Invariants:
 *   1. mailbox.claims entries and claim_bytes are on their way to the store, claimed: each has its
 *      credit, which takes leave alone, and all together stay below LIMIT_UNACKED_BYTES.
 *   2. Nothing is claimed while something else of the mailbox can be taken, or will be: what was
 *      first in a lane is first to be delivered.
 *   3. What nobody can take any more when it is on disk goes back to the store as it came.
 * One thread.
 */
#ifndef RELAIS_CORE_HANDOVER_H
#define RELAIS_CORE_HANDOVER_H

#include "core/state.h"

/* Decides whether the append, which is complete but for that, is to take its entry. */
void handover_ask(const struct step *step, struct ticket *ticket, struct store_op *op);

/* The store has answered the append, whatever it says. */
void handover_end(struct step *step, const struct ticket *ticket);

/* It was stored and is ours. Takes the result's message over. */
void handover_give(struct step *step, const struct ticket *ticket, struct store_result *result);

/* How many entries more may be taken for a mailbox. */
uint64_t handover_room(const struct mailbox *mailbox);

#endif
