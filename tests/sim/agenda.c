/* SPDX-License-Identifier: EUPL-1.2
 *
 * See agenda.h.
 */
#include "agenda.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

void *agenda_grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity ? *capacity * 2 : CAPACITY_FIRST;
    items = realloc(items, *capacity * size);
    assert(items);
    return items;
}

static bool is_before(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void agenda_add(struct agenda *agenda, int64_t at_ms, enum agenda_kind kind, uint64_t who)
{
    agenda->items =
        agenda_grown(agenda->items, agenda->count, &agenda->capacity, sizeof *agenda->items);
    struct agenda_item item = {
        .at_ms = at_ms, .order = agenda->next_order++, .who = who, .kind = kind};
    size_t i = agenda->count++;
    while (i > 0 && is_before(&item, &agenda->items[(i - 1) / 2])) {
        agenda->items[i] = agenda->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    agenda->items[i] = item;
}

bool agenda_next(struct agenda *agenda, struct agenda_item *out_item)
{
    if (agenda->count == 0) {
        return false;
    }
    *out_item = agenda->items[0];
    struct agenda_item last = agenda->items[--agenda->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= agenda->count) {
            break;
        }
        if (child + 1 < agenda->count &&
            is_before(&agenda->items[child + 1], &agenda->items[child])) {
            child++;
        }
        if (!is_before(&agenda->items[child], &last)) {
            break;
        }
        agenda->items[i] = agenda->items[child];
        i = child;
    }
    agenda->items[i] = last;
    return true;
}

void agenda_fini(struct agenda *agenda)
{
    free(agenda->items);
    *agenda = (struct agenda){0};
}
