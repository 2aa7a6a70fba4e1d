/* SPDX-License-Identifier: EUPL-1.2
 *
 * Runs with deadlines for acknowledgement alone: a sender, five recipients who answer or do not, a
 * broker that crashes, a disk that is full now and then, a clock that jumps. Judged:
 *   1. Nobody is reminded too early, nobody who has acknowledged, nobody twice in one step,
 *      whatever crashes.
 *   2. Of the steps that were slept through only the latest is said.
 *   3. A sender is warned at the deadline, once, when somebody owes an answer, and not otherwise.
 *   4. One thing about deadlines is with the store at a time, and it is not asked for nothing.
 *   5. When the faults are over, who owes an answer is reminded in time, and every deadline ends.
 */
#ifndef RELAIS_TESTS_SIM_DEADLINES_H
#define RELAIS_TESTS_SIM_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

struct trace;

/* One run. Gives how many messages the broker said itself. */
uint64_t deadlines_run(uint64_t seed, bool loud, struct trace *out_trace);

#endif
