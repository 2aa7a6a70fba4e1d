/* SPDX-License-Identifier: EUPL-1.2
 *
 * Writes protobuf by hand, wrong on purpose where a test wants it: what a packer of ours would
 * never produce. A writer holds WRITER_BYTES at most; a test that needs more is wrong and aborts.
 */
#ifndef RELAIS_TESTS_UNIT_WIRE_WRITER_H
#define RELAIS_TESTS_UNIT_WIRE_WRITER_H

#include "wire/bytes.h"

#include <assert.h>
#include <string.h>

enum {
    WRITER_BYTES = 4 * 1024 * 1024,
};

struct writer {
    uint8_t *data;
    size_t size;
};

static inline void put_byte(struct writer *writer, unsigned byte)
{
    assert(writer->size < WRITER_BYTES);
    writer->data[writer->size++] = (uint8_t)byte;
}

static inline void put_raw(struct writer *writer, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put_byte(writer, ((const uint8_t *)data)[i]);
    }
}

static inline void put_varint(struct writer *writer, uint64_t value)
{
    while (value >= 0x80) {
        put_byte(writer, (unsigned)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    put_byte(writer, (unsigned)value);
}

static inline void put_tag(struct writer *writer, unsigned field, unsigned wire_type)
{
    put_varint(writer, (uint64_t)field << 3 | wire_type);
}

static inline void put_number(struct writer *writer, unsigned field, uint64_t value)
{
    put_tag(writer, field, 0);
    put_varint(writer, value);
}

static inline void put_bytes(struct writer *writer, unsigned field, const void *data, size_t size)
{
    put_tag(writer, field, 2);
    put_varint(writer, size);
    put_raw(writer, data, size);
}

static inline void put_text(struct writer *writer, unsigned field, const char *text)
{
    put_bytes(writer, field, text, strlen(text));
}

static inline size_t varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

/* A message whose field `field` holds itself, `depth` times; whole and correct protobuf. Written
 * from the inside out at the end of the buffer, then moved to its front. */
static inline void put_nested(struct writer *writer, unsigned field, size_t depth)
{
    const size_t start = writer->size;
    size_t at = WRITER_BYTES;

    for (size_t i = 0; i < depth; i++) {
        const size_t inner = WRITER_BYTES - at;
        struct writer head = {.data = writer->data};

        assert(at > start + 16);
        at -= 1 + varint_size(inner);
        head.size = at;
        put_tag(&head, field, 2);
        put_varint(&head, inner);
    }
    memmove(writer->data + start, writer->data + at, WRITER_BYTES - at);
    writer->size = start + WRITER_BYTES - at;
}

#endif
