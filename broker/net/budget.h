/* SPDX-License-Identifier: EUPL-1.2
 *
 * What all connections together may have unsent in memory. Beyond, somebody goes who reads too
 * slowly for what it asks for, and what it was sent comes again: of the key whose connections
 * together hold the most, the one that holds the most. Many light connections of one key are no
 * advantage.
 *
 * Invariant: what connections that are not cut hold, and what is to be added, is within the budget
 * when budget_make_room() says yes. Thread: the one of net.
 */
#ifndef RELAIS_NET_BUDGET_H
#define RELAIS_NET_BUDGET_H

#include "net/endings.h"

struct budget {
    const atomic_size_t *unsent; /* of all, those that were cut included */
    size_t bytes;                /* 0: no end */
    uint64_t evicted;            /* connections that had to go */
};

/* Room for `size` bytes to `to`. False: it is `to` that has to go, and is to be cut. */
bool budget_make_room(struct budget *budget, const struct connection_table *table,
                      struct endings *endings, const struct connection *to, size_t size);

#endif
