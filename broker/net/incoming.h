/* SPDX-License-Identifier: EUPL-1.2
 *
 * One message off the ROUTER: who libzmq says sent it, and its frames as buffers, without a copy.
 *
 * Invariants:
 *   1. Number, key and descriptor are read on the first frame after the routing id, where libzmq
 *      4.3.4 has them right, and come from ZAP and the kernel only.
 *   2. A message is always read to its end, however long; what exceeds the limits is freed as it
 *      comes.
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_INCOMING_H
#define RELAIS_NET_INCOMING_H

#include "net/connection.h"

struct incoming {
    uint64_t message_bytes_max;
    uint8_t routing_id[ROUTING_ID_BYTES];
    uint64_t connection; /* 0: unknown */
    int descriptor;      /* -1: unknown */
    char key[NET_KEY_CHARACTERS + 1];
    const char *foul; /* the rule that was broken, or NULL */
    uint64_t bytes;
    size_t frame_count;
    struct bytes frames[NET_FRAMES_MAX];
    struct buffer *buffers[NET_FRAMES_MAX];
};

/* False when there is nothing to read. Frames of the message before are dropped. */
bool incoming_receive(struct incoming *incoming, void *router);

/* Drops the references on the frames. */
void incoming_clear(struct incoming *incoming);

#endif
