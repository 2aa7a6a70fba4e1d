/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is still to be told about peers that were turned away. Under a flood the surplus is
 * forgotten: it is for a log and a counter, and must not become a way to fill memory.
 */
#ifndef RELAIS_NET_REFUSALS_H
#define RELAIS_NET_REFUSALS_H

#include "net/net.h"

enum { REFUSALS_MAX = 64 };

struct refusal {
    const char *reason; /* static */
    uint64_t connection;
    char key[NET_KEY_CHARACTERS + 1];
};

struct refusals {
    struct refusal ring[REFUSALS_MAX];
    size_t first;
    size_t count;
};

/* `key` may be NULL. */
void refusals_add(struct refusals *refusals, const char *reason, uint64_t connection,
                  const char *key);

bool refusals_next(struct refusals *refusals, struct net_event *out_event);

#endif
