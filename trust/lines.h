/* SPDX-License-Identifier: EUPL-1.2
 *
 * "name: value" lines, written one way only: the text of a note is the same bytes whoever writes
 * it. Pure; any thread.
 */
#ifndef RELAIS_TRUST_LINES_H
#define RELAIS_TRUST_LINES_H

#include "wire/bytes.h"

#include <stdbool.h>

enum { LINES_NUMBER_BYTES = 20 }; /* of 2^63 - 1, NUL included */

/* The first line must be this one, whole. Steps behind it. */
bool lines_begin(struct bytes *rest, const char *line);

/* When the next line begins with "name: ", gives what follows it and steps behind the line. False:
 * the next line is another one, or there is none; nothing has moved. */
bool lines_value(struct bytes *rest, const char *name, struct bytes *out_value);

/* Copies a value without NUL into out[size]; false when it is empty or does not fit. */
bool lines_copy(struct bytes value, char *out, size_t size);

/* The value of the next line as a text: as lines_value() and lines_copy(). */
bool lines_text(struct bytes *rest, const char *name, char *out, size_t size);

/* The same as a decimal number without leading zeros, 0 to 2^63 - 1. */
bool lines_number(struct bytes *rest, const char *name, int64_t *out_number);
bool lines_parse_number(struct bytes value, int64_t *out_number);

/* Cuts `value` at its first space: *out_word is what is before it, `value` what is behind. */
bool lines_word(struct bytes *value, struct bytes *out_word);

/* Where lines are written. `failed` once something did not fit. */
struct lines {
    char *data;
    size_t size;
    size_t used;
    bool failed;
};

/* printf() behind what is there. */
void lines_put(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
