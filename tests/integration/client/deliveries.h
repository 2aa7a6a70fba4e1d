/* SPDX-License-Identifier: EUPL-1.2
 *
 * A scripted broker that delivers: what it says after an Attach, and what it hears of the answers.
 */
#ifndef RELAIS_TESTS_CLIENT_DELIVERIES_H
#define RELAIS_TESTS_CLIENT_DELIVERIES_H

#include "tests/integration/client/fixture.h"

enum deliveries_fault {
    FAULT_NONE,
    FAULT_DIGEST,     /* of the first delivery */
    FAULT_ENVELOPE,   /* the first cannot be read */
    FAULT_BODY_SHORT, /* a byte is missing */
    FAULT_BODY_LONG,  /* a byte too many */
    FAULT_TAG,        /* tags do not follow */
    FAULT_CREDIT,     /* more than the consumer takes */
    FAULT_CONSUMER,   /* nobody's consumer */
    FAULT_UNATTACHED, /* delivered before Attached */
};

/* Set before the broker starts; the rest is written by its thread, read when it has stopped. */
struct deliveries {
    unsigned count; /* delivered at each Attach, at once */
    bool separate;  /* one Deliver each */
    enum deliveries_fault fault;
    Relais__V1__Code refuse; /* instead of Attached; 0: none */
    uint32_t refuse_retry_ms;
    bool drop_after_ack;    /* the first one */
    bool unknown_after_ack; /* no Settled, but UNKNOWN_DELIVERY */

    unsigned attaches;
    uint32_t credit_attached;
    unsigned acks; /* commands */
    unsigned ack_ranges;
    unsigned acked; /* tags */
    unsigned nacks;
    unsigned nacked;
    uint32_t nack_delay_ms;
    bool nack_refuse;
    char nack_reason[300];
    unsigned extends;
    uint32_t extended_by_ms;
    unsigned credits;
    uint32_t credit_added;
    unsigned detaches;
    bool answers_before_detach;
};

bool deliveries_answer(struct fake_broker *broker, void *context, const struct fake_heard *heard);

#endif
