/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reads messages. See incoming.h.
 */
#include "net/incoming.h"

#include "net/zap.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct frame_buffer {
    struct buffer buffer; /* first: release() gets this address */
    zmq_msg_t message;
};

static void frame_release(struct buffer *buffer)
{
    struct frame_buffer *frame = (struct frame_buffer *)buffer;
    (void)zmq_msg_close(&frame->message);
    free(frame);
}

void incoming_clear(struct incoming *incoming)
{
    for (size_t i = 0; i < incoming->frame_count; i++) {
        buffer_unref(incoming->buffers[i]);
    }
    incoming->frame_count = 0;
}

static void foul(struct incoming *incoming, const char *rule)
{
    if (incoming->foul == NULL) {
        incoming->foul = rule;
    }
    incoming_clear(incoming);
}

static void routing_id_read(struct incoming *incoming, zmq_msg_t *frame)
{
    const uint8_t *id = zmq_msg_data(frame);
    if (zmq_msg_size(frame) != ROUTING_ID_BYTES || id[0] == 0x00) {
        foul(incoming, "the routing id is not 16 random bytes");
        return;
    }
    memcpy(incoming->routing_id, id, ROUTING_ID_BYTES);
}

static void speaker_read(struct incoming *incoming, zmq_msg_t *frame)
{
    const char *key = zmq_msg_gets(frame, "User-Id");
    const char *number = zmq_msg_gets(frame, ZAP_CONNECTION_PROPERTY);
    incoming->descriptor = zmq_msg_get(frame, ZMQ_SRCFD);
    incoming->connection = number != NULL ? strtoull(number, NULL, 10) : 0;
    if (key == NULL || strlen(key) != NET_KEY_CHARACTERS || incoming->connection == 0) {
        foul(incoming, "no key is known for the connection");
        return;
    }
    memcpy(incoming->key, key, sizeof incoming->key);
}

static void frame_keep(struct incoming *incoming, struct frame_buffer *frame)
{
    const size_t size = zmq_msg_size(&frame->message);
    incoming->bytes += size;
    if (incoming->frame_count == NET_FRAMES_MAX) {
        foul(incoming, "too many frames in a message");
    } else if (incoming->bytes > incoming->message_bytes_max) {
        foul(incoming, "too many bytes in a message");
    }
    if (incoming->foul != NULL) {
        frame_release(&frame->buffer);
        return;
    }
    atomic_init(&frame->buffer.references, 1);
    frame->buffer.bytes = (struct bytes){zmq_msg_data(&frame->message), size};
    frame->buffer.release = frame_release;
    incoming->frames[incoming->frame_count] = frame->buffer.bytes;
    incoming->buffers[incoming->frame_count] = &frame->buffer;
    incoming->frame_count++;
}

/* Without memory for a frame: reads the rest of the message into nothing. */
static void rest_discard(struct incoming *incoming, void *router)
{
    bool more = true;
    bool first = incoming->connection == 0;
    foul(incoming, "out of memory");
    while (more) {
        zmq_msg_t message;
        (void)zmq_msg_init(&message);
        more = zmq_msg_recv(&message, router, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&message) != 0;
        if (first) {
            speaker_read(incoming, &message);
        }
        first = false;
        (void)zmq_msg_close(&message);
    }
}

static void frames_read(struct incoming *incoming, void *router)
{
    bool first = true;
    bool more = true;
    while (more) {
        struct frame_buffer *frame = malloc(sizeof *frame);
        if (frame == NULL) {
            rest_discard(incoming, router);
            return;
        }
        (void)zmq_msg_init(&frame->message);
        if (zmq_msg_recv(&frame->message, router, ZMQ_DONTWAIT) < 0) {
            frame_release(&frame->buffer);
            foul(incoming, "the message has no end");
            return;
        }
        if (first) {
            speaker_read(incoming, &frame->message);
            first = false;
        }
        more = zmq_msg_more(&frame->message) != 0;
        frame_keep(incoming, frame);
    }
}

bool incoming_receive(struct incoming *incoming, void *router)
{
    incoming_clear(incoming);
    zmq_msg_t id;
    (void)zmq_msg_init(&id);
    if (zmq_msg_recv(&id, router, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&id);
        return false;
    }
    incoming->connection = 0;
    incoming->descriptor = -1;
    incoming->key[0] = '\0';
    incoming->foul = NULL;
    incoming->bytes = 0;
    const bool more = zmq_msg_more(&id) != 0;
    routing_id_read(incoming, &id);
    (void)zmq_msg_close(&id);
    if (more) {
        frames_read(incoming, router);
    }
    return true;
}
