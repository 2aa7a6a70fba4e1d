/* SPDX-License-Identifier: EUPL-1.2
 *
 * Writes data of a libcyaml schema as YAML for people: block style, lists of words on one line,
 * UTF-8 as it is (libcyaml 1.3.1 writes "\xE9" for "é").
 * Invariant: 1. a text that another reader of YAML could take for a number, a date, a boolean or
 * null is in quotes. An optional field without a value is left out.
 */
#include "program/yaml_tree.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    INDENT = 2,
    LIST_LINE_BYTES = 72, /* a longer list is written one entry a line */
};

static const void *follow(const cyaml_schema_value_t *schema, const void *at)
{
    const void *target = at;

    if ((schema->flags & CYAML_FLAG_POINTER) != 0) {
        memcpy(&target, at, sizeof target);
    }
    return target;
}

static uint64_t read_number(const void *at, size_t size)
{
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;

    switch (size) {
    case sizeof u8:
        memcpy(&u8, at, sizeof u8);
        return u8;
    case sizeof u16:
        memcpy(&u16, at, sizeof u16);
        return u16;
    case sizeof u32:
        memcpy(&u32, at, sizeof u32);
        return u32;
    default:
        assert(size == sizeof u64);
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
}

static bool is_reserved(const char *text)
{
    static const char *const words[] = {"true", "false", "yes",  "no",  "on", "off",
                                        "y",    "n",     "null", "nan", "inf"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Begins with a letter or a path's sign and holds nothing that means something to YAML. */
static bool is_plain(const char *text)
{
    unsigned char first = (unsigned char)text[0];

    if (!(isalpha(first) != 0 || first == '/') || is_reserved(text)) {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        bool fine = isalnum((unsigned char)*at) != 0 || strchr("_./-", *at) != NULL ||
                    (*at == ':' && at[1] != ' ' && at[1] != '\0');

        if (!fine) {
            return false;
        }
    }
    return true;
}

static bool has_control(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F) {
            return true;
        }
    }
    return false;
}

static void print_text(FILE *out, const char *text)
{
    if (is_plain(text)) {
        (void)fputs(text, out);
        return;
    }
    bool doubled = has_control(text);
    (void)fputc(doubled ? '"' : '\'', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (doubled && (*at < 0x20 || *at == 0x7F)) {
            (void)fprintf(out, "\\x%02X", *at);
        } else if (doubled && (*at == '"' || *at == '\\')) {
            (void)fprintf(out, "\\%c", *at);
        } else {
            (void)fputs(!doubled && *at == '\'' ? "'" : "", out);
            (void)fputc(*at, out);
        }
    }
    (void)fputc(doubled ? '"' : '\'', out);
}

static void print_words(FILE *out, const cyaml_schema_value_t *schema, uint64_t bits)
{
    const char *separator = "";

    (void)fputc('[', out);
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        uint64_t bit = (uint64_t)schema->enumeration.strings[i].val;

        if (bit != 0 && (bits & bit) == bit) {
            (void)fprintf(out, "%s%s", separator, schema->enumeration.strings[i].str);
            separator = ", ";
        }
    }
    (void)fputc(']', out);
}

static void print_word(FILE *out, const cyaml_schema_value_t *schema, uint64_t value)
{
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if ((uint64_t)schema->enumeration.strings[i].val == value) {
            (void)fputs(schema->enumeration.strings[i].str, out);
            return;
        }
    }
}

static void print_scalar(FILE *out, const cyaml_schema_value_t *schema, const void *at)
{
    if (schema->type == CYAML_STRING) {
        print_text(out, at);
        return;
    }
    uint64_t number = read_number(at, schema->data_size);
    switch (schema->type) {
    case CYAML_INT:
        (void)fprintf(out, "%" PRId64, (int64_t)number);
        break;
    case CYAML_UINT:
        (void)fprintf(out, "%" PRIu64, number);
        break;
    case CYAML_BOOL:
        (void)fputs(number != 0 ? "true" : "false", out);
        break;
    case CYAML_ENUM:
        print_word(out, schema, number);
        break;
    default:
        assert(schema->type == CYAML_FLAGS);
        print_words(out, schema, number);
    }
}

static void print_mapping(FILE *out, const cyaml_schema_value_t *schema, const void *data,
                          unsigned indent, bool inside_list);

/* Bytes from one entry of a list to the next. */
static size_t entry_bytes(const cyaml_schema_value_t *entry)
{
    return (entry->flags & CYAML_FLAG_POINTER) != 0 ? sizeof(void *) : entry->data_size;
}

static bool fits_a_line(const cyaml_schema_value_t *entry, const char *entries, uint64_t count)
{
    size_t total = 0;

    for (uint64_t i = 0; entry->type == CYAML_STRING && i < count; i++) {
        total += strlen(follow(entry, entries + i * entry_bytes(entry))) + 2;
    }
    return total <= LIST_LINE_BYTES;
}

static void print_list(FILE *out, const cyaml_schema_value_t *schema, const void *data,
                       uint64_t count, unsigned indent)
{
    const cyaml_schema_value_t *entry = schema->sequence.entry;
    const char *entries = data;
    bool flow = count == 0 || (entry->type != CYAML_MAPPING && fits_a_line(entry, entries, count));

    (void)fputs(flow ? " [" : "\n", out);
    for (uint64_t i = 0; i < count; i++) {
        const void *at = follow(entry, entries + i * entry_bytes(entry));

        if (flow) {
            (void)fputs(i == 0 ? "" : ", ", out);
            print_scalar(out, entry, at);
        } else {
            (void)fprintf(out, "%*s- ", (int)indent, "");
            if (entry->type == CYAML_MAPPING) {
                print_mapping(out, entry, at, indent + INDENT, true);
            } else {
                print_scalar(out, entry, at);
                (void)fputc('\n', out);
            }
        }
    }
    (void)fputs(flow ? "]\n" : "", out);
}

static bool is_absent(const cyaml_schema_field_t *field, const void *at, uint64_t count)
{
    static const char zeros[256];

    if ((field->value.flags & CYAML_FLAG_OPTIONAL) == 0) {
        return false;
    }
    if ((field->value.flags & CYAML_FLAG_POINTER) != 0) {
        return follow(&field->value, at) == NULL ||
               (field->value.type == CYAML_SEQUENCE && count == 0);
    }
    return field->value.data_size <= sizeof zeros && memcmp(at, zeros, field->value.data_size) == 0;
}

static void print_mapping(FILE *out, const cyaml_schema_value_t *schema, const void *data,
                          unsigned indent, bool inside_list)
{
    bool first = inside_list; /* the first key stands behind "- " */

    for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key != NULL; field++) {
        const void *at = (const char *)data + field->data_offset;
        uint64_t count =
            field->value.type == CYAML_SEQUENCE
                ? read_number((const char *)data + field->count_offset, field->count_size)
                : 0;

        if (is_absent(field, at, count)) {
            continue;
        }
        (void)fprintf(out, "%*s%s:", first ? 0 : (int)indent, "", field->key);
        first = false;
        const void *value = follow(&field->value, at);
        if (field->value.type == CYAML_MAPPING) {
            (void)fputc('\n', out);
            print_mapping(out, &field->value, value, indent + INDENT, false);
        } else if (field->value.type == CYAML_SEQUENCE) {
            print_list(out, &field->value, value, count, indent + INDENT);
        } else {
            (void)fputc(' ', out);
            print_scalar(out, &field->value, value);
            (void)fputc('\n', out);
        }
    }
}

char *yaml_tree_print(const cyaml_schema_value_t *schema, const void *data)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        return NULL;
    }
    assert(schema->type == CYAML_MAPPING);
    print_mapping(out, schema, data, 0, false);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
