/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is on its way to clients lies in memory until they read it. When that becomes much, a
 * consumer that holds deliveries enough is given no more, so that the rest goes to those that read.
 *
 * Invariants: 1. while it is tight, a consumer with as much as its share unanswered is given
 * nothing; one that holds nothing is always given something; 2. the two marks lie apart, so that it
 * does not flutter. One thread.
 */
#ifndef RELAIS_CORE_PRESSURE_H
#define RELAIS_CORE_PRESSURE_H

#include "core/state.h"

/* So many bytes wait for clients to read them. */
void pressure_note(struct core *core, uint64_t unsent_bytes);

/* May this consumer be given more? */
bool pressure_allows(const struct core *core, const struct consumer *consumer);

/* Of one take. */
uint32_t pressure_take_bytes(const struct core *core);

#endif
