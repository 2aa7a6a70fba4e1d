/* SPDX-License-Identifier: EUPL-1.2
 *
 * Carries out a list of effects: sends, cuts, logs, and one batch for the store. Main thread.
 */
#ifndef RELAIS_BROKER_CARRY_H
#define RELAIS_BROKER_CARRY_H

#include "core/effect.h"
#include "net/net.h"
#include "store/store.h"

/* The store's batch of a turn; kept between turns so that a busy broker does not allocate. */
struct carry {
    struct store_op *ops;
    size_t capacity;
};

void carry_init(struct carry *carry);
void carry_fini(struct carry *carry);

/* In the order of the list. False: no memory for the batch; nothing was carried out. */
bool carry_out(struct carry *carry, const struct effects *effects, struct net *net,
               struct store *store);

#endif
