/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record_track.h: the table of what became of each recipient's copy.
 */
#include "store/record_track.h"

#include "store/record_body.h"

enum { TRACK_KEY_BYTES = 8 + 4, TRACK_BODY_BYTES = 1 + 1 + 4 + 4 + 8 + 8 };

void key_track(struct record_key *out_key, uint64_t sequence, uint32_t mailbox)
{
    out_key->size = 0;
    key_add(out_key, sequence, 8);
    key_add(out_key, mailbox, 4);
}

bool key_read_track(struct bytes key, struct track_key *out_track)
{
    if (key.size != TRACK_KEY_BYTES) {
        return false;
    }
    out_track->sequence = number_get(key.data, 8);
    out_track->mailbox = (uint32_t)number_get(key.data + 8, 4);
    return true;
}

void record_write_track(struct small_record *out, const struct record_key *key,
                        const struct track_record *track)
{
    body_begin(out);
    body_add(out, track->state, 1);
    body_add(out, track->lane, 1);
    body_add(out, track->attempts, 4);
    body_add(out, track->code, 4);
    body_add(out, (uint64_t)track->since_ms, 8);
    body_add(out, (uint64_t)track->due_ms, 8);
    body_seal(out, TABLE_TRACK, key);
}

bool record_read_track(struct bytes key, struct bytes record, struct track_record *out_track)
{
    struct bytes body = {0};
    if (!record_open(TABLE_TRACK, key, record, &body) || body.size != TRACK_BODY_BYTES ||
        body.data[0] == 0 || body.data[0] >= TRACK_STATES || body.data[1] >= LANE_COUNT) {
        return false;
    }
    out_track->state = body.data[0];
    out_track->lane = body.data[1];
    out_track->attempts = (uint32_t)number_get(body.data + 2, 4);
    out_track->code = (uint32_t)number_get(body.data + 6, 4);
    out_track->since_ms = time_get(body.data + 10);
    out_track->due_ms = time_get(body.data + 18);
    return true;
}
