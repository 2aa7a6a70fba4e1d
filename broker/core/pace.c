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
    session->next_paced = core->paced;
    core->paced = session;
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
    return session->gone || !pace_holds(step, session) || !lags(step, session->pacer);
}

void pace_look(struct step *step)
{
    struct core *core = step->core;
    struct session **place = &core->paced;
    while (*place) {
        struct session *session = *place;
        if (may_go(step, session)) {
            *place = session->next_paced;
            session->pacer = NULL;
            session_touch(core, session);
        } else {
            place = &session->next_paced;
        }
    }
    core->pace_ms = core->paced ? step->now.mono_ms + PACE_LOOK_MS : 0;
}

int64_t pace_first_ms(const struct core *core)
{
    return core->pace_ms;
}
