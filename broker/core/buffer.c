/* SPDX-License-Identifier: EUPL-1.2
 *
 * Counted references on message bytes. See buffer.h. Any thread.
 */
#include "core/buffer.h"

#include <stdlib.h>
#include <string.h>

/* Header and bytes in one allocation. */
struct own_buffer {
    struct buffer buffer;
    uint8_t data[];
};

static void own_release(struct buffer *buffer)
{
    free(buffer);
}

struct buffer *buffer_ref(struct buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->references, 1, memory_order_relaxed);
    return buffer;
}

void buffer_unref(struct buffer *buffer)
{
    /* acq_rel: whoever frees must see what the others did with the bytes. */
    if (buffer && atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel) == 1) {
        buffer->release(buffer);
    }
}

struct buffer *buffer_new(size_t size, uint8_t **out_data)
{
    if (size > SIZE_MAX - sizeof(struct own_buffer)) {
        return NULL;
    }
    struct own_buffer *own = malloc(sizeof *own + size);
    if (!own) {
        return NULL;
    }
    atomic_init(&own->buffer.references, 1);
    own->buffer.bytes = (struct bytes){.data = own->data, .size = size};
    own->buffer.release = own_release;
    *out_data = own->data;
    return &own->buffer;
}

void held_message_drop(struct held_message *message)
{
    buffer_unref(message->envelope_buffer);
    buffer_unref(message->payload_buffer);
    *message = (struct held_message){0};
}

/* Whether a frame is hardly more than what is needed of it. */
static bool is_own(struct bytes piece, const struct buffer *frame)
{
    return piece.size == 0 || frame->bytes.size / 2 <= piece.size;
}

bool held_message_own(struct held_message *message)
{
    struct bytes envelope = message->envelope;
    struct bytes payload = message->payload;
    if (message->envelope_buffer == message->payload_buffer
            ? is_own((struct bytes){NULL, envelope.size + payload.size}, message->envelope_buffer)
            : is_own(envelope, message->envelope_buffer) &&
                  is_own(payload, message->payload_buffer)) {
        return true;
    }
    uint8_t *data = NULL;
    struct buffer *own = buffer_new(envelope.size + payload.size, &data);
    if (!own) {
        return false;
    }
    memcpy(data, envelope.data, envelope.size);
    if (payload.size > 0) {
        memcpy(data + envelope.size, payload.data, payload.size);
    }
    held_message_drop(message);
    message->envelope = (struct bytes){data, envelope.size};
    message->envelope_buffer = own;
    if (payload.size > 0) {
        message->payload = (struct bytes){data + envelope.size, payload.size};
        message->payload_buffer = buffer_ref(own);
    }
    return true;
}
