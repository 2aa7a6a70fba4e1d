/* SPDX-License-Identifier: EUPL-1.2
 *
 * Numbers that wait to be named in one answer, runs of them as one range. One thread.
 */
#ifndef RELAIS_CORE_RANGES_H
#define RELAIS_CORE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_range {
    uint64_t first;
    uint64_t last;
};

struct ranges {
    struct number_range *items;
    size_t count;
    size_t capacity;
};

/* A number that is not in it. False without memory. */
bool ranges_add(struct ranges *ranges, uint64_t number);

/* Empties; memory is kept for the next turn. */
void ranges_clear(struct ranges *ranges);
void ranges_fini(struct ranges *ranges);

#endif
