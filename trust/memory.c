/* SPDX-License-Identifier: EUPL-1.2
 *
 * See memory.h.
 */
#include "trust/memory.h"

#include "trust/lines.h"
#include "wire/name.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_BYTES = 2 * MEMORY_DIGEST_BYTES };

static const char FIRST_LINE[] = "relais memory 1";

static const char *const kind_names[] = {"entry", "mailboxes"};

void memory_init(struct memory *memory)
{
    *memory = (struct memory){0};
}

void memory_fini(struct memory *memory)
{
    free(memory->rows);
    memory_init(memory);
}

struct memory_row memory_row_of(enum memory_kind kind, const char *member, int64_t sequence,
                                struct bytes text)
{
    struct memory_row row = {.kind = kind, .sequence = sequence};
    const size_t size = strlen(member);

    memcpy(row.member, member, size < SIGNING_NAME_BYTES ? size : SIGNING_NAME_BYTES);
    (void)crypto_hash_sha256(row.digest, text.data, text.size);
    return row;
}

static int order(const struct memory_row *left, const struct memory_row *right)
{
    return left->kind != right->kind ? (int)left->kind - (int)right->kind
                                     : strcmp(left->member, right->member);
}

/* The first row that is not before this one. */
static size_t place_of(const struct memory *memory, const struct memory_row *row)
{
    size_t low = 0;
    size_t high = memory->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (order(&memory->rows[middle], row) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct memory *memory, size_t at, const struct memory_row *row)
{
    return at < memory->count && order(&memory->rows[at], row) == 0;
}

enum trust_status memory_check(const struct memory *memory, const struct memory_row *row)
{
    const size_t at = place_of(memory, row);

    if (!is_at(memory, at, row) || memory->rows[at].sequence < row->sequence) {
        return TRUST_OK;
    }
    if (memory->rows[at].sequence > row->sequence) {
        return TRUST_OLDER;
    }
    return memcmp(memory->rows[at].digest, row->digest, MEMORY_DIGEST_BYTES) == 0 ? TRUST_OK
                                                                                  : TRUST_FORKED;
}

static enum trust_status make_room(struct memory *memory)
{
    struct memory_row *rows = NULL;
    size_t capacity = memory->capacity > 0 ? 2 * memory->capacity : 64;

    if (memory->count < memory->capacity) {
        return TRUST_OK;
    }
    if (memory->count == MEMORY_ROWS) {
        return TRUST_TOO_LONG;
    }
    capacity = capacity > MEMORY_ROWS ? MEMORY_ROWS : capacity;
    rows = realloc(memory->rows, capacity * sizeof *rows);
    if (rows == NULL) {
        return TRUST_NO_MEMORY;
    }
    memory->rows = rows;
    memory->capacity = capacity;
    return TRUST_OK;
}

enum trust_status memory_note(struct memory *memory, const struct memory_row *row, bool *out_new)
{
    enum trust_status status = memory_check(memory, row);
    const size_t at = place_of(memory, row);
    bool is_new = false;

    if (status != TRUST_OK) {
        return status;
    }
    if (is_at(memory, at, row)) {
        is_new = memory->rows[at].sequence < row->sequence;
    } else {
        status = make_room(memory);
        if (status != TRUST_OK) {
            return status;
        }
        memmove(memory->rows + at + 1, memory->rows + at,
                (memory->count - at) * sizeof *memory->rows);
        memory->count++;
        is_new = true;
    }
    memory->rows[at] = *row;
    if (out_new != NULL) {
        *out_new = is_new;
    }
    return TRUST_OK;
}

/* Lower-case digits alone: what is read is written as the same bytes again. */
static bool is_hex(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (strchr("0123456789abcdef", text.data[i]) == NULL || text.data[i] == '\0') {
            return false;
        }
    }
    return text.size == HEX_BYTES;
}

/* One line behind the first, without its end, of kind "entry" or "mailboxes". */
static bool read_row(struct bytes line, struct memory_row *out_row)
{
    struct bytes word;
    size_t size = 0;

    *out_row = (struct memory_row){0};
    if (!lines_word(&line, &word)) {
        return false;
    }
    if (word.size == strlen(kind_names[MEMORY_MAILBOXES]) &&
        memcmp(word.data, kind_names[MEMORY_MAILBOXES], word.size) == 0) {
        out_row->kind = MEMORY_MAILBOXES;
    } else if (word.size != strlen(kind_names[MEMORY_ENTRY]) ||
               memcmp(word.data, kind_names[MEMORY_ENTRY], word.size) != 0) {
        return false;
    }
    return lines_word(&line, &word) && lines_copy(word, out_row->member, sizeof out_row->member) &&
           name_is_slug(out_row->member) && lines_word(&line, &word) &&
           lines_parse_number(word, &out_row->sequence) && out_row->sequence > 0 && is_hex(line) &&
           sodium_hex2bin(out_row->digest, sizeof out_row->digest, (const char *)line.data,
                          line.size, NULL, &size, NULL) == 0 &&
           size == sizeof out_row->digest;
}

static bool is_end(struct bytes line, size_t count)
{
    struct bytes word;
    int64_t told = 0;

    return lines_word(&line, &word) && word.size == 3 && memcmp(word.data, "end", 3) == 0 &&
           lines_parse_number(line, &told) && (uint64_t)told == count;
}

enum trust_status memory_decode(struct bytes bytes, struct memory *memory)
{
    struct bytes rest = bytes;

    if (!lines_begin(&rest, FIRST_LINE)) {
        return TRUST_BAD_LINE;
    }
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        struct bytes line = rest;
        struct memory_row row;
        enum trust_status status = TRUST_OK;

        if (end == NULL) {
            return TRUST_BAD_LINE;
        }
        line.size = (size_t)(end - rest.data);
        rest = (struct bytes){end + 1, rest.size - line.size - 1};
        if (is_end(line, memory->count)) {
            return rest.size == 0 ? TRUST_OK : TRUST_BAD_LINE;
        }
        if (!read_row(line, &row) ||
            (memory->count > 0 && order(&memory->rows[memory->count - 1], &row) >= 0)) {
            return TRUST_BAD_LINE;
        }
        status = make_room(memory);
        if (status != TRUST_OK) {
            return status;
        }
        memory->rows[memory->count++] = row;
    }
    return TRUST_BAD_LINE;
}

enum trust_status memory_encode(const struct memory *memory, char **out_bytes, size_t *out_size)
{
    struct lines lines = {.size = (memory->count + 2) * MEMORY_ROW_BYTES};

    lines.data = malloc(lines.size);
    if (lines.data == NULL) {
        return TRUST_NO_MEMORY;
    }
    lines_put(&lines, "%s\n", FIRST_LINE);
    for (size_t i = 0; i < memory->count; i++) {
        const struct memory_row *row = &memory->rows[i];
        char hex[HEX_BYTES + 1];

        (void)sodium_bin2hex(hex, sizeof hex, row->digest, sizeof row->digest);
        lines_put(&lines, "%s %s %" PRId64 " %s\n", kind_names[row->kind], row->member,
                  row->sequence, hex);
    }
    lines_put(&lines, "end %zu\n", memory->count);
    *out_bytes = lines.data;
    *out_size = lines.used;
    return TRUST_OK;
}
