/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deadlines for acknowledgement: when a step of one is due, recipients who have not acknowledged
 * are reminded, and at the deadline the sender is warned. The store keeps them and knows which is
 * next (core/stored_deadline.h); the core knows only when.
 *
 * Invariants: 1. one question or one message about deadlines is with the store at a time, so what
 * they cost is bounded whatever the number of recipients; 2. the store is asked when a step is due
 * and not before; 3. what the broker says itself counts against nobody's quota and has no deadline.
 * One thread.
 */
#ifndef RELAIS_CORE_REMIND_H
#define RELAIS_CORE_REMIND_H

#include "core/state.h"
#include "relais/v1/envelope.pb-c.h"

/* The deadline of a message to be appended, when its flow has one; NULL: it has none. */
const struct stored_deadline *remind_lay(struct step *step, const char *sender,
                                         const Relais__V1__Envelope *envelope, int64_t due_ms);

/* Some may be there from before. */
void remind_start(struct step *step);

/* Asks the store when a step is due. */
void remind_time(struct step *step);

/* When EVENT_TIME is wanted, mono, from now on; 0: not. */
int64_t remind_first_ms(const struct core *core, struct moment now);

/* What the store says: which is next; that a step has been passed. */
void remind_due(struct step *step, const struct ticket *ticket, const struct store_result *result);
void remind_passed(struct step *step, const struct ticket *ticket,
                   const struct store_result *result);

#endif
