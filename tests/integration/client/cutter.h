/* SPDX-License-Identifier: EUPL-1.2
 *
 * A TCP relay between one client and its broker that a test can stop and cut. One connection at a
 * time, in a thread of its own; the functions below are called by the test's thread.
 */
#ifndef RELAIS_TESTS_CLIENT_CUTTER_H
#define RELAIS_TESTS_CLIENT_CUTTER_H

#include <stdbool.h>

struct cutter;

/* What the relay does with a connection that it has. */
enum cutter_way {
    CUTTER_RELAYS,
    CUTTER_HOLDS, /* takes nothing from the client any more, and keeps what the broker says */
    CUTTER_CUTS,  /* gives the client what was kept, and cuts it `delay_us` after that was asked */
};

struct cutter *cutter_start(const char *broker_endpoint);
void cutter_stop(struct cutter *cutter);
const char *cutter_endpoint(const struct cutter *cutter);

/* Holds when it returns; the cut follows by itself. */
void cutter_hold(struct cutter *cutter);
void cutter_cut(struct cutter *cutter, unsigned delay_us);

#endif
