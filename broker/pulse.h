/* SPDX-License-Identifier: EUPL-1.2
 *
 * The watchdog of the service manager, fed while the disk answers. A commit that runs for
 * PULSE_STUCK_MS means a disk that hangs: then the manager is left to restart us. Main thread.
 */
#ifndef RELAIS_BROKER_PULSE_H
#define RELAIS_BROKER_PULSE_H

#include "store/store.h"

enum { PULSE_STUCK_MS = 30 * 1000 };

struct pulse {
    int64_t period_ms;  /* 0: no watchdog */
    int64_t next_ms;    /* when to feed it */
    int64_t commit_ms;  /* the last commit seen */
    int64_t healthy_ms; /* when the store was idle or finished a commit */
    bool told;          /* that the disk hangs */
};

void pulse_start(struct pulse *pulse, int64_t period_ms, int64_t now_ms);

/* When to call pulse_beat() at the latest; 0: no matter. */
int64_t pulse_next_ms(const struct pulse *pulse);

/* After each turn. */
void pulse_beat(struct pulse *pulse, const struct store *store, int64_t now_ms);

/* Notes what store_pulse() said; false: a commit has been running for too long. */
bool pulse_note(struct pulse *pulse, int64_t commit_ms, bool busy, int64_t now_ms);

#endif
