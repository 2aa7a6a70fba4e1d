/* SPDX-License-Identifier: EUPL-1.2
 *
 * The words between the core and a store about messages that nobody has taken in time. Part of
 * stored.h.
 */
#ifndef RELAIS_CORE_STORED_EXPIRY_H
#define RELAIS_CORE_STORED_EXPIRY_H

#include "core/stored_name.h"

/* What has expired while a consumer had it is looked at again so much later. */
enum { STORED_EXPIRY_AGAIN_MS = 60 * 1000 };

/* An entry that has become a dead letter, with STORED_CODE_EXPIRED. */
struct store_expired {
    uint32_t mailbox;
    uint32_t attempts;
    uint64_t sequence;
    uint64_t bytes;
    struct store_turn turn;
};

struct store_expiry {
    struct store_expired *entries; /* receiver calls free() */
    uint32_t count;
    int64_t next_ms; /* when there is more to do; not later than now: at once; 0: never */
};

#endif
