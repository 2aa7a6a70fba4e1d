/* SPDX-License-Identifier: EUPL-1.2
 *
 * The two clocks: one that only goes forward, for deadlines, and the one on the wall, for `time`.
 */
#ifndef RELAIS_CLIENT_CLOCK_H
#define RELAIS_CLIENT_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_wall_ms(void);

#endif
