/* SPDX-License-Identifier: EUPL-1.2
 *
 * The clock that never goes back, in milliseconds. Any thread.
 */
#ifndef RELAIS_EXEC_MOMENT_H
#define RELAIS_EXEC_MOMENT_H

#include <stdint.h>

int64_t moment_monotonic_ms(void);

#endif
