/* SPDX-License-Identifier: EUPL-1.2
 *
 * See lines.h.
 */
#include "trust/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The next line without its end; false when no whole line is left. */
static bool peek(struct bytes rest, struct bytes *out_line)
{
    const uint8_t *end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;

    if (end == NULL) {
        return false;
    }
    *out_line = (struct bytes){rest.data, (size_t)(end - rest.data)};
    return true;
}

static void step(struct bytes *rest, struct bytes line)
{
    rest->data += line.size + 1;
    rest->size -= line.size + 1;
}

bool lines_begin(struct bytes *rest, const char *line)
{
    struct bytes first;

    if (!peek(*rest, &first) || first.size != strlen(line) ||
        memcmp(first.data, line, first.size) != 0) {
        return false;
    }
    step(rest, first);
    return true;
}

bool lines_value(struct bytes *rest, const char *name, struct bytes *out_value)
{
    const size_t size = strlen(name);
    struct bytes line;

    if (!peek(*rest, &line) || line.size < size + 2 || memcmp(line.data, name, size) != 0 ||
        line.data[size] != ':' || line.data[size + 1] != ' ') {
        return false;
    }
    *out_value = (struct bytes){line.data + size + 2, line.size - size - 2};
    step(rest, line);
    return true;
}

bool lines_copy(struct bytes value, char *out, size_t size)
{
    if (value.size == 0 || value.size >= size || memchr(value.data, '\0', value.size) != NULL) {
        return false;
    }
    memcpy(out, value.data, value.size);
    out[value.size] = '\0';
    return true;
}

bool lines_text(struct bytes *rest, const char *name, char *out, size_t size)
{
    struct bytes value;

    return lines_value(rest, name, &value) && lines_copy(value, out, size);
}

bool lines_parse_number(struct bytes value, int64_t *out_number)
{
    int64_t number = 0;

    if (value.size == 0 || value.size >= LINES_NUMBER_BYTES ||
        (value.size > 1 && value.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        const int64_t digit = value.data[i] - '0';

        if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10) {
            return false;
        }
        number = 10 * number + digit;
    }
    *out_number = number;
    return true;
}

bool lines_number(struct bytes *rest, const char *name, int64_t *out_number)
{
    struct bytes value;

    return lines_value(rest, name, &value) && lines_parse_number(value, out_number);
}

bool lines_word(struct bytes *value, struct bytes *out_word)
{
    const uint8_t *space = value->size > 0 ? memchr(value->data, ' ', value->size) : NULL;

    if (space == NULL) {
        return false;
    }
    *out_word = (struct bytes){value->data, (size_t)(space - value->data)};
    value->size -= out_word->size + 1;
    value->data = space + 1;
    return true;
}

void lines_put(struct lines *lines, const char *format, ...)
{
    va_list arguments;
    int size = 0;

    if (lines->failed) {
        return;
    }
    va_start(arguments, format);
    size = vsnprintf(lines->data + lines->used, lines->size - lines->used, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= lines->size - lines->used) {
        lines->failed = true;
        return;
    }
    lines->used += (size_t)size;
}
