/* SPDX-License-Identifier: EUPL-1.2
 *
 * When leases run out: a heap, the first deadline first. Each lease can be as long as its flow and
 * its consumer want it. One thread.
 */
#ifndef RELAIS_CORE_DEADLINE_H
#define RELAIS_CORE_DEADLINE_H

#include "core/state.h"

/* False without memory. */
bool deadline_add(struct core *core, struct delivery *delivery);
void deadline_remove(struct core *core, struct delivery *delivery);

/* Its deadline has changed. */
void deadline_move(struct core *core, struct delivery *delivery);

/* NULL: there is no lease. */
struct delivery *deadline_first(const struct core *core);

void deadlines_fini(struct core *core);

#endif
