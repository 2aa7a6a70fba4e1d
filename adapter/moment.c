/* SPDX-License-Identifier: EUPL-1.2
 *
 * See moment.h.
 */
#include "adapter/moment.h"

#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t moment_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t moment_unix_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}
