/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the broker says: ToClient messages packed into the memory of the effects. One thread.
 */
#ifndef RELAIS_CORE_REPLY_H
#define RELAIS_CORE_REPLY_H

#include "core/ranges.h"
#include "core/refusal.h"
#include "core/state.h"

enum {
    REPLY_COMMAND_BYTES = 60 * 1024, /* what a batch of answers stays below; the wire's end is 64 */
};

/* Packs and sends; the SEND effect is returned so that messages can be added to it. */
struct effect *reply_send(struct step *step, uint64_t connection,
                          const Relais__V1__ToClient *command);

void reply_error(struct step *step, uint64_t connection, const struct refusal *refusal);

/* Goodbye and the cut; `reason` NULL: nothing is wrong. */
void reply_goodbye(struct step *step, uint64_t connection, const struct refusal *reason);
void reply_close(struct step *step, uint64_t connection);

/* Accepted in as many commands as it takes. */
void reply_accepted(struct step *step, uint64_t connection, const struct ranges *numbers);
void reply_settled(struct step *step, uint64_t connection, uint32_t consumer,
                   const struct ranges *tags);

/* To a Query or a Manage. */
void reply_answer(struct step *step, uint64_t connection, Relais__V1__Answer *answer);
void reply_answer_error(struct step *step, uint64_t connection, uint64_t number,
                        const struct refusal *refusal);

/* `reason` NULL: the client asked for it. */
void reply_detached(struct step *step, uint64_t connection, uint32_t consumer,
                    const struct refusal *reason);

/* Gathers refusals of one connection into as few Refused as will do. */
struct reply_refused {
    struct step *step;
    uint64_t connection;
    Relais__V1__Refusal **items;
    size_t count;
    size_t bytes;
};

void reply_refused_add(struct reply_refused *refused, uint64_t number,
                       const struct refusal *refusal);
void reply_refused_end(struct reply_refused *refused);

#endif
