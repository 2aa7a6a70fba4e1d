/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the memory engine keeps of a message's end: a row for each recipient, by the sequence of the
 * message, until the (sender, id) that leads to it is forgotten.
 */
#ifndef RELAIS_STORE_MEMORY_TRACK_H
#define RELAIS_STORE_MEMORY_TRACK_H

#include "core/stored.h"

#include <stddef.h>

struct memory_track_row {
    struct store_track_row row;
    struct entry_key place; /* of the entry while it waits */
};

struct memory_track {
    uint64_t sequence;
    struct memory_track_row *rows; /* by mailbox */
    uint32_t count;
};

/* By sequence: they are added in its order. */
struct memory_tracks {
    struct memory_track *items;
    size_t count;
    size_t capacity;
};

void memory_tracks_fini(struct memory_tracks *tracks);

/* False without memory. */
bool memory_tracks_begin(struct memory_tracks *tracks, const struct store_op *op,
                         uint64_t sequence);

/* The row of an entry; NULL when it is not remembered. */
struct memory_track_row *memory_tracks_find(const struct memory_tracks *tracks, uint64_t sequence,
                                            uint32_t mailbox);

/* NULL: not remembered. */
const struct memory_track *memory_tracks_of(const struct memory_tracks *tracks, uint64_t sequence);

/* Does an entry hold the message? */
bool memory_tracks_hold(const struct memory_tracks *tracks, uint64_t sequence);
void memory_tracks_forget(struct memory_tracks *tracks, uint64_t sequence);

#endif
