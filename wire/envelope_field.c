/* SPDX-License-Identifier: EUPL-1.2
 *
 * See envelope_field.h. Reads any bytes; source: Protocol Buffers, "Encoding".
 */
#include "wire/envelope_field.h"

#include <stdint.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64_BITS = 1, WIRE_LENGTH = 2, WIRE_32_BITS = 5, VARINT_BYTES = 10 };

static bool take_number(struct bytes *rest, uint64_t *out_number)
{
    *out_number = 0;
    for (size_t i = 0; i < VARINT_BYTES && i < rest->size; i++) {
        *out_number |= (uint64_t)(rest->data[i] & 0x7F) << (7 * i);
        if ((rest->data[i] & 0x80) == 0) {
            rest->data += i + 1;
            rest->size -= i + 1;
            return true;
        }
    }
    return false;
}

/* The content of the next field, or what is skipped of it. False: it cannot be read. */
static bool take_field(struct bytes *rest, uint64_t *out_key, struct bytes *out_content)
{
    uint64_t size = 0;
    if (!take_number(rest, out_key)) {
        return false;
    }
    switch (*out_key & 7) {
    case WIRE_VARINT:
        *out_content = (struct bytes){0};
        return take_number(rest, &size);
    case WIRE_64_BITS:
        size = 8;
        break;
    case WIRE_32_BITS:
        size = 4;
        break;
    case WIRE_LENGTH:
        if (!take_number(rest, &size)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (size > rest->size) {
        return false;
    }
    *out_content = (struct bytes){rest->data, (size_t)size};
    rest->data += size;
    rest->size -= (size_t)size;
    return true;
}

bool envelope_find_text(struct bytes envelope, unsigned field, char *out_text, size_t size)
{
    uint64_t wanted = (uint64_t)field << 3 | WIRE_LENGTH;
    uint64_t key = 0;
    struct bytes rest = envelope;
    struct bytes content = {0};
    while (rest.size > 0 && take_field(&rest, &key, &content)) {
        if (key == wanted) {
            if (content.size >= size) {
                return false;
            }
            if (content.size > 0) {
                memcpy(out_text, content.data, content.size);
            }
            out_text[content.size] = '\0';
            return true;
        }
    }
    return false;
}
