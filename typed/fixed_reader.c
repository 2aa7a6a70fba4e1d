/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fixed-width text: a line a record, each field at its characters, blanks behind its value.
 *
 * 1. Widths count characters, not bytes.
 * 2. A line that is longer than the fields is kept: blanks by their number, the rest as it is.
 */
#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/lines.h"
#include "typed/record.h"
#include "typed/source.h"

#include <stdlib.h>
#include <string.h>

struct fixed_reader {
    struct source source;
    struct source_setup setup;
    const struct document *document;
    struct lines lines;
    struct text utf8;
    bool formed;
    Relais__Flows__V1__LineEnd line_end;
    uint32_t width;
    uint64_t records;
    uint32_t blank_lines;
    bool open_line;
};

/* The bytes of the next `characters` characters. */
static size_t bytes_of(const char *text, size_t size, size_t characters)
{
    size_t at = 0;
    while (at < size) {
        bool head = ((unsigned char)text[at] & 0xC0U) != 0x80U;
        if (head && characters-- == 0) {
            break;
        }
        at++;
    }
    return at;
}

static size_t without_blanks(const char *text, size_t size)
{
    while (size > 0 && text[size - 1] == ' ') {
        size--;
    }
    return size;
}

static relais_status give_form(struct fixed_reader *reader, Relais__Flows__V1__LineEnd line_end,
                               uint32_t width)
{
    Relais__Flows__V1__Item *item = item_new_form(reader->setup.format);
    if (!item) {
        return RELAIS_NO_MEMORY;
    }
    reader->formed = true;
    reader->line_end = line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED
                           ? line_end
                           : RELAIS__FLOWS__V1__LINE_END__LINE_END_LF;
    reader->width = width;
    item->form->encoding = (Relais__Flows__V1__Encoding)reader->setup.encoding;
    item->form->byte_order_mark = reader->setup.byte_order_mark;
    item->form->line_end = reader->line_end;
    item->form->line_width = width;
    relais_status status = reader->setup.receive(reader->setup.context, item, false);
    item_free(item);
    return status;
}

/* What follows the fields. */
static bool keep_rest(struct fixed_reader *reader, Relais__Flows__V1__Item *item, const char *rest,
                      size_t size, uint32_t column)
{
    static const struct shape any = {.kind = KIND_LINE};
    struct checker *checker = reader->setup.checker;
    if (size == 0) {
        return true;
    }
    leaf_check(&any, rest, size, checker, (struct place){checker->line, column + 1, NULL});
    return item_keep(item, "", column, rest, size);
}

/* Reads the fields and keeps what follows them. */
static bool read_fields(struct fixed_reader *reader, Relais__Flows__V1__Item *item,
                        ProtobufCMessage *record)
{
    struct checker *checker = reader->setup.checker;
    const char *text = reader->utf8.data;
    size_t size = reader->utf8.size;
    size_t at = 0;
    uint32_t column = 0;
    for (size_t i = 0; i < reader->document->shape_count; i++) {
        const struct shape *shape = &reader->document->shapes[i];
        if (shape->kind == KIND_COVERED) {
            continue;
        }
        size_t bytes = bytes_of(text + at, size - at, shape->width);
        size_t used = without_blanks(text + at, bytes);
        const struct place place = {checker->line, column + 1, shape->name};
        if (used == 0 && shape->required) {
            checker_tell(checker, RULE_REQUIRED, place, NULL);
        }
        if (used > 0 && !leaf_put(record, shape, text + at, used, checker, place)) {
            return false;
        }
        at += bytes;
        column += shape->width;
    }
    return keep_rest(reader, item, text + at, without_blanks(text + at, size - at), column);
}

static bool note_spelling(struct fixed_reader *reader, Relais__Flows__V1__Item *item,
                          Relais__Flows__V1__LineEnd line_end, uint32_t width)
{
    bool other_end = line_end != reader->line_end &&
                     line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    if (!other_end && width == reader->width) {
        return true;
    }
    Relais__Flows__V1__Spelling *spelling = item_spelling(item);
    if (!spelling) {
        return false;
    }
    if (other_end) {
        spelling->line_end = line_end;
    }
    spelling->line_width = width;
    return true;
}

static relais_status give_record(struct fixed_reader *reader, Relais__Flows__V1__LineEnd line_end,
                                 uint64_t errors)
{
    struct checker *checker = reader->setup.checker;
    ProtobufCMessage *record = NULL;
    Relais__Flows__V1__Item *item = item_new(reader->document, &record);
    uint32_t width = (uint32_t)text_characters(reader->utf8.data, reader->utf8.size);
    if (!item || !read_fields(reader, item, record) ||
        !note_spelling(reader, item, line_end, width)) {
        item_free(item);
        return RELAIS_NO_MEMORY;
    }
    if (reader->document->check) {
        reader->document->check(record, checker);
    }
    relais_status status =
        reader->setup.receive(reader->setup.context, item, checker->errors != errors);
    item_free(item);
    return status;
}

/* A blank line that could not be made again. */
static relais_status stop_at_blank(struct fixed_reader *reader)
{
    checker_tell(reader->setup.checker, RULE_BLANK_LINE, (struct place){.line = reader->lines.line},
                 NULL);
    return RELAIS_FIELD_INVALID;
}

static relais_status read_line(void *context, const char *data, size_t size,
                               Relais__Flows__V1__LineEnd line_end)
{
    struct fixed_reader *reader = context;
    struct checker *checker = reader->setup.checker;
    if (size == 0) {
        reader->blank_lines++;
        return line_end == reader->line_end || !reader->formed ? RELAIS_OK : stop_at_blank(reader);
    }
    uint64_t errors = checker->errors;
    checker->record = ++reader->records;
    checker->line = reader->lines.line;
    if (reader->blank_lines > 0) {
        checker_tell(checker, RULE_BLANK_LINE, (struct place){.line = checker->line - 1}, NULL);
        reader->blank_lines = 0;
    }
    reader->open_line = line_end == RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    text_clear(&reader->utf8);
    size_t bad = 0;
    if (!encoding_decode(reader->setup.encoding, data, size, &reader->utf8, &bad)) {
        size_t column = reader->setup.encoding == ENCODING_UTF_8 ? text_characters(data, bad) : bad;
        checker_tell(checker, RULE_ENCODING, (struct place){checker->line, column + 1, NULL},
                     ENCODING_NAMES);
        return reader->setup.receive(reader->setup.context, NULL, true);
    }
    if (!text_fine(&reader->utf8)) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = RELAIS_OK;
    if (!reader->formed) {
        status = give_form(reader, line_end,
                           (uint32_t)text_characters(reader->utf8.data, reader->utf8.size));
    }
    return status == RELAIS_OK ? give_record(reader, line_end, errors) : status;
}

/* What lines.c says of a line that is too long is told here. */
static relais_status told(struct fixed_reader *reader, relais_status status)
{
    if (status != RELAIS_TOO_LARGE) {
        return status;
    }
    checker_tell_number(reader->setup.checker, RULE_LINE_LONG,
                        (struct place){.line = reader->lines.line}, FIXED_LINE_BYTES);
    return RELAIS_FIELD_INVALID;
}

static relais_status feed(struct source *source, const char *data, size_t size)
{
    struct fixed_reader *reader = (struct fixed_reader *)source;
    return told(reader, lines_feed(&reader->lines, data, size));
}

static relais_status end(struct source *source)
{
    struct fixed_reader *reader = (struct fixed_reader *)source;
    relais_status status = told(reader, lines_end(&reader->lines));
    if (status != RELAIS_OK) {
        return status;
    }
    reader->setup.checker->record = 0;
    if (reader->blank_lines > BLANK_LINES_MAX) {
        return stop_at_blank(reader);
    }
    if (reader->records == 0) {
        checker_tell(reader->setup.checker, RULE_EMPTY, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    Relais__Flows__V1__Item *item = item_new_end(reader->records);
    if (!item) {
        return RELAIS_NO_MEMORY;
    }
    item->end->open_line = reader->open_line;
    item->end->blank_lines = reader->blank_lines;
    status = reader->setup.receive(reader->setup.context, item, false);
    item_free(item);
    return status;
}

static void free_reader(struct source *source)
{
    struct fixed_reader *reader = (struct fixed_reader *)source;
    lines_fini(&reader->lines);
    text_fini(&reader->utf8);
    free(reader);
}

struct source *fixed_reader_new(const struct source_setup *setup)
{
    enum { UTF_8_LONGEST = 4 };
    struct fixed_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return NULL;
    }
    reader->source = (struct source){.feed = feed, .end = end, .free = free_reader};
    reader->setup = *setup;
    reader->document = &setup->format->documents[0];
    lines_init(&reader->lines, FIXED_LINE_BYTES, read_line, reader);
    text_init(&reader->utf8, (size_t)FIXED_LINE_BYTES * UTF_8_LONGEST);
    return &reader->source;
}
