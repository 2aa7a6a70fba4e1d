/* SPDX-License-Identifier: EUPL-1.2
 *
 * Leases: a delivery is its consumer's until a deadline, on the clock that never steps. All leases
 * are as long, so the list of them in the order of granting is in the order of deadlines.
 *
 * Transitions: lease_grant() unsent -> lease_sent() held -> lease_end() gone; lease_return() ends
 * it and gives the entry back. One thread.
 */
#ifndef RELAIS_CORE_LEASE_H
#define RELAIS_CORE_LEASE_H

#include "core/entry.h"

/* How a delivery goes back. What was never sent goes back as it came, whatever is said here. */
enum lease_return {
    RETURN_CLEAN, /* as it came: its consumer took leave in order */
    RETURN_DIED,  /* the attempt counts: its consumer died, perhaps of it; again at once */
    RETURN_LATE,  /* the attempt counts: the lease ran out; again after the back-off */
};

/* Takes the entry's message over. False without memory: nothing has happened. */
bool lease_grant(struct step *step, struct consumer *consumer, struct store_entry *entry);

/* It leaves: gets its tag, the next of its consumer, and can be answered. */
void lease_sent(struct step *step, struct delivery *delivery);

/* What a delivery refers to, its attempt counted. */
struct entry_ref lease_entry(const struct delivery *delivery);

/* Forgets a delivery. */
void lease_end(struct step *step, struct delivery *delivery);

void lease_return(struct step *step, struct delivery *delivery, enum lease_return how);

/* NULL: not held. */
struct delivery *lease_find(const struct consumer *consumer, uint64_t tag);

/* Returns what is over its deadline. */
void lease_time(struct step *step);

/* The first deadline; 0: none. */
int64_t lease_first_ms(const struct core *core);

#endif
