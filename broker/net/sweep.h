/* SPDX-License-Identifier: EUPL-1.2
 *
 * Regular look at every open descriptor, for two kinds of peers that libzmq lets be:
 *   - those that came through the handshake and say nothing: they occupy descriptors and ids;
 *   - those whose message never ends: libzmq counts whole messages only, and keeps the frames of an
 *     unfinished one without bound. What the kernel has received for a connection since its last
 *     whole message tells them.
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_SWEEP_H
#define RELAIS_NET_SWEEP_H

#include "net/connection.h"
#include "net/refusals.h"

enum {
    SWEEP_INTERVAL_MS = 250,
    /* After the handshake: a client says Hello at once. */
    SWEEP_SILENCE_MS = 10000,
    /* Beyond the largest message: what the kernel may hold unread, and the framing. */
    SWEEP_SLACK_BYTES = 16 * 1024 * 1024,
    /* Heartbeats count as received too: 60 bytes every 5 s, with room for livelier peers. */
    SWEEP_HEARTBEAT_BYTES_PER_S = 256,
};

struct sweep {
    int64_t next_ms;
    uint64_t message_bytes_max;
    int64_t silence_ms; /* from accept to the first message */
};

/* To be called when every whole message has been read. */
void sweep_run(struct sweep *sweep, struct connection_table *table, struct refusals *refusals,
               int64_t now_ms);

#endif
