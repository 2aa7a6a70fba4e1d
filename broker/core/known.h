/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that must be refused today may have been accepted before: its sender has not heard that
 * and says it again after it expired, or after the flow or the directory changed. So before the
 * last word the store is asked whether it knows (member, id): then it is accepted, as a repetition.
 *
 * Invariants: 1. nothing that was accepted, within the window of duplicates, is refused for a
 * reason that came later; 2. what is asked counts in the session's window and on the way to disk,
 * as a message does. One thread.
 */
#ifndef RELAIS_CORE_KNOWN_H
#define RELAIS_CORE_KNOWN_H

#include "core/refusal.h"
#include "core/state.h"

/* Can a good message of yesterday have this refusal today? */
bool known_may_be(Relais__V1__Code code);

struct known_question {
    uint64_t number; /* of the message in its connection */
    const char *id;
    const struct refusal *refusal; /* when it is not known */
    uint64_t upload;               /* serial of one that is over when it is; 0: none */
};

/* False without memory: then it is to be refused at once. */
bool known_ask(struct step *step, struct session *session, const struct known_question *question);

void known_stored(struct step *step, const struct ticket *ticket,
                  const struct store_result *result);

#endif
