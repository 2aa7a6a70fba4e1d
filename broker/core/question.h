/* SPDX-License-Identifier: EUPL-1.2
 *
 * Questions and orders of clients that wait for the store: about dead letters, quotas, messages
 * sent. Each takes a place of its session and one of all, from question_begin() to question_end():
 * they may bring messages into memory, and the disk has other work. One thread.
 */
#ifndef RELAIS_CORE_QUESTION_H
#define RELAIS_CORE_QUESTION_H

#include "core/session.h"

/* Whether one more has a place. False: *out_refusal is BUSY, and `field` what was asked; or
 * DRAINING, or who keeps asking would keep a broker that stops. */
bool question_fits(struct step *step, const struct session *session, const char *field,
                   struct refusal *out_refusal);

/* It goes to the store: takes the places, and the ticket remembers who is told. */
void question_begin(struct step *step, struct session *session, struct ticket *ticket,
                    uint64_t number);

/* The store has said: gives the places back. False: nobody is there to be told. */
bool question_end(struct step *step, const struct ticket *ticket);

#endif
