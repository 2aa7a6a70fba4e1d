/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/turn.h"

const enum lane *turn_order(uint32_t pick)
{
    static const enum lane usual[LANE_COUNT] = {LANE_HIGH, LANE_NORMAL, LANE_LOW};
    static const enum lane normal_first[LANE_COUNT] = {LANE_NORMAL, LANE_LOW, LANE_HIGH};
    static const enum lane low_first[LANE_COUNT] = {LANE_LOW, LANE_NORMAL, LANE_HIGH};

    if (pick % TURN_LOWER_EVERY != TURN_LOWER_EVERY - 1) {
        return usual;
    }
    return pick / TURN_LOWER_EVERY % 2 == 0 ? normal_first : low_first;
}
