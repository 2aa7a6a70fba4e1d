/* SPDX-License-Identifier: EUPL-1.2
 *
 * One copy of a large payload, shared by the list of unanswered messages and by the frames that
 * libzmq is still writing. Counted atomically: the last reference may fall in libzmq's I/O thread.
 */
#ifndef RELAIS_CLIENT_PAYLOAD_H
#define RELAIS_CLIENT_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

enum { PAYLOAD_LARGE_BYTES = 16 * 1024 }; /* from here a frame of its own is cheaper than a copy */

struct payload_copy;

struct payload_copy *payload_copy_new(const void *data, size_t size); /* NULL without memory */
const unsigned char *payload_copy_bytes(const struct payload_copy *copy);
void payload_copy_unref(struct payload_copy *copy); /* NULL is fine */

/* Makes a frame that holds a reference until libzmq is done with it. */
bool payload_copy_frame(struct payload_copy *copy, zmq_msg_t *out_frame);

#endif
