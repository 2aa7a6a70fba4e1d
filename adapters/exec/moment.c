/* SPDX-License-Identifier: EUPL-1.2
 *
 * See moment.h.
 */
#include "adapters/exec/moment.h"

#include <time.h>

int64_t moment_monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
