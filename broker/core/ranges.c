/* SPDX-License-Identifier: EUPL-1.2
 *
 * See ranges.h.
 */
#include "core/ranges.h"

#include <stdlib.h>

enum {
    CAPACITY_FIRST = 8,
    CAPACITY_KEPT = 256, /* a burst's memory is given back */
};

bool ranges_add(struct ranges *ranges, uint64_t number)
{
    if (ranges->count > 0 && ranges->items[ranges->count - 1].last + 1 == number) {
        ranges->items[ranges->count - 1].last = number;
        return true;
    }
    if (ranges->count == ranges->capacity) {
        size_t capacity = ranges->capacity ? ranges->capacity * 2 : CAPACITY_FIRST;
        struct number_range *items = realloc(ranges->items, capacity * sizeof *items);
        if (!items) {
            return false;
        }
        ranges->items = items;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] = (struct number_range){number, number};
    return true;
}

void ranges_clear(struct ranges *ranges)
{
    ranges->count = 0;
    if (ranges->capacity > CAPACITY_KEPT) {
        ranges_fini(ranges);
    }
}

void ranges_fini(struct ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct ranges){0};
}
