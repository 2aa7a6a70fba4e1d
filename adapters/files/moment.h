/* SPDX-License-Identifier: EUPL-1.2
 *
 * What time it is: intervals by the clock that is never set, points in time by the one that is.
 * Any thread.
 */
#ifndef RELAIS_FILES_MOMENT_H
#define RELAIS_FILES_MOMENT_H

#include <stdint.h>

int64_t moment_monotonic_ms(void);
int64_t moment_unix_ms(void);

#endif
