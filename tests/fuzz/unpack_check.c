/* SPDX-License-Identifier: EUPL-1.2
 *
 * The promises of unpack_check.h; abort() is how a fuzz target reports.
 */
#include "tests/fuzz/unpack_check.h"

#include <stdlib.h>
#include <string.h>

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

/* Packing reads every field and every string to its end, which is a check of its own. */
static struct bytes packed(const ProtobufCMessage *message)
{
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = malloc(size > 0 ? size : 1);

    require(data != NULL);
    require(protobuf_c_message_pack(message, data) == size);
    return (struct bytes){data, size};
}

void unpack_check(unpack_function *unpack, const uint8_t *data, size_t size)
{
    struct wire_arena arena;
    struct wire_fault fault = {0};
    const ProtobufCMessage *message = NULL;
    const ProtobufCMessage *again = NULL;
    struct bytes first = {0};
    struct bytes second = {0};

    require(wire_arena_init(&arena, WIRE_ARENA_BYTES));
    message = unpack((struct bytes){data, size}, &arena, &fault);
    if (message == NULL) {
        require(fault.what != NULL && strcmp(fault.what, "does not fit in memory") != 0);
        require(memchr(fault.field, '\0', sizeof fault.field) != NULL);
        require(fault.offset <= size);
        require(arena.used == 0);
    } else {
        require(arena.used <= WIRE_ARENA_BYTES);
        first = packed(message);
        wire_arena_reset(&arena);
        again = unpack(first, &arena, &fault);
        /* A number may be longer once packed as it should be, and so not fit any more. */
        require(again != NULL || strcmp(fault.what, "too large") == 0);
        if (again != NULL) {
            second = packed(again);
            require(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
        }
    }
    free((void *)first.data);
    free((void *)second.data);
    wire_arena_fini(&arena);
}
