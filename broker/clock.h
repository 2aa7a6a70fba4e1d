/* SPDX-License-Identifier: EUPL-1.2
 *
 * Broker time: the wall clock, but it never goes back. When the machine's clock is set back, broker
 * time goes on at the pace of CLOCK_MONOTONIC until the machine's clock has caught up; after a
 * restart it starts no earlier than the latest time that the store has seen.
 * One thread.
 */
#ifndef RELAIS_BROKER_CLOCK_H
#define RELAIS_BROKER_CLOCK_H

#include "core/event.h"

#include <stdbool.h>

struct clock {
    int64_t offset_ms; /* broker time minus monotonic time; only grows */
    bool behind;       /* the machine's clock is: told once, until it has caught up */
};

/* `floor_ms`: broker time that must not be gone below; 0: none. */
void clock_start(struct clock *clock, int64_t floor_ms);

/* Reads both clocks. *out_behind_ms (may be NULL) is > 0 once each time that the machine's clock
 * turns out to be more than a second behind broker time. */
struct moment clock_now(struct clock *clock, int64_t *out_behind_ms);

/* The same from given readings: what the two calls above do with the clocks of the system. */
void clock_start_at(struct clock *clock, int64_t floor_ms, int64_t real_ms, int64_t mono_ms);
struct moment clock_at(struct clock *clock, int64_t real_ms, int64_t mono_ms,
                       int64_t *out_behind_ms);

#endif
