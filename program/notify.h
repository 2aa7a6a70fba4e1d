/* SPDX-License-Identifier: EUPL-1.2
 *
 * The service manager (sd_notify(3)): ready, reloading, stopping, status, watchdog. Without one,
 * and in a build without libsystemd, each call does nothing.
 */
#ifndef RELAIS_PROGRAM_NOTIFY_H
#define RELAIS_PROGRAM_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *status);
void notify_watchdog(void);

/* How often to call notify_watchdog(), milliseconds (half of what the manager asks); 0: no
 * watchdog. */
int64_t notify_watchdog_ms(void);

#endif
