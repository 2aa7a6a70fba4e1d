/* SPDX-License-Identifier: EUPL-1.2
 *
 * Dead letters: who may see them, put one back to its mailbox or let it go. docs/protocol.md,
 * "Dead letters". Each is a question to the store, answered when that has answered.
 *
 * Invariants: 1. nobody sees or touches another member's but with the role operate (core.h,
 * promise 5), and a mailbox that is not one's own is refused by its name alone, so that nothing is
 * learned about it; 2. at most LIMIT_ASKING are with the store, and LIMIT_ASKING_OF_ONE of one
 * connection; 3. neither payload nor subject leaves by this way. One thread.
 */
#ifndef RELAIS_CORE_DEAD_H
#define RELAIS_CORE_DEAD_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

/* query->what is dead or dead_letter. */
void dead_query(struct step *step, struct session *session, const struct directory_client *client,
                const Relais__V1__Query *query);
void dead_manage(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Manage *manage);

/* The store has answered one of these. */
void dead_stored(struct step *step, const struct ticket *ticket, const struct store_result *result);

#endif
