/* SPDX-License-Identifier: EUPL-1.2
 *
 * The question what a member uses of its quotas: the store is asked for what lies there. One
 * thread.
 */
#ifndef RELAIS_CORE_USAGE_H
#define RELAIS_CORE_USAGE_H

#include "core/session.h"

void usage_query(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Query *query);

/* What the store has said to it. */
void usage_stored(struct step *step, const struct ticket *ticket,
                  const struct store_result *result);

#endif
