/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais_error as a value: texts are copied and cut, never allocated.
 * Invariant: 1. a text that was cut ends at the end of a UTF-8 character. Any thread.
 */
#include "program/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Drops the beginning of a character at the end of a text that filled its buffer. */
static void trim_tail(char *text)
{
    size_t size = strlen(text);
    size_t start = size;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0U) == 0x80U) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0U) {
        text[start - 1] = '\0';
    }
}

/* After vsnprintf() into `text`: what it returned, and the room that it had. */
static void settle(char *text, int wanted, size_t capacity)
{
    if (wanted < 0) {
        text[0] = '\0';
    } else if ((size_t)wanted >= capacity) {
        trim_tail(text);
    }
}

static void copy_text(char *out, size_t capacity, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    bool cut = size >= capacity;

    if (cut) {
        size = capacity - 1;
    }
    if (size > 0) {
        memcpy(out, text, size);
    }
    out[size] = '\0';
    if (cut) {
        trim_tail(out);
    }
}

relais_status error_set(relais_error *error, relais_status status, const char *field,
                        const char *right, const char *wrong, ...)
{
    if (error != NULL) {
        relais_error result = {.status = status};
        va_list arguments;

        copy_text(result.field, sizeof result.field, field);
        copy_text(result.right, sizeof result.right, right);
        va_start(arguments, wrong);
        settle(result.wrong, vsnprintf(result.wrong, sizeof result.wrong, wrong, arguments),
               sizeof result.wrong);
        va_end(arguments);
        *error = result;
    }
    return status;
}

void error_set_field(relais_error *error, const char *format, ...)
{
    if (error != NULL) {
        char field[sizeof error->field];
        va_list arguments;

        va_start(arguments, format);
        settle(field, vsnprintf(field, sizeof field, format, arguments), sizeof field);
        va_end(arguments);
        memcpy(error->field, field, sizeof field);
    }
}

relais_status error_set_errno(relais_error *error, const char *field, int number)
{
    return error_set(error, RELAIS_SYSTEM, field, NULL, "%s", strerror(number));
}
