/* SPDX-License-Identifier: EUPL-1.2
 *
 * Data for stdout. Commands build JSON values and say by columns how people see them; the format
 * that the user asked for decides what is printed. Text from the wire is printed with its control
 * characters replaced, so that it cannot drive a terminal.
 */
#ifndef RELAIS_CLI_OUTPUT_H
#define RELAIS_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL };

struct output {
    enum output_format format;
    bool quiet;
    bool color; /* on stdout */
};

enum column_kind {
    COLUMN_TEXT,     /* text, or an array of texts */
    COLUMN_NUMBER,   /* a count */
    COLUMN_BYTES,    /* a size, for people in KiB, MiB, ... */
    COLUMN_DURATION, /* milliseconds */
};

struct column {
    const char *key;   /* in the JSON object */
    const char *title; /* N_() text */
    enum column_kind kind;
};

/* Prints an array of objects and releases it; NULL counts as out of memory and gives false. */
bool output_list(const struct output *output, const struct column *columns, size_t count,
                 json_t *rows);

/* Prints one object, as "title: value" lines for people, and releases it. */
bool output_object(const struct output *output, const struct column *columns, size_t count,
                   json_t *object);

/* Prints one object as a line of JSON and releases it. */
bool output_json_line(json_t *object);

/* "1.2 MiB" in the language of the locale. Returns buffer. */
const char *output_bytes_text(uint64_t bytes, char *buffer, size_t size);

/* Copies text with whatever is not printable replaced by '?'. Returns buffer. */
const char *output_clean(const char *text, char *buffer, size_t size);

#endif
