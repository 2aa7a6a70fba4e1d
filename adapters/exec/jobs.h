/* SPDX-License-Identifier: EUPL-1.2
 *
 * Incoming messages, each given to a command of its own.
 *
 *   WAITING --a place is free--> RUNNING --exit 0--> done
 *     --refuse_code--> refused, with what it complained of;  --unavailable_code, cannot be
 *     started--> the software is away;  --any other end, time-out--> later
 *
 *   1. At most `concurrency` run; they are started in the order in which messages came.
 *   2. A command that takes longer than timeout_s is asked to stop, and killed KILL_MS later, with
 *      all of its group.
 *   3. What a command says is never logged.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_JOBS_H
#define RELAIS_EXEC_JOBS_H

#include "adapters/exec/settings.h"

enum { JOBS_KILL_MS = 2000 };

enum exec_counter { COUNTER_RUNS, COUNTER_FAILURES, COUNTER_TIMEOUTS, COUNTER_LINES, COUNTER_BAD };

struct jobs;

relais_status jobs_open(relais_adapter *adapter, const struct settings_inbound *settings,
                        struct jobs **out_jobs, relais_error *error);
void jobs_close(struct jobs *jobs);

void jobs_take(struct jobs *jobs, relais_adapter_item *item);

/* Starts what can be started, ends what takes too long. *out_wait_ms is lowered. */
void jobs_poll(struct jobs *jobs, int64_t *out_wait_ms);

/* What has not been started goes back. */
void jobs_stop(struct jobs *jobs);

#endif
