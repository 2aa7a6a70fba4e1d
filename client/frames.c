/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whole messages on the socket. libzmq takes a message as a whole or not at all: when the first
 * frame was accepted, the others are, or go nowhere with the connection.
 */
#include "client/frames.h"

#include <errno.h>
#include <stdlib.h>

enum { FRAMES_FIRST_CAPACITY = 16 };

void frame_unref(struct frame *frame)
{
    if (frame != NULL && --frame->references == 0) {
        (void)zmq_msg_close(&frame->content);
        free(frame);
    }
}

enum frames_result frames_send(void *socket, const Relais__V1__ToBroker *command, zmq_msg_t *frames,
                               size_t count)
{
    zmq_msg_t head;
    if (zmq_msg_init_size(&head, relais__v1__to_broker__get_packed_size(command)) != 0) {
        return FRAMES_FAILED;
    }
    (void)relais__v1__to_broker__pack(command, zmq_msg_data(&head));
    if (zmq_msg_send(&head, socket, ZMQ_DONTWAIT | (count > 0 ? ZMQ_SNDMORE : 0)) < 0) {
        int reason = zmq_errno();
        (void)zmq_msg_close(&head);
        return reason == EAGAIN || reason == EINTR ? FRAMES_LATER : FRAMES_FAILED;
    }
    for (size_t i = 0; i < count;) {
        int more = i + 1 < count ? ZMQ_SNDMORE : 0;
        if (zmq_msg_send(&frames[i], socket, ZMQ_DONTWAIT | more) >= 0) {
            i++;
        } else if (zmq_errno() != EINTR) {
            return FRAMES_FAILED;
        }
    }
    return FRAMES_DONE;
}

static bool grow(struct frames_in *in)
{
    size_t capacity = in->capacity == 0 ? FRAMES_FIRST_CAPACITY : 2 * in->capacity;
    struct frame **frames = realloc(in->frames, capacity * sizeof(void *));
    if (frames == NULL) {
        return false;
    }
    in->frames = frames;
    struct bytes *bytes = realloc(in->bytes, capacity * sizeof *bytes);
    if (bytes == NULL) {
        return false;
    }
    in->bytes = bytes;
    in->capacity = capacity;
    return true;
}

/* Takes the content. False without memory; the content is still the caller's then. */
static bool keep(struct frames_in *in, zmq_msg_t *content)
{
    if (in->count == in->capacity && !grow(in)) {
        return false;
    }
    struct frame *frame = malloc(sizeof *frame);
    if (frame == NULL) {
        return false;
    }
    frame->references = 1;
    (void)zmq_msg_init(&frame->content);
    (void)zmq_msg_move(&frame->content, content);
    in->frames[in->count] = frame;
    in->bytes[in->count] =
        (struct bytes){zmq_msg_data(&frame->content), zmq_msg_size(&frame->content)};
    in->count++;
    return true;
}

enum frames_result frames_receive(void *socket, struct frames_in *in)
{
    enum frames_result result = FRAMES_DONE;
    bool more = true;
    frames_in_clear(in);
    while (more) {
        zmq_msg_t content;
        (void)zmq_msg_init(&content);
        if (zmq_msg_recv(&content, socket, ZMQ_DONTWAIT) < 0) {
            int reason = zmq_errno();
            (void)zmq_msg_close(&content);
            if (in->count > 0 && reason == EINTR) {
                continue;
            }
            return in->count == 0 && (reason == EAGAIN || reason == EINTR) ? FRAMES_LATER
                                                                           : FRAMES_FAILED;
        }
        more = zmq_msg_more(&content) != 0;
        if (in->count >= FRAMES_IN_MAX) {
            result = FRAMES_MALFORMED;
        } else if (result == FRAMES_DONE && !keep(in, &content)) {
            result = FRAMES_FAILED;
        }
        (void)zmq_msg_close(&content);
    }
    return result;
}

void frames_in_clear(struct frames_in *in)
{
    for (size_t i = 0; i < in->count; i++) {
        frame_unref(in->frames[i]);
    }
    in->count = 0;
}

void frames_in_fini(struct frames_in *in)
{
    frames_in_clear(in);
    free(in->frames);
    free(in->bytes);
    *in = (struct frames_in){0};
}
