/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes that grow up to a maximum named at the start.
 *
 * 1. Always ended by a NUL that is not counted, also when it is empty.
 * 2. The first failure stays: whoever appends looks at `state` once, at the end.
 */
#ifndef RELAIS_TYPED_TEXT_H
#define RELAIS_TYPED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_state { TEXT_FINE, TEXT_TOO_LONG, TEXT_NO_MEMORY };

struct text {
    const char *data; /* never NULL after text_init() */
    size_t size;
    size_t capacity;
    size_t max;
    enum text_state state;
};

void text_init(struct text *text, size_t max);
void text_fini(struct text *text);

/* Empties it and forgets a failure; the memory stays. */
void text_clear(struct text *text);

void text_append(struct text *text, const void *data, size_t size);
void text_string(struct text *text, const char *string);
void text_char(struct text *text, char character);
void text_repeat(struct text *text, char character, size_t count);

/* A code point as UTF-8. */
void text_code_point(struct text *text, uint32_t code_point);

/* Keeps the first `size` bytes. */
void text_cut(struct text *text, size_t size);

/* Drops the first `count` bytes. */
void text_drop(struct text *text, size_t count);

bool text_fine(const struct text *text);

/* Fails when the other has: before the other is cleared and forgets. */
void text_take_failure(struct text *text, const struct text *other);

/* How many characters these bytes of UTF-8 are. */
size_t text_characters(const char *data, size_t size);

#endif
