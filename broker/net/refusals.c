/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ring of refusals.h.
 */
#include "net/refusals.h"

#include <string.h>

void refusals_add(struct refusals *refusals, const char *reason, uint64_t connection,
                  const char *key)
{
    if (refusals->count == REFUSALS_MAX) {
        return;
    }
    struct refusal *refusal = &refusals->ring[(refusals->first + refusals->count) % REFUSALS_MAX];
    *refusal = (struct refusal){.reason = reason, .connection = connection};
    if (key != NULL) {
        memcpy(refusal->key, key, sizeof refusal->key);
    }
    refusals->count++;
}

bool refusals_next(struct refusals *refusals, struct net_event *out_event)
{
    if (refusals->count == 0) {
        return false;
    }
    const struct refusal *refusal = &refusals->ring[refusals->first];
    refusals->first = (refusals->first + 1) % REFUSALS_MAX;
    refusals->count--;
    *out_event = (struct net_event){
        .kind = NET_REFUSED,
        .connection = refusal->connection,
        .reason = refusal->reason,
    };
    memcpy(out_event->key, refusal->key, sizeof out_event->key);
    return true;
}
