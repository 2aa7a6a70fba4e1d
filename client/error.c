/* SPDX-License-Identifier: EUPL-1.2
 *
 * Errors as values, and the one line that people read.
 */
#include "client/error.h"

#include "program/locale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BROKER_STATUS_END = 100, /* numbers from here up arise on this side: see status.h */
    LINE_BYTES = 1024,       /* a sentence, and the three texts of a relais_error */
};

/* Cuts back to the end of the last whole UTF-8 character. */
static size_t whole_characters(const char *text, size_t size)
{
    while (size > 0 && ((unsigned char)text[size] & 0xC0U) == 0x80U) {
        size--;
    }
    return size;
}

static void replace_controls(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F) {
            *at = '?';
        } else if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) { /* C1 controls */
            at[0] = '?';
            at[1] = '?';
        }
    }
}

void error_copy_text(char *out_text, size_t size, const char *text)
{
    if (text == NULL) {
        out_text[0] = '\0';
        return;
    }
    size_t length = strlen(text);
    if (length >= size) {
        length = whole_characters(text, size - 1);
    }
    memcpy(out_text, text, length);
    out_text[length] = '\0';
    replace_controls(out_text);
}

relais_status error_fill(relais_error *error, relais_status status, const char *field,
                         const char *wrong, const char *right)
{
    if (error != NULL) {
        error->status = status;
        error->retry_after_ms = 0;
        error_copy_text(error->field, sizeof error->field, field);
        error_copy_text(error->wrong, sizeof error->wrong, wrong);
        error_copy_text(error->right, sizeof error->right, right);
    }
    return status;
}

relais_status error_fill_errno(relais_error *error, const char *field, int number)
{
    char text[128];
    relais_status status = number == ENOMEM ? RELAIS_NO_MEMORY : RELAIS_SYSTEM;
    return error_fill(error, status, field, strerror_r(number, text, sizeof text), NULL);
}

relais_status error_fill_number(relais_error *error, relais_status status, const char *field,
                                uint64_t wrong, uint64_t limit)
{
    char found[32];
    char right[64];
    (void)snprintf(found, sizeof found, "%" PRIu64, wrong);
    (void)snprintf(right, sizeof right, _("at most %llu"), (unsigned long long)limit);
    return error_fill(error, status, field, found, right);
}

relais_status error_from_wire(relais_error *error, const Relais__V1__Error *said)
{
    int code = (int)said->code;
    relais_status status = RELAIS_MALFORMED;
    if (code > 0 && code < BROKER_STATUS_END) {
        status = (relais_status)code;
    }
    (void)error_fill(error, status, said->field, said->wrong, said->right);
    if (error != NULL) {
        error->retry_after_ms = said->retry_after_ms;
    }
    return status;
}

/* Adds " <format with text>" to the line when text has something to say. */
static void append(char *line, size_t size, const char *separator, const char *format,
                   const char *text)
{
    size_t used = strlen(line);
    if (text[0] == '\0') {
        return;
    }
    (void)snprintf(line + used, size - used, "%s", separator);
    used = strlen(line);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a translated literal with one %s */
    (void)snprintf(line + used, size - used, format, text);
#pragma GCC diagnostic pop
}

const char *relais_error_text(const relais_error *error, char *buffer, unsigned size)
{
    char line[LINE_BYTES] = "";
    if (buffer == NULL || size == 0) {
        return "";
    }
    if (error != NULL) {
        append(line, sizeof line, "", "%s", relais_status_text(error->status));
        append(line, sizeof line, _(": "), "%s", error->field);
        append(line, sizeof line, _(": "), _("found \"%s\""), error->wrong);
        /* The broker's words are English: what the catalogue knows of them is translated here. */
        const char *right = error->right[0] != '\0' ? _(error->right) : "";
        append(line, sizeof line, _("; "), _("expected: %s"), right);
    }
    error_copy_text(buffer, size, line);
    return buffer;
}
