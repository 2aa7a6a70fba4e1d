/* SPDX-License-Identifier: EUPL-1.2
 *
 * May this client open that mailbox? docs/protocol.md, "Receiving". One thread.
 */
#ifndef RELAIS_CORE_ATTACH_RULES_H
#define RELAIS_CORE_ATTACH_RULES_H

#include "core/refusal.h"
#include "core/state.h"

/* By the directory. False: *out_refusal says why. */
bool attach_check(struct step *step, const struct directory_client *client,
                  const Relais__V1__Attach *attach, struct refusal *out_refusal);

/* By what the connection has. */
bool attach_check_session(struct step *step, const struct session *session,
                          const Relais__V1__Attach *attach, struct refusal *out_refusal);

/* Its number is taken already. */
struct refusal attach_in_use(struct step *step, uint32_t consumer);

#endif
