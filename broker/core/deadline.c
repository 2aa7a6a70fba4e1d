/* SPDX-License-Identifier: EUPL-1.2
 *
 * A binary heap whose members know their place, so that each can be moved or removed. See
 * deadline.h.
 */
#include "core/deadline.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 64 };

static void put(struct core *core, size_t i, struct delivery *delivery)
{
    core->leases[i] = delivery;
    delivery->lease_place = i + 1;
}

/* Of two with the same deadline the one that was granted first: runs are repeated exactly. */
static bool is_before(const struct delivery *one, const struct delivery *other)
{
    return one->deadline_ms != other->deadline_ms ? one->deadline_ms < other->deadline_ms
                                                  : one->serial < other->serial;
}

static void sift_up(struct core *core, size_t i)
{
    struct delivery *moving = core->leases[i];
    while (i > 0 && is_before(moving, core->leases[(i - 1) / 2])) {
        put(core, i, core->leases[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(core, i, moving);
}

static void sift_down(struct core *core, size_t i)
{
    struct delivery *moving = core->leases[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= core->lease_count) {
            break;
        }
        if (child + 1 < core->lease_count &&
            is_before(core->leases[child + 1], core->leases[child])) {
            child++;
        }
        if (is_before(moving, core->leases[child])) {
            break;
        }
        put(core, i, core->leases[child]);
        i = child;
    }
    put(core, i, moving);
}

bool deadline_add(struct core *core, struct delivery *delivery)
{
    if (core->lease_count == core->lease_capacity) {
        size_t capacity = core->lease_capacity ? core->lease_capacity * 2 : CAPACITY_FIRST;
        struct delivery **leases = realloc(core->leases, capacity * sizeof(struct delivery *));
        if (!leases) {
            return false;
        }
        core->leases = leases;
        core->lease_capacity = capacity;
    }
    put(core, core->lease_count++, delivery);
    sift_up(core, core->lease_count - 1);
    return true;
}

void deadline_move(struct core *core, struct delivery *delivery)
{
    sift_up(core, delivery->lease_place - 1);
    sift_down(core, delivery->lease_place - 1);
}

void deadline_remove(struct core *core, struct delivery *delivery)
{
    size_t i = delivery->lease_place - 1;
    struct delivery *last = core->leases[--core->lease_count];
    if (last != delivery) {
        put(core, i, last);
        deadline_move(core, last);
    }
}

struct delivery *deadline_first(const struct core *core)
{
    return core->lease_count ? core->leases[0] : NULL;
}

void deadlines_fini(struct core *core)
{
    free(core->leases);
}
