/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that takes the place of an earlier one: what the store has done to its recipients, and
 * what is said when there is no such message. One thread.
 */
#ifndef RELAIS_CORE_SUPERSEDE_H
#define RELAIS_CORE_SUPERSEDE_H

#include "core/session.h"

/* Counters and turns of every mailbox that the later message reached beside those it names. */
void supersede_stored(struct step *step, const struct ticket *ticket,
                      const struct store_result *result);

/* The earlier message is unknown, or of another flow. */
void supersede_refuse(struct step *step, const struct session *session, uint64_t number);

#endif
