/* SPDX-License-Identifier: EUPL-1.2
 *
 * Consumers: what a session has attached to a mailbox, its credit, and what it holds.
 *
 * Invariants: 1. never more deliveries than credit was given; 2. never LIMIT_CREDIT without an
 * answer, nor LIMIT_UNACKED_BYTES but for the message that crosses it; 3. entries of a mailbox go
 * to the consumers that can take them in turn. One thread.
 */
#ifndef RELAIS_CORE_CONSUMER_H
#define RELAIS_CORE_CONSUMER_H

#include "core/lease.h"

/* NULL: not attached, or about to be detached. */
struct consumer *consumer_find(const struct session *session, uint32_t number);

void consumer_attach(struct step *step, struct session *session,
                     const struct directory_client *client, const Relais__V1__Attach *attach);
void consumer_credit(struct step *step, struct session *session, const Relais__V1__Credit *credit);
void consumer_detach(struct step *step, struct session *session, const Relais__V1__Detach *detach);

/* Takes a consumer away: what it holds goes back; Detached follows when its last answer is on disk.
 */
void consumer_end(struct step *step, struct consumer *consumer, Relais__V1__Code code);

/* Takes away all consumers of a session that is over, at once and without a word. */
void consumers_drop(struct step *step, struct session *session, bool died);

/* Gives it an entry and takes the message over; it must be in its mailbox' ring. */
void consumer_give(struct step *step, struct consumer *consumer, struct store_entry *entry);

/* Brings its place in the ring and the mailbox' credit up to date. */
void consumer_refresh(struct core *core, struct consumer *consumer);

/* An answer of a consumer is on disk (`settled`) or could not be written. */
void consumer_settled(struct step *step, const struct ticket *ticket, bool settled);

/* Says what has gathered: Settled, Deliver, Detached. */
void consumers_flush(struct step *step, struct session *session);

#endif
