/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whole messages on the DEALER socket: a command frame and the frames of its body. The frames that
 * came are counted references: a delivery keeps the frame that its payload lies in.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_FRAMES_H
#define RELAIS_CLIENT_FRAMES_H

#include "relais/v1/command.pb-c.h"
#include "wire/bytes.h"
#include "wire/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

enum {
    FRAMES_IN_MAX = 1 + 2 * WIRE_BATCH_MESSAGES, /* each piece of a full batch in its own frame */
};

struct frame {
    unsigned references;
    zmq_msg_t content;
};

void frame_unref(struct frame *frame); /* NULL is fine */

/* One message that came. frames[0] is the command. */
struct frames_in {
    struct frame **frames;
    struct bytes *bytes; /* of each frame */
    size_t count;
    size_t capacity;
};

enum frames_result {
    FRAMES_DONE,
    FRAMES_LATER,     /* the socket does not take or give anything now */
    FRAMES_MALFORMED, /* too many frames; all have been read and dropped */
    FRAMES_FAILED,    /* the socket cannot be used, or no memory */
};

/* Sends the command and `count` frames behind it. FRAMES_DONE: they are gone, and the frames are
 * empty; else they are as they were. */
enum frames_result frames_send(void *socket, const Relais__V1__ToBroker *command, zmq_msg_t *frames,
                               size_t count);

/* The next message, without waiting; frames_in_clear() first. */
enum frames_result frames_receive(void *socket, struct frames_in *in);

void frames_in_clear(struct frames_in *in); /* drops the frames, keeps the lists */
void frames_in_fini(struct frames_in *in);

#endif
