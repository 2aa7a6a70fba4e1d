/* SPDX-License-Identifier: EUPL-1.2
 *
 * A running broker from its configuration: opens store, core and net in this order, turns, closes
 * them in the other. Main thread.
 */
#ifndef RELAIS_BROKER_BROKER_H
#define RELAIS_BROKER_BROKER_H

#include "broker/config.h"

/* Runs until it is asked to end or must; returns an enum exit_code. `started_ms` is when the
 * process began, CLOCK_MONOTONIC. What went wrong is in the log. */
int broker_run(const struct config *config, int64_t started_ms);

#endif
