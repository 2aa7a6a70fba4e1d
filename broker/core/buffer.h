/* SPDX-License-Identifier: EUPL-1.2
 *
 * A counted reference on bytes that outlive the call: a message from the network on its way to
 * disk, a message from disk on its way to the network. Whoever made the buffer says how it is
 * freed, so a zmq_msg_t, an allocation or anything else can stand behind it and nothing is copied.
 *
 * Invariants: 1. data and size never change; 2. `release` is called once, by the thread that drops
 * the last reference (any thread: it must allow that).
 */
#ifndef RELAIS_CORE_BUFFER_H
#define RELAIS_CORE_BUFFER_H

#include "wire/bytes.h"

#include <stdatomic.h>
#include <stdbool.h>

struct buffer {
    atomic_uint references; /* starts at 1 */
    struct bytes bytes;
    void (*release)(struct buffer *buffer); /* frees bytes and buffer itself */
};

struct buffer *buffer_ref(struct buffer *buffer);

/* NULL is fine. */
void buffer_unref(struct buffer *buffer);

/* A buffer with `size` bytes of its own behind it, to be written by the caller through *out_data
 * before anybody else sees it. NULL without memory. */
struct buffer *buffer_new(size_t size, uint8_t **out_data);

/* A message whose bytes are held: both slices lie in what `envelope_buffer` and `payload_buffer`
 * keep alive (often the same buffer, referenced twice). */
struct held_message {
    struct bytes envelope;
    struct bytes payload;
    struct buffer *envelope_buffer;
    struct buffer *payload_buffer;
};

/* Exchanges references on frames that hold much besides for bytes of its own. False without memory
 * for them: nothing has changed. */
bool held_message_own(struct held_message *message);

/* Drops both references and clears the slices. */
void held_message_drop(struct held_message *message);

#endif
