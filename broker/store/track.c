/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/track.h"

enum track_state track_of_code(uint32_t code)
{
    switch (code) {
    case STORED_CODE_REFUSED:
        return TRACK_REFUSED;
    case STORED_CODE_EXPIRED:
        return TRACK_EXPIRED;
    case STORED_CODE_CANCELLED:
        return TRACK_CANCELLED;
    default:
        return TRACK_DEAD;
    }
}

bool track_is_missing(enum track_state state)
{
    return state != TRACK_ACKNOWLEDGED && state != TRACK_SUPERSEDED;
}

bool track_is_owed(enum track_state state)
{
    return track_is_missing(state) && state != TRACK_CANCELLED;
}

bool track_is_reminded(enum track_state state)
{
    return track_is_owed(state) && track_holds(state);
}

bool track_holds(enum track_state state)
{
    return track_is_missing(state) && state != TRACK_DROPPED;
}

bool track_list(const struct store_op *op, const struct store_track_row *row,
                struct store_result *result)
{
    bool first = op->track.after == 0;
    bool wanted =
        row->mailbox > op->track.after && (!op->track.missing || track_is_missing(row->state));
    result->track.totals[row->state] += first ? 1 : 0;
    if (wanted && result->track.count < op->track.max_rows) {
        result->track.rows[result->track.count++] = *row;
    } else if (wanted) {
        result->track.more = true;
    }
    return first || !result->track.more;
}
