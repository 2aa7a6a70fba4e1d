/* SPDX-License-Identifier: EUPL-1.2
 *
 * Invariant: 1. moment.wall_ms never decreases: it is monotonic time plus an offset that only
 * grows.
 */
#include "broker/clock.h"

#include <stddef.h>
#include <time.h>

enum { BEHIND_MS = 1000 }; /* less is the work of NTP */

static int64_t read_ms(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_start_at(struct clock *clock, int64_t floor_ms, int64_t real_ms, int64_t mono_ms)
{
    int64_t start_ms = floor_ms > real_ms ? floor_ms : real_ms;

    *clock = (struct clock){.offset_ms = start_ms - mono_ms};
}

struct moment clock_at(struct clock *clock, int64_t real_ms, int64_t mono_ms,
                       int64_t *out_behind_ms)
{
    int64_t behind_ms = mono_ms + clock->offset_ms - real_ms;
    bool news = behind_ms > BEHIND_MS && !clock->behind;

    if (behind_ms < 0) {
        clock->offset_ms = real_ms - mono_ms;
    }
    clock->behind = behind_ms > BEHIND_MS;
    if (out_behind_ms != NULL) {
        *out_behind_ms = news ? behind_ms : 0;
    }
    return (struct moment){.mono_ms = mono_ms, .wall_ms = mono_ms + clock->offset_ms};
}

void clock_start(struct clock *clock, int64_t floor_ms)
{
    clock_start_at(clock, floor_ms, read_ms(CLOCK_REALTIME), read_ms(CLOCK_MONOTONIC));
}

struct moment clock_now(struct clock *clock, int64_t *out_behind_ms)
{
    return clock_at(clock, read_ms(CLOCK_REALTIME), read_ms(CLOCK_MONOTONIC), out_behind_ms);
}
