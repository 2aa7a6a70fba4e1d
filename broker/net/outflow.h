/* SPDX-License-Identifier: EUPL-1.2
 *
 * Frames on their way out, counted in bytes from the moment they are handed to libzmq until its io
 * thread lets go of them. libzmq bounds a connection's queue in messages only; a message may be
 * 10 bytes or 60 MB.
 *
 * Invariants:
 *   1. A frame made here is counted exactly once and uncounted exactly once, in whichever thread
 *      frees it.
 *   2. An outflow outlives its connection until its last frame has gone; `total` outlives them all
 *      (net frees it after zmq_ctx_term()).
 * Thread: any, by atomics.
 */
#ifndef RELAIS_NET_OUTFLOW_H
#define RELAIS_NET_OUTFLOW_H

#include "core/buffer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <zmq.h>

struct outflow {
    atomic_uint references;
    atomic_size_t bytes;  /* of this connection */
    atomic_size_t *total; /* of all connections */
};

/* NULL without memory. */
struct outflow *outflow_new(atomic_size_t *total);
void outflow_unref(struct outflow *outflow);

/* An uninitialised-before message of `size` bytes to be written through *out_data. False without
 * memory; out_message is then untouched. */
bool outflow_packed(struct outflow *outflow, size_t size, zmq_msg_t *out_message,
                    uint8_t **out_data);

/* A message over bytes that `buffer` keeps alive; takes a reference of its own. */
bool outflow_borrowed(struct outflow *outflow, struct bytes bytes, struct buffer *buffer,
                      zmq_msg_t *out_message);

#endif
