/* SPDX-License-Identifier: EUPL-1.2
 *
 * Questions of clients: the broker's status, and the mailboxes that they may see. docs/protocol.md,
 * "Asking". A client without the role operate sees its own member's mailboxes and nothing else
 * (core.h, promise 5). One thread.
 */
#ifndef RELAIS_CORE_QUERY_H
#define RELAIS_CORE_QUERY_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

void query_answer(struct step *step, struct session *session, const struct directory_client *client,
                  const Relais__V1__Query *query);

#endif
