/* SPDX-License-Identifier: EUPL-1.2
 *
 * Leases: a delivery is its consumer's until a deadline, on the clock that never steps: as long as
 * the flow says (or the broker, where it does not), or as its consumer has asked for since.
 *
 *   1. A connection that is lost costs no attempt, however often: lines are bad.
 *   2. A lease that runs out is granted anew while the consumer answers what was sent before it: it
 *      may still be on its way.
 *   3. The first that a consumer held which went without having answered anything pauses before it
 *      comes again, behind the others: perhaps it is what the consumer died of.
 *
 * Transitions:
 *   lease_grant() unsent -> lease_sent() held -> lease_end() gone;
 *   lease_extend() held -> held;
 *   lease_return() and lease_pause() end it and give the entry back.
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

/* Its deadline begins anew. */
void lease_renew(struct step *step, struct delivery *delivery);

/* Forgets a delivery. */
void lease_end(struct step *step, struct delivery *delivery);

/* It goes back to the mailbox as it came and can be taken at once. */
void lease_return(struct step *step, struct delivery *delivery);

/* NULL: not held. */
struct delivery *lease_find(const struct consumer *consumer, uint64_t tag);

/* It comes again after the first back-off; no attempt is counted. */
void lease_pause(struct step *step, struct delivery *delivery);

/* What is over its deadline is renewed, or counted as a failed attempt that comes again after the
 * back-off. */
void lease_time(struct step *step);

/* Its deadline is `by_ms` from now, sooner or later than it was; it is not renewed any more. */
void lease_extend(struct step *step, struct delivery *delivery, uint32_t by_ms);

/* The first deadline; 0: none. */
int64_t lease_first_ms(const struct core *core);

#endif
