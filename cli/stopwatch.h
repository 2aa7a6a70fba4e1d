/* SPDX-License-Identifier: EUPL-1.2
 *
 * How long things take: a clock that never goes back. Any thread.
 */
#ifndef RELAIS_CLI_STOPWATCH_H
#define RELAIS_CLI_STOPWATCH_H

#include <stdint.h>
#include <time.h>

static inline int64_t stopwatch_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
