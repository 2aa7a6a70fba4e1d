/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fetches: a consumer reads the stored payload of a delivery that it holds, from any offset, as
 * often as it likes. Each fetch grants the lease anew. Bytes come from the store, checked; damage
 * makes a dead letter, never a wrong byte. One thread.
 */
#ifndef RELAIS_CORE_FETCH_H
#define RELAIS_CORE_FETCH_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

void fetch_begin(struct step *step, struct session *session, const Relais__V1__Fetch *command);

/* The store's answer. Takes the bytes over. */
void fetch_stored(struct step *step, const struct ticket *ticket, struct store_result *result);

#endif
