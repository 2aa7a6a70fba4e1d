/* SPDX-License-Identifier: EUPL-1.2
 *
 * Submits: cut the body, check each message, hand the good ones to the store, refuse the others one
 * by one. Accepted is gathered when the store says STORE_DONE, never before (core.h, promise 1).
 * One thread.
 */
#ifndef RELAIS_CORE_SUBMIT_H
#define RELAIS_CORE_SUBMIT_H

#include "core/refusal.h"
#include "core/state.h"

/* False: it cannot be read; *out_refusal says why and the connection must be cut. */
bool submit_take(struct step *step, struct session *session, const struct directory_client *client,
                 const struct event *event, const Relais__V1__Submit *submit,
                 struct refusal *out_refusal);

/* The store has answered an append. */
void submit_stored(struct step *step, const struct ticket *ticket, struct store_result *result);

/* For the log, once a code and session: whoever sends a thousand wrong messages fills no log. */
void submit_note_refused(struct step *step, struct session *session, const struct refusal *refusal);

#endif
