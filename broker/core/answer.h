/* SPDX-License-Identifier: EUPL-1.2
 *
 * A consumer's answers to deliveries: ack, nack, refuse; and that it needs longer.
 * docs/protocol.md, "Receiving". One thread.
 */
#ifndef RELAIS_CORE_ANSWER_H
#define RELAIS_CORE_ANSWER_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

void answer_ack(struct step *step, struct session *session, const Relais__V1__Ack *ack);
void answer_nack(struct step *step, struct session *session, const Relais__V1__Nack *nack);

/* Waits for nothing and is answered only when it is refused. */
void answer_extend(struct step *step, struct session *session, const Relais__V1__Extend *extend);

#endif
