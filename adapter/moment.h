/* SPDX-License-Identifier: EUPL-1.2
 *
 * The clocks, in milliseconds. Any thread.
 */
#ifndef RELAIS_ADAPTER_MOMENT_H
#define RELAIS_ADAPTER_MOMENT_H

#include <stdint.h>

int64_t moment_monotonic_ms(void);
int64_t moment_unix_ms(void);

#endif
