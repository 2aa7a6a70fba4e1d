/* SPDX-License-Identifier: EUPL-1.2
 *
 * A sender withdraws a message: each copy that nobody has been given becomes a dead letter. One
 * thread.
 */
#ifndef RELAIS_CORE_CANCEL_H
#define RELAIS_CORE_CANCEL_H

#include "core/session.h"

void cancel_manage(struct step *step, struct session *session,
                   const struct directory_client *client, const Relais__V1__Manage *manage);

/* What the store has done. */
void cancel_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result);

#endif
