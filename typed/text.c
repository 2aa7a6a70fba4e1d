/* SPDX-License-Identifier: EUPL-1.2
 *
 * A growing buffer.
 */
#include "typed/text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 };

static char *buffer_of(struct text *text)
{
    return text->capacity > 0 ? (char *)(uintptr_t)text->data : NULL;
}

void text_init(struct text *text, size_t max)
{
    *text = (struct text){.data = "", .max = max};
}

void text_fini(struct text *text)
{
    free(buffer_of(text));
    text_init(text, text->max);
}

void text_clear(struct text *text)
{
    text->size = 0;
    text->state = TEXT_FINE;
    char *buffer = buffer_of(text);
    if (buffer) {
        buffer[0] = '\0';
    }
}

/* Room for `size` more bytes and the NUL. */
static char *room_for(struct text *text, size_t size)
{
    if (text->state != TEXT_FINE) {
        return NULL;
    }
    if (size > text->max - text->size) {
        text->state = TEXT_TOO_LONG;
        return NULL;
    }
    size_t wanted = text->size + size + 1;
    if (wanted <= text->capacity) {
        return buffer_of(text);
    }
    size_t capacity = text->capacity > 0 ? text->capacity : FIRST_BYTES;
    while (capacity < wanted) {
        capacity *= 2;
    }
    char *grown = realloc(buffer_of(text), capacity);
    if (!grown) {
        text->state = TEXT_NO_MEMORY;
        return NULL;
    }
    text->data = grown;
    text->capacity = capacity;
    return grown;
}

void text_append(struct text *text, const void *data, size_t size)
{
    char *buffer = room_for(text, size);
    if (!buffer) {
        return;
    }
    if (size > 0) {
        memcpy(buffer + text->size, data, size);
    }
    text->size += size;
    buffer[text->size] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_char(struct text *text, char character)
{
    text_append(text, &character, 1);
}

void text_repeat(struct text *text, char character, size_t count)
{
    char *buffer = room_for(text, count);
    if (!buffer) {
        return;
    }
    memset(buffer + text->size, character, count);
    text->size += count;
    buffer[text->size] = '\0';
}

void text_code_point(struct text *text, uint32_t code_point)
{
    unsigned char bytes[4];
    size_t count = 0;
    if (code_point < 0x80) {
        bytes[count++] = (unsigned char)code_point;
    } else if (code_point < 0x800) {
        bytes[count++] = (unsigned char)(0xC0U | (code_point >> 6U));
        bytes[count++] = (unsigned char)(0x80U | (code_point & 0x3FU));
    } else if (code_point < 0x10000) {
        bytes[count++] = (unsigned char)(0xE0U | (code_point >> 12U));
        bytes[count++] = (unsigned char)(0x80U | ((code_point >> 6U) & 0x3FU));
        bytes[count++] = (unsigned char)(0x80U | (code_point & 0x3FU));
    } else {
        bytes[count++] = (unsigned char)(0xF0U | (code_point >> 18U));
        bytes[count++] = (unsigned char)(0x80U | ((code_point >> 12U) & 0x3FU));
        bytes[count++] = (unsigned char)(0x80U | ((code_point >> 6U) & 0x3FU));
        bytes[count++] = (unsigned char)(0x80U | (code_point & 0x3FU));
    }
    text_append(text, bytes, count);
}

void text_cut(struct text *text, size_t size)
{
    char *buffer = buffer_of(text);
    if (buffer && size < text->size) {
        text->size = size;
        buffer[size] = '\0';
    }
}

void text_drop(struct text *text, size_t count)
{
    char *buffer = buffer_of(text);
    if (!buffer || count == 0) {
        return;
    }
    memmove(buffer, buffer + count, text->size - count);
    text->size -= count;
    buffer[text->size] = '\0';
}

bool text_fine(const struct text *text)
{
    return text->state == TEXT_FINE;
}

void text_take_failure(struct text *text, const struct text *other)
{
    if (text->state == TEXT_FINE) {
        text->state = other->state;
    }
}

size_t text_characters(const char *data, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += ((unsigned char)data[i] & 0xC0U) != 0x80U;
    }
    return count;
}
