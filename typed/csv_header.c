/* SPDX-License-Identifier: EUPL-1.2
 *
 * Titles. A file whose titles are nearly right is told which title was meant: exports differ by
 * capitals, blanks, dashes and accents.
 */
#include "typed/csv_header.h"

#include <stdlib.h>
#include <string.h>

void csv_header_fini(struct csv_header *header)
{
    for (size_t i = 0; i < header->count; i++) {
        free(header->columns[i].title);
    }
    free(header->columns);
    *header = (struct csv_header){0};
}

static const struct shape *shape_titled(const struct document *document, const char *title)
{
    for (size_t i = 0; i < document->shape_count; i++) {
        const struct shape *shape = &document->shapes[i];
        if (shape->name && strcmp(shape->name, title) == 0) {
            return shape;
        }
    }
    return NULL;
}

const char *csv_header_known_as(const char *const *renames, size_t count, const char *title,
                                size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strrchr(renames[i], '=');
        if (equals && (size_t)(equals - renames[i]) == size &&
            memcmp(renames[i], title, size) == 0) {
            return equals + 1;
        }
    }
    return "";
}

bool csv_header_add(struct csv_header *header, const struct document *document, const char *title,
                    size_t size, const char *known_as)
{
    struct csv_column *grown =
        realloc(header->columns, (header->count + 1) * sizeof(*header->columns));
    char *copy = malloc(size + 1);
    if (grown) {
        header->columns = grown;
    }
    if (!grown || !copy) {
        free(copy);
        return false;
    }
    memcpy(copy, title, size);
    copy[size] = '\0';
    bool renamed = *known_as != '\0';
    header->columns[header->count++] =
        (struct csv_column){.title = copy,
                            .shape = shape_titled(document, renamed ? known_as : copy),
                            .renamed = renamed};
    return true;
}

bool csv_header_add_all(struct csv_header *header, const struct document *document)
{
    for (size_t i = 0; i < document->shape_count; i++) {
        const char *name = document->shapes[i].name;
        if (name && !csv_header_add(header, document, name, strlen(name), "")) {
            return false;
        }
    }
    return true;
}

/* The next letter or digit, small; 0 at the end. Accents and signs are passed over. */
static int next_letter(const char **text)
{
    while (**text != '\0') {
        int byte = (unsigned char)*(*text)++;
        int small = byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
        if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9')) {
            return small;
        }
    }
    return 0;
}

static bool is_near(const char *one, const char *other)
{
    for (;;) {
        int left = next_letter(&one);
        if (left != next_letter(&other)) {
            return false;
        }
        if (left == 0) {
            return true;
        }
    }
}

/* How many columns have this shape; *out_near is a column (from 1) nearly named so, or 0. */
static size_t columns_of(const struct csv_header *header, const struct shape *shape,
                         size_t *out_near)
{
    size_t count = 0;
    *out_near = 0;
    for (size_t i = 0; i < header->count; i++) {
        count += header->columns[i].shape == shape;
        if (!header->columns[i].shape && is_near(header->columns[i].title, shape->name)) {
            *out_near = i + 1;
        }
    }
    return count;
}

bool csv_header_check(const struct csv_header *header, const struct document *document,
                      struct checker *checker)
{
    uint64_t errors = checker->errors;
    for (size_t i = 0; i < document->shape_count; i++) {
        const struct shape *shape = &document->shapes[i];
        if (!shape->name) {
            continue;
        }
        const struct place place = {.line = 1, .field = shape->name};
        size_t near = 0;
        size_t count = columns_of(header, shape, &near);
        if (count > 1) {
            checker_tell(checker, RULE_TITLE_TWICE, place, NULL);
        } else if (count == 0 && near > 0) {
            checker_tell_number(checker, RULE_TITLE_NEAR, place, near);
        } else if (count == 0 && shape->required) {
            checker_tell(checker, RULE_TITLE_MISSING, place, NULL);
        }
    }
    for (size_t i = 0; i < header->count; i++) {
        if (header->columns[i].renamed && !header->columns[i].shape) {
            checker_tell(checker, RULE_TITLE_TARGET,
                         (struct place){.line = 1, .field = header->columns[i].title}, NULL);
        }
    }
    for (size_t i = 0; checker->errors == errors && i < header->count; i++) {
        if (!header->columns[i].shape) {
            checker_tell(checker, RULE_TITLE_UNKNOWN,
                         (struct place){.line = 1, .field = header->columns[i].title}, NULL);
        }
    }
    return checker->errors == errors;
}

char csv_header_separator(const char *data, size_t size, char otherwise)
{
    static const char candidates[] = ";,\t|";
    size_t counts[sizeof(candidates)] = {0};
    bool quoted = false;
    for (size_t i = 0; i < size && (quoted || (data[i] != '\n' && data[i] != '\r')); i++) {
        const char *found = data[i] != '\0' ? strchr(candidates, data[i]) : NULL;
        quoted = quoted != (data[i] == '"');
        if (!quoted && found) {
            counts[found - candidates]++;
        }
    }
    char best = otherwise;
    size_t most = 0;
    for (size_t i = 0; candidates[i] != '\0'; i++) {
        if (counts[i] > most) {
            most = counts[i];
            best = candidates[i];
        }
    }
    return best;
}

bool csv_header_needs_quotes(const char *data, size_t size, char separator)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == separator || data[i] == '"' || data[i] == '\n' || data[i] == '\r') {
            return true;
        }
    }
    return false;
}
