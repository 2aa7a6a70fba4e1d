/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that nobody takes in time: the store is asked for them when the first may have expired,
 * in small steps, so that a mailbox that nobody reads keeps no bytes for ever and the sender learns
 * what has become of its message. What is taken is judged when it is given out (mailbox.h).
 *
 * Invariants: 1. `due_ms` is not later than the first expiry that the store may know of, plus the
 * time that a look may wait; 2. one step is with the store at a time. One thread.
 */
#ifndef RELAIS_CORE_EXPIRY_H
#define RELAIS_CORE_EXPIRY_H

#include "core/state.h"

/* A new broker: what it finds may have expired while it was away. */
void expiry_start(struct core *core);

/* A message with this expiry is with the store, or is again. 0: it does not expire. */
void expiry_expect(struct core *core, int64_t expires_ms);

void expiry_time(struct step *step);
void expiry_stored(struct step *step, const struct store_result *result);

/* Broker time at which expiry_time() has something to do; 0: never. */
int64_t expiry_first_ms(const struct core *core);

#endif
