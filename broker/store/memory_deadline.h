/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deadlines for acknowledgement in the memory engine, by when their next step is due. One thread.
 */
#ifndef RELAIS_STORE_MEMORY_DEADLINE_H
#define RELAIS_STORE_MEMORY_DEADLINE_H

#include "store/deadline.h"
#include "store/memory_track.h"

struct memory_deadline {
    int64_t at_ms;
    uint64_t sequence;
    struct stored_deadline deadline;
};

/* Sorted by (at_ms, sequence). */
struct memory_deadlines {
    struct memory_deadline *items;
    size_t count;
    size_t capacity;
};

void memory_deadlines_fini(struct memory_deadlines *deadlines);

/* Under the time of its step. False without memory. */
bool memory_deadlines_add(struct memory_deadlines *deadlines, uint64_t sequence,
                          const struct stored_deadline *deadline);

/* That of an append, when it has one. */
bool memory_deadlines_begin(struct memory_deadlines *deadlines, const struct store_op *op,
                            uint64_t sequence);

/* NULL: there is none. */
struct memory_deadline *memory_deadlines_find(const struct memory_deadlines *deadlines,
                                              int64_t at_ms, uint64_t sequence);
void memory_deadlines_remove(struct memory_deadlines *deadlines, struct memory_deadline *deadline);

/* Who is to be reminded of a message, behind a mailbox. */
void memory_tracks_remind(const struct memory_tracks *tracks, uint64_t sequence, uint32_t after,
                          struct reminded *reminded);

/* False without memory. */
bool memory_due(const struct memory_deadlines *deadlines, const struct memory_tracks *tracks,
                const struct store_op *op, struct store_result *result);

#endif
