/* SPDX-License-Identifier: EUPL-1.2
 *
 * Counted references on message bytes. See buffer.h. Any thread.
 */
#include "core/buffer.h"

#include <stdlib.h>

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
