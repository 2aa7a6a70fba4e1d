/* SPDX-License-Identifier: EUPL-1.2
 *
 * What kind of weather a seed brings: each run has only some of the faults, and each of them more
 * or less often, so that no fault hides another. Chances are in a thousand.
 */
#ifndef RELAIS_TESTS_SIM_PLAN_H
#define RELAIS_TESTS_SIM_PLAN_H

#include "chance.h"

enum fault {
    FAULT_CUT,       /* a connection */
    FAULT_CRASH,     /* the broker, at any point of its turn */
    FAULT_DRAIN,     /* the broker, politely */
    FAULT_FULL,      /* the disk has no room for messages */
    FAULT_STUCK,     /* nor for answers */
    FAULT_ROOM,      /* it has again */
    FAULT_DIRECTORY, /* somebody leaves, something is taken away */
    FAULT_RETURN,    /* everybody is back */
    FAULT_FORWARD,   /* the clock is set */
    FAULT_BACK,
    FAULT_CLIENT, /* a client crashes: what it did not write down is forgotten */
    FAULT_SLOW,   /* the disk takes long */
    FAULT_COUNT,
};

struct plan {
    uint32_t faults[FAULT_COUNT];               /* weights; 0: does not happen */
    uint32_t fault_ms;                          /* between two, on average */
    uint32_t messages;                          /* in all, at most */
    uint32_t batch;                             /* of one submit, at most */
    uint32_t backlog;                           /* what a client wants to send at once, at most */
    uint32_t large;                             /* chance of a large payload */
    uint32_t later, expiring;                   /* chances of not_before, expires_at */
    uint32_t ordered;                           /* of an ordering key */
    uint32_t many;                              /* of several recipients */
    uint32_t notices;                           /* of none: to the subscribers */
    uint32_t superseding;                       /* an earlier message */
    uint32_t wrong;                             /* of a message that breaks a rule */
    uint32_t rude;                              /* that a client breaks the protocol */
    uint32_t nack, refuse, forget, late, leave; /* what receivers do */
    uint32_t extend;                            /* the same */
    uint32_t letters;                           /* and what is done with dead letters */
    uint32_t credit;                            /* at most */
    uint32_t delay_ms;                          /* of the network, at most */
    uint32_t sync_ms;                           /* of the disk, at most */
    uint32_t client_ms;                         /* between two looks of a client, at most */
    uint32_t lease_ms, attempts, retry_ms;      /* core_settings */
    uint32_t connections, connections_per_key;
    uint32_t storing_bytes, sending_bytes;
};

void plan_draw(struct plan *plan, struct chance *chance);

/* By weight. */
enum fault plan_fault(const struct plan *plan, struct chance *chance);

#endif
