/* SPDX-License-Identifier: EUPL-1.2
 *
 * Everything that is left to chance in a run comes from here, so that a seed is a run. Source:
 * splitmix64 (Steele, Lea, Flood 2014).
 */
#ifndef RELAIS_TESTS_SIM_CHANCE_H
#define RELAIS_TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *chance);

/* From 0 to below `bound`, which is > 0. */
uint32_t chance_below(struct chance *chance, uint32_t bound);

/* From `low` to `high`, both included. */
uint32_t chance_between(struct chance *chance, uint32_t low, uint32_t high);

/* True so often in a thousand. */
bool chance_is(struct chance *chance, uint32_t per_mille);

/* Mostly near `low`, now and then far out to `high`: what delays look like. */
uint32_t chance_delay(struct chance *chance, uint32_t low, uint32_t high);

#endif
