/* SPDX-License-Identifier: EUPL-1.2
 *
 * Each counted frame stands on a parcel: who is to be told when libzmq is done with it. See
 * outflow.h.
 */
#include "net/outflow.h"

#include <stddef.h>
#include <stdlib.h>

struct parcel {
    struct outflow *outflow;
    struct buffer *buffer; /* NULL: the bytes follow the parcel */
    atomic_size_t size;    /* stored last, with release; loaded first, with acquire */
    max_align_t bytes[];
};

struct outflow *outflow_new(atomic_size_t *total)
{
    struct outflow *outflow = malloc(sizeof *outflow);
    if (outflow == NULL) {
        return NULL;
    }
    atomic_init(&outflow->references, 1);
    atomic_init(&outflow->bytes, 0);
    outflow->total = total;
    return outflow;
}

void outflow_unref(struct outflow *outflow)
{
    if (outflow != NULL &&
        atomic_fetch_sub_explicit(&outflow->references, 1, memory_order_acq_rel) == 1) {
        free(outflow);
    }
}

/* libzmq calls this, in its io thread or in ours. */
static void parcel_free(void *data, void *hint)
{
    (void)data;
    struct parcel *parcel = hint;
    const size_t size = atomic_load_explicit(&parcel->size, memory_order_acquire);
    struct outflow *outflow = parcel->outflow;
    atomic_fetch_sub_explicit(&outflow->bytes, size, memory_order_relaxed);
    atomic_fetch_sub_explicit(outflow->total, size, memory_order_relaxed);
    outflow_unref(outflow);
    buffer_unref(parcel->buffer);
    free(parcel);
}

static struct parcel *parcel_new(struct outflow *outflow, struct buffer *buffer, size_t own_bytes)
{
    struct parcel *parcel = malloc(sizeof *parcel + own_bytes);
    if (parcel == NULL) {
        return NULL;
    }
    parcel->outflow = outflow;
    parcel->buffer = buffer;
    return parcel;
}

/* Hands the parcel and its bytes to libzmq. */
static bool parcel_post(struct parcel *parcel, void *data, size_t size, zmq_msg_t *out_message)
{
    struct outflow *outflow = parcel->outflow;
    atomic_fetch_add_explicit(&outflow->references, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&outflow->bytes, size, memory_order_relaxed);
    atomic_fetch_add_explicit(outflow->total, size, memory_order_relaxed);
    atomic_init(&parcel->size, 0);
    atomic_store_explicit(&parcel->size, size, memory_order_release);
    if (zmq_msg_init_data(out_message, data, size, parcel_free, parcel) == 0) {
        return true;
    }
    parcel_free(NULL, parcel);
    return false;
}

bool outflow_packed(struct outflow *outflow, size_t size, zmq_msg_t *out_message,
                    uint8_t **out_data)
{
    struct parcel *parcel = parcel_new(outflow, NULL, size);
    if (parcel == NULL || !parcel_post(parcel, parcel->bytes, size, out_message)) {
        return false;
    }
    *out_data = (uint8_t *)parcel->bytes;
    return true;
}

bool outflow_borrowed(struct outflow *outflow, struct bytes bytes, struct buffer *buffer,
                      zmq_msg_t *out_message)
{
    struct parcel *parcel = parcel_new(outflow, buffer_ref(buffer), 0);
    if (parcel == NULL) {
        buffer_unref(buffer);
        return false;
    }
    /* libzmq wants the bytes writable but only reads them. */
    return parcel_post(parcel, (void *)(uintptr_t)bytes.data, bytes.size, out_message);
}
