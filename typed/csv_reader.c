/* SPDX-License-Identifier: EUPL-1.2
 *
 * CSV: titles in the first row, a record in each other row.
 *
 * 1. Columns that the flow does not know are kept with their place, whatever is in them.
 * 2. The form says which columns the first record has in quotes; a record that differs says so
 * itself.
 */
#include "typed/csv_header.h"
#include "typed/csv_rows.h"
#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/record.h"
#include "typed/source.h"

#include <stdlib.h>
#include <string.h>

enum { BITS_BYTES = CSV_CELLS_MAX / 8 };

struct csv_reader {
    struct source source;
    struct source_setup setup;
    const struct document *document;
    struct csv_rows rows;
    struct csv_header header;
    uint8_t quoted_titles[BITS_BYTES];
    uint8_t quoted_columns[BITS_BYTES];
    struct text utf8;
    bool titled;
    bool formed;
    Relais__Flows__V1__LineEnd line_end;
    uint64_t records;
    uint32_t blank_lines;
    uint64_t blank_line; /* the first of them */
    bool open_line;
};

static size_t bits_bytes(size_t count)
{
    return (count + 7) / 8;
}

static void set_bit(uint8_t *bits, size_t index)
{
    bits[index / 8] = (uint8_t)(bits[index / 8] | 1U << (index % 8));
}

/* A cell as UTF-8 in reader->utf8; tells of bytes that are not of the encoding. */
static bool decode(struct csv_reader *reader, const struct csv_rows *rows, size_t index,
                   const char *field)
{
    const struct csv_cell *cell = &rows->cells[index];
    const char *bytes = csv_rows_cell(rows, index);
    size_t bad = 0;
    text_clear(&reader->utf8);
    if (encoding_decode(reader->setup.encoding, bytes, cell->size, &reader->utf8, &bad)) {
        return true;
    }
    size_t characters = rows->utf8 ? text_characters(bytes, bad) : bad;
    checker_tell(reader->setup.checker, RULE_ENCODING,
                 (struct place){cell->line, cell->column + cell->quoted + characters, field},
                 ENCODING_NAMES);
    return false;
}

static relais_status tell_wrong(struct csv_reader *reader, const struct csv_rows *rows)
{
    checker_tell(reader->setup.checker, rows->wrong,
                 (struct place){rows->wrong_line, rows->wrong_column, NULL}, NULL);
    return RELAIS_FIELD_INVALID;
}

/* The title in reader->utf8, perhaps known by another. */
static bool add_title(struct csv_reader *reader)
{
    const struct text *title = &reader->utf8;
    const char *known_as = csv_header_known_as(reader->setup.renames, reader->setup.rename_count,
                                               title->data, title->size);
    return csv_header_add(&reader->header, reader->document, title->data, title->size, known_as);
}

/* Tells of each title that was to be known by another, and is not there. */
static bool check_renames(struct csv_reader *reader)
{
    uint64_t errors = reader->setup.checker->errors;
    for (size_t i = 0; i < reader->setup.rename_count; i++) {
        const char *rename = reader->setup.renames[i];
        bool found = false;
        for (size_t k = 0; !found && k < reader->header.count; k++) {
            const char *title = reader->header.columns[k].title;
            found = *csv_header_known_as(&rename, 1, title, strlen(title)) != '\0';
        }
        if (!found) {
            checker_tell(reader->setup.checker, RULE_TITLE_MISSING,
                         (struct place){.line = 1, .field = rename}, NULL);
        }
    }
    return reader->setup.checker->errors == errors;
}

static relais_status read_titles(struct csv_reader *reader, const struct csv_rows *rows,
                                 Relais__Flows__V1__LineEnd line_end)
{
    if (rows->wrong != RULE_NONE) {
        return tell_wrong(reader, rows);
    }
    for (size_t i = 0; i < rows->cell_count; i++) {
        if (!decode(reader, rows, i, NULL)) {
            return RELAIS_FIELD_INVALID;
        }
        if (memchr(reader->utf8.data, '\0', reader->utf8.size)) {
            checker_tell(reader->setup.checker, RULE_CONTROL,
                         (struct place){rows->cells[i].line, rows->cells[i].column, NULL}, NULL);
            return RELAIS_FIELD_INVALID;
        }
        if (!text_fine(&reader->utf8) || !add_title(reader)) {
            return RELAIS_NO_MEMORY;
        }
        if (rows->cells[i].quoted) {
            set_bit(reader->quoted_titles, i);
        }
    }
    reader->titled = true;
    reader->line_end = line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED
                           ? line_end
                           : RELAIS__FLOWS__V1__LINE_END__LINE_END_LF;
    bool fine = csv_header_check(&reader->header, reader->document, reader->setup.checker);
    return check_renames(reader) && fine ? RELAIS_OK : RELAIS_FIELD_INVALID;
}

static relais_status give(struct csv_reader *reader, Relais__Flows__V1__Item *item, bool refused)
{
    relais_status status = reader->setup.receive(reader->setup.context, item, refused);
    item_free(item);
    return status;
}

static bool fill_form(struct csv_reader *reader, ProtobufCMessage *form)
{
    const char separator[] = {reader->rows.separator, '\0'};
    size_t bytes = bits_bytes(reader->header.count);
    for (size_t i = 0; i < reader->header.count; i++) {
        const struct csv_column *column = &reader->header.columns[i];
        const char *known_as = column->renamed && column->shape ? column->shape->name : "";
        if (!record_put_string(form, record_field(form, "columns"), column->title,
                               strlen(column->title)) ||
            (reader->setup.rename_count > 0 &&
             !record_put_string(form, record_field(form, "known_as"), known_as,
                                strlen(known_as)))) {
            return false;
        }
    }
    return record_put_string(form, record_field(form, "separator"), separator, 1) &&
           record_put_bytes(form, record_field(form, "quoted_titles"), reader->quoted_titles,
                            bytes) &&
           record_put_bytes(form, record_field(form, "quoted_columns"), reader->quoted_columns,
                            bytes);
}

static relais_status give_form(struct csv_reader *reader)
{
    Relais__Flows__V1__Item *item = item_new_form(reader->setup.format);
    if (!item || !fill_form(reader, (ProtobufCMessage *)item->form)) {
        item_free(item);
        return RELAIS_NO_MEMORY;
    }
    reader->formed = true;
    item->form->encoding = (Relais__Flows__V1__Encoding)reader->setup.encoding;
    item->form->byte_order_mark = reader->setup.byte_order_mark;
    item->form->line_end = reader->line_end;
    return give(reader, item, false);
}

/* What the form lets expect of this cell. */
static bool expects_quotes(const struct csv_reader *reader, const struct csv_rows *rows,
                           size_t index)
{
    size_t size = rows->cells[index].size;
    bool column =
        ((unsigned)reader->quoted_columns[index / 8] >> (index % 8) & 1U) != 0 && size > 0;
    return column ||
           csv_header_needs_quotes(csv_rows_cell(rows, index), size, reader->rows.separator);
}

static bool note_spelling(struct csv_reader *reader, const struct csv_rows *rows,
                          Relais__Flows__V1__Item *item, Relais__Flows__V1__LineEnd line_end)
{
    uint8_t quoted[BITS_BYTES] = {0};
    bool differs = false;
    for (size_t i = 0; i < rows->cell_count; i++) {
        if (rows->cells[i].quoted) {
            set_bit(quoted, i);
        }
        differs = differs || rows->cells[i].quoted != expects_quotes(reader, rows, i);
    }
    bool other_end = line_end != reader->line_end &&
                     line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    if (!differs && !other_end) {
        return true;
    }
    Relais__Flows__V1__Spelling *spelling = item_spelling(item);
    if (!spelling) {
        return false;
    }
    if (other_end) {
        spelling->line_end = line_end;
    }
    ProtobufCMessage *message = (ProtobufCMessage *)spelling;
    spelling->has_quoted = differs;
    return !differs || record_put_bytes(message, record_field(message, "quoted"), quoted,
                                        bits_bytes(rows->cell_count));
}

/* A cell of a column that the flow does not know. */
static bool keep_cell(struct csv_reader *reader, Relais__Flows__V1__Item *item, size_t index,
                      struct place place)
{
    static const struct shape any = {.kind = KIND_TEXT};
    struct checker *checker = reader->setup.checker;
    leaf_check(&any, reader->utf8.data, reader->utf8.size, checker, place);
    return item_keep(item, reader->header.columns[index].title, (uint32_t)index, reader->utf8.data,
                     reader->utf8.size);
}

static bool read_cell(struct csv_reader *reader, const struct csv_rows *rows, size_t index,
                      Relais__Flows__V1__Item *item, ProtobufCMessage *record)
{
    struct checker *checker = reader->setup.checker;
    const struct csv_column *column = &reader->header.columns[index];
    const struct csv_cell *cell = &rows->cells[index];
    const struct place place = {cell->line, cell->column + cell->quoted, column->title};
    if (!decode(reader, rows, index, column->title)) {
        return true;
    }
    const struct text *utf8 = &reader->utf8;
    if (!text_fine(utf8)) {
        return false;
    }
    if (utf8->size == 0) {
        if (column->shape && column->shape->required) {
            checker_tell(checker, RULE_REQUIRED, place, NULL);
        }
        return true;
    }
    bool free_text =
        !column->shape || column->shape->kind == KIND_TEXT || column->shape->kind == KIND_LINE;
    if (free_text && kind_looks_like_formula(utf8->data, utf8->size)) {
        checker_tell(checker, RULE_FORMULA, place, NULL);
    }
    return column->shape ? leaf_put(record, column->shape, utf8->data, utf8->size, checker, place)
                         : keep_cell(reader, item, index, place);
}

static relais_status read_record(struct csv_reader *reader, const struct csv_rows *rows,
                                 Relais__Flows__V1__LineEnd line_end, uint64_t errors)
{
    ProtobufCMessage *record = NULL;
    Relais__Flows__V1__Item *item = item_new(reader->document, &record);
    bool fine = item && note_spelling(reader, rows, item, line_end);
    for (size_t i = 0; fine && i < rows->cell_count; i++) {
        fine = read_cell(reader, rows, i, item, record);
    }
    if (!fine) {
        item_free(item);
        return RELAIS_NO_MEMORY;
    }
    if (reader->document->check) {
        reader->document->check(record, reader->setup.checker);
    }
    return give(reader, item, reader->setup.checker->errors != errors);
}

/* True when the row is one of the blank lines that may stand at the end. */
static bool is_blank(struct csv_reader *reader, const struct csv_rows *rows)
{
    if (rows->wrong != RULE_NONE || rows->cell_count != 1 || rows->cells[0].size > 0 ||
        rows->cells[0].quoted || reader->header.count == 1) {
        return false;
    }
    if (reader->blank_lines++ == 0) {
        reader->blank_line = rows->row_line;
    }
    return true;
}

static relais_status read_row(void *context, const struct csv_rows *rows,
                              Relais__Flows__V1__LineEnd line_end)
{
    struct csv_reader *reader = context;
    struct checker *checker = reader->setup.checker;
    reader->open_line = line_end == RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    checker->line = rows->row_line;
    if (!reader->titled) {
        return read_titles(reader, rows, line_end);
    }
    if (is_blank(reader, rows)) {
        if (line_end == reader->line_end) {
            return RELAIS_OK;
        }
        /* One that could not be made again. */
        checker_tell(checker, RULE_BLANK_LINE, (struct place){.line = rows->row_line}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    uint64_t errors = checker->errors;
    checker->record = ++reader->records;
    if (reader->blank_lines > 0) {
        checker_tell(checker, RULE_BLANK_LINE, (struct place){.line = reader->blank_line}, NULL);
        reader->blank_lines = 0;
    }
    if (rows->wrong != RULE_NONE) {
        tell_wrong(reader, rows);
        return reader->setup.receive(reader->setup.context, NULL, true);
    }
    if (rows->cell_count != reader->header.count) {
        checker_tell_number(checker, RULE_CELLS, (struct place){.line = rows->row_line},
                            reader->header.count);
        return reader->setup.receive(reader->setup.context, NULL, true);
    }
    relais_status status = RELAIS_OK;
    if (!reader->formed) {
        for (size_t i = 0; i < rows->cell_count; i++) {
            if (rows->cells[i].quoted) {
                set_bit(reader->quoted_columns, i);
            }
        }
        status = give_form(reader);
    }
    return status == RELAIS_OK ? read_record(reader, rows, line_end, errors) : status;
}

static relais_status feed(struct source *source, const char *data, size_t size)
{
    struct csv_reader *reader = (struct csv_reader *)source;
    return csv_rows_feed(&reader->rows, data, size);
}

static relais_status end(struct source *source)
{
    struct csv_reader *reader = (struct csv_reader *)source;
    struct checker *checker = reader->setup.checker;
    relais_status status = csv_rows_end(&reader->rows);
    if (status == RELAIS_FIELD_INVALID && reader->rows.state == CSV_QUOTED) {
        checker_tell(checker, RULE_QUOTE_OPEN,
                     (struct place){reader->rows.wrong_line, reader->rows.wrong_column, NULL},
                     NULL);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    checker->record = 0;
    if (!reader->titled || reader->blank_lines > BLANK_LINES_MAX) {
        checker_tell(checker, reader->titled ? RULE_BLANK_LINE : RULE_EMPTY,
                     (struct place){.line = reader->blank_line}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    if (!reader->formed && (status = give_form(reader)) != RELAIS_OK) {
        return status;
    }
    Relais__Flows__V1__Item *item = item_new_end(reader->records);
    if (!item) {
        return RELAIS_NO_MEMORY;
    }
    item->end->open_line = reader->open_line;
    item->end->blank_lines = reader->blank_lines;
    return give(reader, item, false);
}

static void free_reader(struct source *source)
{
    struct csv_reader *reader = (struct csv_reader *)source;
    csv_rows_fini(&reader->rows);
    csv_header_fini(&reader->header);
    text_fini(&reader->utf8);
    free(reader);
}

struct source *csv_reader_new(const struct source_setup *setup)
{
    enum { UTF_8_LONGEST = 4 };
    struct csv_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return NULL;
    }
    reader->source = (struct source){.feed = feed, .end = end, .free = free_reader};
    reader->setup = *setup;
    reader->document = &setup->format->documents[0];
    csv_rows_init(&reader->rows, setup->separator, setup->encoding == ENCODING_UTF_8, read_row,
                  reader);
    text_init(&reader->utf8, (size_t)CSV_ROW_BYTES * UTF_8_LONGEST);
    return &reader->source;
}
