/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who a message goes to: the addresses that its envelope names, or every subscriber of its flow at
 * this moment, but for the service that sends it.
 *
 * Invariants: 1. no mailbox twice; 2. a notice to every commune is one op with the store and one
 * ticket, and what it costs in memory until it is on disk is known before it is taken. One thread.
 */
#ifndef RELAIS_CORE_RECIPIENTS_H
#define RELAIS_CORE_RECIPIENTS_H

#include "core/state.h"
#include "relais/v1/envelope.pb-c.h"

struct recipients {
    struct mailbox *one;   /* the only one */
    struct mailbox **many; /* when there are several; free() */
    uint32_t count;
};

/* How many recipients are known: of a message that supersedes another the store finds the others.
 */
uint32_t recipients_of(const struct directory *directory, const struct directory_flow *flow,
                       const Relais__V1__Envelope *envelope);

/* Their mailboxes, made when they are not there. False without memory: nothing is to be freed. */
bool recipients_open(struct core *core, const struct directory_flow *flow,
                     const Relais__V1__Envelope *envelope, struct recipients *out_recipients);

/* The same, and the store is told the names that it does not know. False without memory. */
bool recipients_find(struct step *step, const Relais__V1__Envelope *envelope,
                     struct recipients *out_recipients);

/* What the store is told of them. NULL without memory. */
struct store_recipient *recipients_lay(struct step *step, const Relais__V1__Envelope *envelope,
                                       const struct recipients *recipients, int64_t due_ms);
uint8_t recipients_lane(const Relais__V1__Envelope *envelope);

/* What they cost in memory until the message is on disk, beyond what every message does. */
uint64_t recipients_cost(const struct directory *directory, const struct directory_flow *flow,
                         const Relais__V1__Envelope *envelope);

/* The mailbox at an index below `count`. */
struct mailbox *recipients_at(const struct recipients *recipients, uint32_t index);

#endif
