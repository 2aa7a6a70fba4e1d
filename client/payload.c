/* SPDX-License-Identifier: EUPL-1.2
 *
 * Counted copies of large payloads. Any thread.
 */
#include "client/payload.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct payload_copy {
    atomic_uint references;
    size_t size;
    unsigned char bytes[];
};

struct payload_copy *payload_copy_new(const void *data, size_t size)
{
    struct payload_copy *copy = malloc(sizeof *copy + size);
    if (copy != NULL) {
        atomic_init(&copy->references, 1);
        copy->size = size;
        memcpy(copy->bytes, data, size);
    }
    return copy;
}

const unsigned char *payload_copy_bytes(const struct payload_copy *copy)
{
    return copy->bytes;
}

void payload_copy_unref(struct payload_copy *copy)
{
    if (copy != NULL && atomic_fetch_sub(&copy->references, 1) == 1) {
        free(copy);
    }
}

static void let_go(void *data, void *hint)
{
    (void)data;
    payload_copy_unref(hint);
}

bool payload_copy_frame(struct payload_copy *copy, zmq_msg_t *out_frame)
{
    atomic_fetch_add(&copy->references, 1);
    if (zmq_msg_init_data(out_frame, copy->bytes, copy->size, let_go, copy) != 0) {
        payload_copy_unref(copy);
        return false;
    }
    return true;
}
