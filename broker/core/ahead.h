/* SPDX-License-Identifier: EUPL-1.2
 *
 * Entries of a mailbox that are taken ahead of credit, for a moment, so that a consumer that keeps
 * answering does not wait for the disk each time.
 *
 * Invariants:
 *   1. When one is taken, never more are ahead than the consumers hold and can take, nor than
 *      `ahead_most`, which doubles while all are used and falls when some are not; and within
 * LIMIT_AHEAD_BYTES for a mailbox, LIMIT_AHEAD_TOTAL_BYTES for all, in bytes of their own.
 *   2. They leave in the order in which they were taken. Nothing overtakes them but what the store
 *      got back.
 *   3. Nothing is ahead when a turn is over while its mailbox has credit, or when nobody holds or
 *      can take anything of it; nor for longer than AHEAD_MS: others may want to have it.
 * One thread.
 */
#ifndef RELAIS_CORE_AHEAD_H
#define RELAIS_CORE_AHEAD_H

#include "core/state.h"

/* How many may be ahead now. */
uint64_t ahead_most(const struct mailbox *mailbox);

/* Keeps it and takes the message over. False: there is no room. */
bool ahead_keep(struct step *step, struct mailbox *mailbox, struct store_entry *entry);

/* Hands on what there is credit for; gives everything back when nobody is there any more. */
void ahead_flush(struct step *step, struct mailbox *mailbox);

/* Gives back what has waited for too long. */
void ahead_time(struct step *step);

/* When that is, mono; 0: never. */
int64_t ahead_first_ms(const struct core *core);

void ahead_fini(struct mailbox *mailbox);

#endif
