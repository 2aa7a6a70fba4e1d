/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the core remembers of a backup or a check that goes on: upkeep.h. Part of state.h.
 */
#ifndef RELAIS_CORE_UPKEEP_JOB_H
#define RELAIS_CORE_UPKEEP_JOB_H

#include "core/finding.h"
#include "core/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* A check of the store: an operator's, or the slow one. */
struct check_job {
    uint32_t job; /* its number; 0: there was none */
    bool running;
    bool scrubs;     /* the slow one */
    bool begins;     /* its first step has not been taken */
    bool with_store; /* a step is */
    bool stale;      /* that step is of the round before */
    int64_t step_ms; /* mono, when the next step or round is due; 0: not known yet, or never */
    int64_t begin_ms, end_ms;
    uint64_t records, bytes, finding_count;
    uint32_t kept;
    struct store_finding findings[LIMIT_FINDINGS];
};

struct upkeep {
    uint32_t last_job;
    uint32_t backup_job;
    struct store_backup backup; /* as the store told it last */
    int64_t backup_look_ms;     /* mono, when to ask again; 0: not */
    struct check_job check;
    uint64_t findings_total; /* since the start */
    int64_t checked_ms;      /* broker time of the last whole round; 0: none since the start */
};

#endif
