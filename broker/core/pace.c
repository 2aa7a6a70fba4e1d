/* SPDX-License-Identifier: EUPL-1.2
 *
 * See pace.h.
 */
#include "core/pace.h"

#include "core/session.h"

static bool lags(const struct step *step, const struct mailbox *mailbox)
{
    return mailbox->more && mailbox->leased > 0 &&
           step->now.mono_ms - mailbox->answered_ms <= PACE_BUSY_MS;
}

void pace_note(const struct step *step, struct session *session, const struct mailbox *mailbox)
{
    struct core *core = step->core;
    if (!mailbox || session->paced || !lags(step, mailbox)) {
        return;
    }
    session->paced = true;
    if (core->pace_ms == 0) {
        core->pace_ms = step->now.mono_ms + PACE_MS;
    }
}

bool pace_holds(const struct step *step, const struct session *session)
{
    return session->paced && step->now.mono_ms < step->core->pace_ms && !step->core->draining;
}

void pace_end(struct step *step)
{
    struct core *core = step->core;
    struct session *session = NULL;
    size_t cursor = 0;
    core->pace_ms = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        if (session->paced) {
            session->paced = false;
            session_touch(core, session);
        }
    }
}

void pace_time(struct step *step)
{
    int64_t end_ms = step->core->pace_ms;
    if (end_ms > 0 && step->now.mono_ms >= end_ms) {
        pace_end(step);
    }
}

int64_t pace_first_ms(const struct core *core)
{
    return core->pace_ms;
}
