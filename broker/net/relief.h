/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is done when the process has no descriptor left for a new connection. libzmq 4.3.4 would try
 * to accept again and again at full speed. A descriptor kept in reserve is given up for a moment,
 * the waiting peer is accepted and hung up on, and the reserve is taken again: the peer knows, and
 * the processor rests.
 *
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_RELIEF_H
#define RELAIS_NET_RELIEF_H

#include <stdbool.h>
#include <stdint.h>

enum { RELIEF_REPORT_MS = 10000 /* one report of so long; the state lasts */ };

struct relief {
    int reserve;   /* -1: none */
    int listening; /* libzmq's, -1: unknown */
    bool reported;
    int64_t reported_ms;
};

void relief_init(struct relief *relief);
void relief_fini(struct relief *relief);

/* The socket that libzmq listens on; made non-blocking, since two threads may now accept on it. */
void relief_listen(struct relief *relief, int listening);

/* Turns one waiting peer away. True when this should be reported. */
bool relief_turn_away(struct relief *relief, int system_errno, int64_t now_ms);

/* Whether a newly accepted peer may stay. Not while the reserve is gone: libzmq was quicker and
 * gave it to a peer, so one peer must go for the reserve to come back. */
bool relief_has_room(struct relief *relief);

#endif
