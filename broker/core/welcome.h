/* SPDX-License-Identifier: EUPL-1.2
 *
 * Hello and Welcome: versions and limits. docs/protocol.md, "A session". One thread.
 */
#ifndef RELAIS_CORE_WELCOME_H
#define RELAIS_CORE_WELCOME_H

#include "core/refusal.h"
#include "core/state.h"

/* May it come in? `of_key`: connections that its key has already. False: *out_refusal says why. */
bool welcome_check(struct step *step, const Relais__V1__Hello *hello, uint32_t of_key,
                   struct refusal *out_refusal);

void welcome_send(struct step *step, uint64_t connection, const struct directory_client *client);

#endif
