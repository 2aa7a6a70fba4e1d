/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_track.h"

#include "store/track.h"

#include <stdlib.h>
#include <string.h>

void memory_tracks_fini(struct memory_tracks *tracks)
{
    for (size_t i = 0; i < tracks->count; i++) {
        free(tracks->items[i].rows);
    }
    free(tracks->items);
    *tracks = (struct memory_tracks){0};
}

static int by_mailbox(const void *left, const void *right)
{
    uint32_t a = ((const struct memory_track_row *)left)->row.mailbox;
    uint32_t b = ((const struct memory_track_row *)right)->row.mailbox;
    return (a > b) - (a < b);
}

static bool reserve(struct memory_tracks *tracks)
{
    if (tracks->count < tracks->capacity) {
        return true;
    }
    size_t capacity = tracks->capacity == 0 ? 64 : tracks->capacity * 2;
    struct memory_track *items = realloc(tracks->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    tracks->items = items;
    tracks->capacity = capacity;
    return true;
}

bool memory_tracks_begin(struct memory_tracks *tracks, const struct store_op *op, uint64_t sequence)
{
    uint32_t count = op->append.recipient_count;
    struct memory_track track = {.sequence = sequence, .count = count};
    track.rows = calloc(count > 0 ? count : 1, sizeof *track.rows);
    if (track.rows == NULL || !reserve(tracks)) {
        free(track.rows);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct store_recipient *to = &op->append.recipients[i];
        track.rows[i].row = (struct store_track_row){
            .mailbox = to->mailbox, .since_ms = op->now_ms, .state = TRACK_WAITING};
        track.rows[i].place = (struct entry_key){.mailbox = to->mailbox,
                                                 .lane = to->lane,
                                                 .due_ms = to->due_ms > 0 ? to->due_ms : 0,
                                                 .sequence = sequence};
    }
    qsort(track.rows, count, sizeof *track.rows, by_mailbox);
    tracks->items[tracks->count++] = track;
    return true;
}

static size_t find(const struct memory_tracks *tracks, uint64_t sequence)
{
    size_t low = 0;
    size_t high = tracks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tracks->items[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct memory_track *memory_tracks_of(const struct memory_tracks *tracks, uint64_t sequence)
{
    size_t at = find(tracks, sequence);
    return at < tracks->count && tracks->items[at].sequence == sequence ? &tracks->items[at] : NULL;
}

struct memory_track_row *memory_tracks_find(const struct memory_tracks *tracks, uint64_t sequence,
                                            uint32_t mailbox)
{
    const struct memory_track *track = memory_tracks_of(tracks, sequence);
    const struct memory_track_row key = {.row = {.mailbox = mailbox}};
    return track != NULL ? bsearch(&key, track->rows, track->count, sizeof *track->rows, by_mailbox)
                         : NULL;
}

bool memory_tracks_hold(const struct memory_tracks *tracks, uint64_t sequence)
{
    const struct memory_track *track = memory_tracks_of(tracks, sequence);
    for (uint32_t i = 0; track != NULL && i < track->count; i++) {
        if (track_holds(track->rows[i].row.state)) {
            return true;
        }
    }
    return false;
}

void memory_tracks_forget(struct memory_tracks *tracks, uint64_t sequence)
{
    size_t at = find(tracks, sequence);
    if (at < tracks->count && tracks->items[at].sequence == sequence) {
        free(tracks->items[at].rows);
        memmove(tracks->items + at, tracks->items + at + 1,
                (tracks->count - at - 1) * sizeof *tracks->items);
        tracks->count--;
    }
}
