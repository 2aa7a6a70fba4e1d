/* SPDX-License-Identifier: EUPL-1.2
 *
 * See pace.h.
 */
#include "core/pace.h"

#include "core/session.h"

static bool lags(const struct step *step, const struct mailbox *mailbox)
{
    return (mailbox->more || mailbox->taking) &&
           step->now.mono_ms - mailbox->answered_ms <= PACE_BUSY_MS;
}

void pace_note(const struct step *step, struct session *session, const struct mailbox *mailbox)
{
    struct core *core = step->core;
    if (!mailbox || session->pacer || !lags(step, mailbox)) {
        return;
    }
    session->pacer = mailbox;
    session->paced_ms = step->now.mono_ms;
    if (core->pace_ms == 0) {
        core->pace_ms = step->now.mono_ms + PACE_LOOK_MS;
    }
}

bool pace_holds(const struct step *step, const struct session *session)
{
    return session->pacer && step->now.mono_ms - session->paced_ms < PACE_MOST_MS &&
           !step->core->draining;
}

static bool may_go(const struct step *step, const struct session *session)
{
    return !pace_holds(step, session) || !lags(step, session->pacer);
}

static void let_go(struct step *step, bool all)
{
    struct core *core = step->core;
    struct session *session = NULL;
    size_t cursor = 0;
    core->pace_ms = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        if (session->pacer && (all || may_go(step, session))) {
            session->pacer = NULL;
            session_touch(core, session);
        } else if (session->pacer) {
            core->pace_ms = step->now.mono_ms + PACE_LOOK_MS;
        }
    }
}

void pace_time(struct step *step)
{
    int64_t look_ms = step->core->pace_ms;
    if (look_ms > 0 && step->now.mono_ms >= look_ms) {
        let_go(step, false);
    }
}

void pace_end(struct step *step)
{
    let_go(step, true);
}

int64_t pace_first_ms(const struct core *core)
{
    return core->pace_ms;
}
