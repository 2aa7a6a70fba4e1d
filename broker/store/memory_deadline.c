/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_deadline.h"

#include <stdlib.h>
#include <string.h>

void memory_deadlines_fini(struct memory_deadlines *deadlines)
{
    free(deadlines->items);
    *deadlines = (struct memory_deadlines){0};
}

/* The first that is not before this one. */
static size_t place_of(const struct memory_deadlines *deadlines, int64_t at_ms, uint64_t sequence)
{
    size_t low = 0;
    size_t high = deadlines->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct memory_deadline *one = &deadlines->items[middle];
        if (one->at_ms < at_ms || (one->at_ms == at_ms && one->sequence < sequence)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool reserve(struct memory_deadlines *deadlines)
{
    if (deadlines->count < deadlines->capacity) {
        return true;
    }
    size_t capacity = deadlines->capacity == 0 ? 16 : deadlines->capacity * 2;
    struct memory_deadline *items = realloc(deadlines->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    deadlines->items = items;
    deadlines->capacity = capacity;
    return true;
}

bool memory_deadlines_add(struct memory_deadlines *deadlines, uint64_t sequence,
                          const struct stored_deadline *deadline)
{
    const struct memory_deadline one = {.at_ms = stored_deadline_at(deadline, deadline->step),
                                        .sequence = sequence,
                                        .deadline = *deadline};
    if (!reserve(deadlines)) {
        return false;
    }
    size_t at = place_of(deadlines, one.at_ms, sequence);
    memmove(deadlines->items + at + 1, deadlines->items + at,
            (deadlines->count - at) * sizeof *deadlines->items);
    deadlines->items[at] = one;
    deadlines->count++;
    return true;
}

bool memory_deadlines_begin(struct memory_deadlines *deadlines, const struct store_op *op,
                            uint64_t sequence)
{
    return op->append.deadline == NULL || op->append.recipient_count == 0 ||
           memory_deadlines_add(deadlines, sequence, op->append.deadline);
}

struct memory_deadline *memory_deadlines_find(const struct memory_deadlines *deadlines,
                                              int64_t at_ms, uint64_t sequence)
{
    size_t at = place_of(deadlines, at_ms, sequence);
    bool found = at < deadlines->count && deadlines->items[at].at_ms == at_ms &&
                 deadlines->items[at].sequence == sequence;
    return found ? &deadlines->items[at] : NULL;
}

void memory_deadlines_remove(struct memory_deadlines *deadlines, struct memory_deadline *deadline)
{
    size_t at = (size_t)(deadline - deadlines->items);
    memmove(deadline, deadline + 1, (deadlines->count - at - 1) * sizeof *deadline);
    deadlines->count--;
}

void memory_tracks_remind(const struct memory_tracks *tracks, uint64_t sequence, uint32_t after,
                          struct reminded *reminded)
{
    const struct memory_track *track = memory_tracks_of(tracks, sequence);
    bool more = true;
    for (uint32_t i = 0; track != NULL && more && i < track->count; i++) {
        const struct store_track_row *row = &track->rows[i].row;
        more = (after > 0 && row->mailbox <= after) || reminded_add(reminded, row);
    }
}

bool memory_due(const struct memory_deadlines *deadlines, const struct memory_tracks *tracks,
                const struct store_op *op, struct store_result *result)
{
    struct store_due *due = calloc(1, sizeof *due);
    result->due = due;
    if (due == NULL || deadlines->count == 0) {
        return due != NULL;
    }
    const struct memory_deadline *first = &deadlines->items[0];
    due->sequence = first->sequence;
    due->at_ms = first->at_ms;
    due->deadline = first->deadline;
    if (due->deadline.deadline_ms > op->now_ms) {
        return true;
    }
    const struct memory_track *track = memory_tracks_of(tracks, first->sequence);
    for (uint32_t i = 0; track != NULL && i < track->count; i++) {
        due_count(due, &track->rows[i].row);
    }
    return true;
}
