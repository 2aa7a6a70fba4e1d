/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ROUTER socket with every limit set, and its bind; failures become sentences that say what to
 * do.
 *
 * Invariant: no option is left to its default by oversight, and all are set before the bind.
 */
#ifndef RELAIS_NET_LISTENER_H
#define RELAIS_NET_LISTENER_H

#include "net/net.h"

/* A ROUTER with its options, not bound yet. NULL on failure. */
void *listener_new(void *context, const struct net_settings *settings,
                   struct net_problem *out_problem);

/* Binds it; out_endpoint gets the address really bound. */
bool listener_bind(void *router, const char *endpoint, char out_endpoint[NET_ENDPOINT_BYTES],
                   struct net_problem *out_problem);

#endif
