/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looks at the store's pulse once a period. The time of the last commit alone says nothing: an idle
 * store has an old one. What counts is how long it has been busy without finishing.
 */
#include "broker/pulse.h"

#include "program/log.h"
#include "program/notify.h"

void pulse_start(struct pulse *pulse, int64_t period_ms, int64_t now_ms)
{
    *pulse = (struct pulse){.period_ms = period_ms, .next_ms = now_ms, .healthy_ms = now_ms};
}

int64_t pulse_next_ms(const struct pulse *pulse)
{
    return pulse->period_ms > 0 ? pulse->next_ms : 0;
}

bool pulse_note(struct pulse *pulse, int64_t commit_ms, bool busy, int64_t now_ms)
{
    if (!busy || commit_ms != pulse->commit_ms) {
        pulse->healthy_ms = now_ms;
        pulse->commit_ms = commit_ms;
    }
    return now_ms - pulse->healthy_ms < PULSE_STUCK_MS;
}

void pulse_beat(struct pulse *pulse, const struct store *store, int64_t now_ms)
{
    int64_t commit_ms = 0;
    bool busy = false;

    if (pulse->period_ms <= 0 || now_ms < pulse->next_ms) {
        return;
    }
    pulse->next_ms = now_ms + pulse->period_ms;
    store_pulse(store, &commit_ms, &busy);
    if (pulse_note(pulse, commit_ms, busy, now_ms)) {
        pulse->told = false;
        notify_watchdog();
    } else if (!pulse->told) {
        pulse->told = true;
        LOG(LOG_LEVEL_ERROR, "store.stuck", {"commit_ms", NULL, now_ms - pulse->healthy_ms});
    }
}
