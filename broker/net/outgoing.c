/* SPDX-License-Identifier: EUPL-1.2
 *
 * Packs and sends. See outgoing.h.
 */
#include "net/outgoing.h"

#include <assert.h>
#include <string.h>

struct piece {
    struct bytes bytes;
    struct buffer *buffer;
};

/* Envelope and payload of each message, one after the other. */
static struct piece piece_at(const struct held_message *messages, size_t index)
{
    const struct held_message *message = &messages[index / 2];
    if (index % 2 == 0) {
        return (struct piece){message->envelope, message->envelope_buffer};
    }
    return (struct piece){message->payload, message->payload_buffer};
}

static void append(uint8_t **cursor, struct bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(*cursor, bytes.data, bytes.size);
        *cursor += bytes.size;
    }
}

/* Packs the small pieces from `*index` on into one frame, and moves *index behind them. */
static bool run_pack(struct outgoing *outgoing, struct outflow *outflow,
                     const struct held_message *messages, size_t count, size_t *index)
{
    size_t end = *index;
    size_t size = 0;
    while (end < 2 * count) {
        const size_t piece = piece_at(messages, end).bytes.size;
        if (piece >= OUTGOING_OWN_FRAME_BYTES || size + piece > OUTGOING_PACKED_BYTES_MAX) {
            break;
        }
        size += piece;
        end++;
    }
    if (size > 0) {
        uint8_t *cursor = NULL;
        if (!outflow_packed(outflow, size, &outgoing->frames[outgoing->frame_count], &cursor)) {
            return false;
        }
        outgoing->frame_count++;
        for (size_t i = *index; i < end; i++) {
            append(&cursor, piece_at(messages, i).bytes);
        }
    }
    *index = end;
    return true;
}

static bool body_make(struct outgoing *outgoing, struct outflow *outflow,
                      const struct held_message *messages, size_t count)
{
    size_t index = 0;
    while (index < 2 * count) {
        const struct piece piece = piece_at(messages, index);
        if (piece.bytes.size < OUTGOING_OWN_FRAME_BYTES) {
            if (!run_pack(outgoing, outflow, messages, count, &index)) {
                return false;
            }
            continue;
        }
        if (!outflow_borrowed(outflow, piece.bytes, piece.buffer,
                              &outgoing->frames[outgoing->frame_count])) {
            return false;
        }
        outgoing->frame_count++;
        index++;
    }
    return true;
}

static bool command_make(struct outgoing *outgoing, struct outflow *outflow, struct bytes command)
{
    uint8_t *cursor = NULL;
    if (!outflow_packed(outflow, command.size, &outgoing->frames[0], &cursor)) {
        return false;
    }
    outgoing->frame_count = 1;
    append(&cursor, command);
    return true;
}

static bool overloaded(const struct outflow *outflow)
{
    return atomic_load_explicit(&outflow->bytes, memory_order_relaxed) > OUTGOING_UNSENT_BYTES_MAX;
}

bool outgoing_send(struct outgoing *outgoing, void *router, const struct connection *connection,
                   struct bytes command, const struct held_message *messages, size_t count)
{
    assert(count <= OUTGOING_MESSAGES_MAX);
    struct outflow *outflow = connection->outflow;
    size_t sent = 0;
    bool complete = false;
    outgoing->frame_count = 0;
    if (overloaded(outflow) || !command_make(outgoing, outflow, command) ||
        !body_make(outgoing, outflow, messages, count)) {
        goto done;
    }
    if (zmq_send(router, connection->routing_id, ROUTING_ID_BYTES, ZMQ_SNDMORE | ZMQ_DONTWAIT) <
        0) {
        goto done;
    }
    for (sent = 0; sent < outgoing->frame_count; sent++) {
        const int more = sent + 1 < outgoing->frame_count ? ZMQ_SNDMORE : 0;
        if (zmq_msg_send(&outgoing->frames[sent], router, ZMQ_DONTWAIT | more) < 0) {
            goto done;
        }
    }
    complete = true;
done:
    for (size_t i = sent; i < outgoing->frame_count; i++) {
        (void)zmq_msg_close(&outgoing->frames[i]);
    }
    return complete;
}
