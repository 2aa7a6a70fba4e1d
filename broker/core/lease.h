/* SPDX-License-Identifier: EUPL-1.2
 *
 * Leases: a delivery is its consumer's until a deadline, on the clock that never steps. All leases
 * are as long, so the list of them in the order of granting is in the order of deadlines.
 *
 * Rules for bad lines: 1. a connection that is lost costs no attempt, however often; 2. a lease
 * that runs out is granted anew while the consumer answers what was sent before it: it may still be
 * on its way. Transitions: lease_grant() unsent -> lease_sent() held -> lease_end() gone;
 * lease_return() ends it and gives the entry back as it came. One thread.
 */
#ifndef RELAIS_CORE_LEASE_H
#define RELAIS_CORE_LEASE_H

#include "core/entry.h"

/* Takes the entry's message over. False without memory: nothing has happened. */
bool lease_grant(struct step *step, struct consumer *consumer, struct store_entry *entry);

/* It leaves: gets its tag, the next of its consumer, and can be answered. */
void lease_sent(struct step *step, struct delivery *delivery);

/* What a delivery refers to, its attempt counted. */
struct entry_ref lease_entry(const struct delivery *delivery);

/* Forgets a delivery. */
void lease_end(struct step *step, struct delivery *delivery);

/* It goes back to the mailbox as it came and can be taken at once. */
void lease_return(struct step *step, struct delivery *delivery);

/* NULL: not held. */
struct delivery *lease_find(const struct consumer *consumer, uint64_t tag);

/* What is over its deadline is renewed, or counted as a failed attempt that comes again after the
 * back-off. */
void lease_time(struct step *step);

/* The first deadline; 0: none. */
int64_t lease_first_ms(const struct core *core);

#endif
