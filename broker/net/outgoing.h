/* SPDX-License-Identifier: EUPL-1.2
 *
 * One message to the ROUTER: routing id, command, and the messages' envelopes and payloads as body
 * frames. Runs of small pieces are copied together into one frame (a frame costs a header, a
 * signature and an allocation on each side); a large piece travels as it lies.
 *
 * Invariants:
 *   1. Either the whole message is handed to libzmq or nothing of it: every frame is made before
 *      the first is sent, and libzmq refuses at the routing id or not at all.
 *   2. A piece never spans two frames; at most NET_FRAMES_MAX frames.
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_OUTGOING_H
#define RELAIS_NET_OUTGOING_H

#include "net/connection.h"

enum {
    OUTGOING_MESSAGES_MAX = (NET_FRAMES_MAX - 1) / 2,
    /* From here on a copy costs more than a frame of its own. */
    OUTGOING_OWN_FRAME_BYTES = 16 * 1024,
    /* Of a packed frame: clients accept a payload and 1 MiB in one frame. */
    OUTGOING_PACKED_BYTES_MAX = 1024 * 1024,
    /* Unsent bytes of a connection beyond which nothing more is queued for it (the last message
     * excepted): eight consumers with all their credit in flight. */
    OUTGOING_UNSENT_BYTES_MAX = 64 * 1024 * 1024,
};

struct outgoing {
    zmq_msg_t frames[NET_FRAMES_MAX]; /* scratch; empty between calls */
    size_t frame_count;
};

/* False when the connection cannot take it, or without memory: cut it. */
bool outgoing_send(struct outgoing *outgoing, void *router, const struct connection *connection,
                   struct bytes command, const struct held_message *messages, size_t count);

#endif
