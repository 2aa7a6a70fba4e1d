/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is done when the process has no descriptor left for a new connection. libzmq 4.3.4 would try
 * to accept again and again at full speed. A descriptor kept in reserve is given up for a moment,
 * the waiting peers are accepted and hung up on, and the reserve is taken again: they know, and the
 * processor rests. Another thread may be quicker and take the reserve for itself: then one
 * connection must go (relief_lost()).
 *
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_RELIEF_H
#define RELAIS_NET_RELIEF_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RELIEF_REPORT_MS = 10000, /* one report of so long; the state lasts */
    RELIEF_TURN_MS = 1, /* libzmq tells of each failed attempt, hundreds of thousands a second */
    RELIEF_PEERS_A_TURN = 64,
};

struct relief {
    int reserve;   /* -1: none */
    int listening; /* libzmq's, -1: unknown */
    int64_t turn_ms;
    bool reported;
    int64_t reported_ms;
};

void relief_init(struct relief *relief);
void relief_fini(struct relief *relief);

/* The socket that libzmq listens on; made non-blocking, since two threads may now accept on it. */
void relief_listen(struct relief *relief, int listening);

/* An accept failed: turns waiting peers away if it was for want of descriptors. True when that
 * should be reported. */
bool relief_turn_away(struct relief *relief, int system_errno, int64_t now_ms);

/* Whether the reserve is lost and cannot be taken again: a connection must go. */
bool relief_lost(struct relief *relief);

#endif
