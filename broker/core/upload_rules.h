/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who may upload what: looked at before a byte of the payload comes, so that nobody sends 4 GiB to
 * hear that the flow is not his. The envelope is checked as ever when it is submitted. One thread.
 */
#ifndef RELAIS_CORE_UPLOAD_RULES_H
#define RELAIS_CORE_UPLOAD_RULES_H

#include "core/refusal.h"
#include "core/state.h"

/* False: *out_refusal says why. */
bool upload_check(struct step *step, const struct session *session,
                  const struct directory_client *client, const Relais__V1__Upload *command,
                  struct refusal *out_refusal);

/* The most bytes that a stored payload of this flow may have. */
uint64_t upload_most(const struct core *core, const struct directory_flow *flow);

#endif
