/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what became of a message, for each of its recipients: docs/protocol.md, "Tracking".
 * What is not one's own member's is answered as what never was, unless one operates. One thread.
 */
#ifndef RELAIS_CORE_TRACK_H
#define RELAIS_CORE_TRACK_H

#include "core/session.h"

void track_query(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Query *query);

/* What the store has said to it. */
void track_stored(struct step *step, const struct ticket *ticket,
                  const struct store_result *result);

#endif
