/* SPDX-License-Identifier: EUPL-1.2
 *
 * Numbers and runs of bytes, see bytes.h. Pure; any thread.
 */
#include "seal/bytes.h"

#include <string.h>

size_t seal_output_put(struct seal_output *out, struct seal_bytes bytes)
{
    const size_t room = out->size - out->used;
    const size_t put = bytes.size < room ? bytes.size : room;

    if (put > 0) {
        memcpy(out->data + out->used, bytes.data, put);
        out->used += put;
    }
    return put;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

static uint64_t get(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

void seal_put_u16(uint8_t *at, uint16_t value)
{
    put(at, value, 2);
}

void seal_put_u32(uint8_t *at, uint32_t value)
{
    put(at, value, 4);
}

void seal_put_u64(uint8_t *at, uint64_t value)
{
    put(at, value, 8);
}

uint16_t seal_get_u16(const uint8_t *at)
{
    return (uint16_t)get(at, 2);
}

uint32_t seal_get_u32(const uint8_t *at)
{
    return (uint32_t)get(at, 4);
}

uint64_t seal_get_u64(const uint8_t *at)
{
    return get(at, 8);
}
