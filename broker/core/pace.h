/* SPDX-License-Identifier: EUPL-1.2
 *
 * Pacing: who sends to a mailbox faster than its consumers, who are at work, take from it, is told
 * `accepted` when they have caught up, or a little later. A window of messages then comes round no
 * faster than they do, and under full load messages go from hand to hand instead of through a queue
 * on the disk.
 *
 * Invariants: 1. only what is said is late, never what is done; 2. by PACE_MOST_MS at most (and the
 * look after it), so that a slow consumer slows nobody down by more; 3. nothing is held while the
 * broker drains. One thread.
 */
#ifndef RELAIS_CORE_PACE_H
#define RELAIS_CORE_PACE_H

#include "core/state.h"

enum {
    PACE_LOOK_MS = 4,  /* a commit or two */
    PACE_MOST_MS = 24, /* the windows of four senders come round in that time */
    PACE_BUSY_MS = 20, /* consumers whose answer is not older are at work */
};

/* A message of the session was stored for this mailbox. NULL: for several. */
void pace_note(const struct step *step, struct session *session, const struct mailbox *mailbox);

/* Whether the session's `accepted` waits. */
bool pace_holds(const struct step *step, const struct session *session);

/* Lets those go whose consumers have caught up, or whose time is over: at the end of each turn, and
 * when it is wanted. */
void pace_look(struct step *step);
/* When that is, mono; 0: never. */
int64_t pace_first_ms(const struct core *core);

#endif
