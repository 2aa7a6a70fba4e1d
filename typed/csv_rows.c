/* SPDX-License-Identifier: EUPL-1.2
 *
 * The state machine of CSV.
 *
 *   CELL_START  quote -> QUOTED; else -> PLAIN                    begin_cell()
 *   PLAIN       separator -> CELL_START; line end -> row          in_plain()
 *   QUOTED      quote -> QUOTE; anything else stays               in_quoted()
 *   QUOTE       quote -> QUOTED; separator or line end as PLAIN   after_quote()
 *   AFTER_CR    the row ends as CRLF or CR                        end_cr()
 */
#include "typed/csv_rows.h"

#include <string.h>

void csv_rows_init(struct csv_rows *rows, char separator, bool utf8, row_receiver *receive,
                   void *context)
{
    memset(rows, 0, sizeof(*rows));
    rows->separator = separator;
    rows->utf8 = utf8;
    rows->receive = receive;
    rows->context = context;
    rows->line = 1;
    rows->column = 1;
    rows->row_line = 1;
    text_init(&rows->bytes, CSV_ROW_BYTES);
}

void csv_rows_fini(struct csv_rows *rows)
{
    text_fini(&rows->bytes);
}

const char *csv_rows_cell(const struct csv_rows *rows, size_t index)
{
    return rows->bytes.data + rows->cells[index].offset;
}

static void spoil(struct csv_rows *rows, enum rule rule)
{
    if (rows->wrong == RULE_NONE) {
        rows->wrong = rule;
        rows->wrong_line = rows->line;
        rows->wrong_column = rows->column;
    }
    text_clear(&rows->bytes);
    rows->cell_count = 0;
}

/* Adds bytes to the cell, and moves the place. */
static relais_status take(struct csv_rows *rows, const char *data, size_t size)
{
    if (rows->wrong == RULE_NONE) {
        text_append(&rows->bytes, data, size);
        if (rows->bytes.state == TEXT_NO_MEMORY) {
            return RELAIS_NO_MEMORY;
        }
        if (rows->bytes.state == TEXT_TOO_LONG) {
            spoil(rows, RULE_ROW_LONG);
        }
    }
    rows->column += rows->utf8 ? text_characters(data, size) : size;
    return RELAIS_OK;
}

static void begin_cell(struct csv_rows *rows, bool quoted)
{
    rows->state = quoted ? CSV_QUOTED : CSV_PLAIN;
    if (rows->cell_count == CSV_CELLS_MAX) {
        spoil(rows, RULE_ROW_LONG);
    }
    if (rows->wrong != RULE_NONE) {
        return;
    }
    rows->cells[rows->cell_count++] = (struct csv_cell){
        .offset = rows->bytes.size, .line = rows->line, .column = rows->column, .quoted = quoted};
}

static void end_cell(struct csv_rows *rows)
{
    if (rows->state == CSV_CELL_START) {
        begin_cell(rows, false);
    }
    rows->state = CSV_CELL_START;
    if (rows->wrong == RULE_NONE) {
        struct csv_cell *cell = &rows->cells[rows->cell_count - 1];
        cell->size = rows->bytes.size - cell->offset;
        if (cell->size > VALUE_BYTES) {
            spoil(rows, RULE_ROW_LONG);
        }
    }
}

static relais_status end_row(struct csv_rows *rows, Relais__Flows__V1__LineEnd line_end)
{
    relais_status status = rows->receive(rows->context, rows, line_end);
    text_clear(&rows->bytes);
    rows->cell_count = 0;
    rows->wrong = RULE_NONE;
    rows->state = CSV_CELL_START;
    rows->line++;
    rows->column = 1;
    rows->row_line = rows->line;
    return status;
}

/* A separator or a line end behind a cell; false: it is neither. */
static bool end_by(struct csv_rows *rows, char byte, relais_status *out_status)
{
    if (byte == rows->separator) {
        end_cell(rows);
        rows->column++;
    } else if (byte == '\n') {
        end_cell(rows);
        *out_status = end_row(rows, RELAIS__FLOWS__V1__LINE_END__LINE_END_LF);
    } else if (byte == '\r') {
        end_cell(rows);
        rows->state = CSV_AFTER_CR;
    } else {
        return false;
    }
    return true;
}

/* How many bytes from here need no look. */
static size_t plain_run(const struct csv_rows *rows, const char *data, size_t size)
{
    size_t length = 0;
    while (length < size && data[length] != rows->separator && data[length] != '\n' &&
           data[length] != '\r' && data[length] != '"') {
        length++;
    }
    return length;
}

static relais_status in_plain(struct csv_rows *rows, const char *data, size_t size, size_t *at)
{
    relais_status status = RELAIS_OK;
    if (end_by(rows, data[*at], &status)) {
        ++*at;
        return status;
    }
    if (data[*at] == '"') {
        spoil(rows, RULE_QUOTE);
        rows->column++;
        ++*at;
        return RELAIS_OK;
    }
    size_t length = plain_run(rows, data + *at, size - *at);
    status = take(rows, data + *at, length);
    *at += length;
    return status;
}

static relais_status in_quoted(struct csv_rows *rows, const char *data, size_t size, size_t *at)
{
    const char *start = data + *at;
    size_t length = 0;
    while (*at + length < size && start[length] != '"' && start[length] != '\n') {
        length++;
    }
    relais_status status = take(rows, start, length);
    *at += length;
    if (status != RELAIS_OK || *at == size) {
        return status;
    }
    if (data[*at] == '"') {
        rows->state = CSV_QUOTE;
        rows->column++;
    } else {
        status = take(rows, "\n", 1);
        rows->line++;
        rows->column = 1;
    }
    ++*at;
    return status;
}

static relais_status after_quote(struct csv_rows *rows, char byte, size_t *at)
{
    relais_status status = RELAIS_OK;
    if (byte == '"') {
        rows->state = CSV_QUOTED;
        status = take(rows, "\"", 1);
        ++*at;
    } else if (end_by(rows, byte, &status)) {
        ++*at;
    } else {
        spoil(rows, RULE_QUOTE);
        rows->state = CSV_PLAIN;
    }
    return status;
}

relais_status csv_rows_feed(struct csv_rows *rows, const char *data, size_t size)
{
    relais_status status = RELAIS_OK;
    size_t at = 0;
    while (at < size && status == RELAIS_OK) {
        switch (rows->state) {
        case CSV_CELL_START:
            if (data[at] == '"') {
                begin_cell(rows, true);
                rows->column++;
                at++;
            } else if (end_by(rows, data[at], &status)) {
                at++;
            } else {
                begin_cell(rows, false);
            }
            break;
        case CSV_PLAIN:
            status = in_plain(rows, data, size, &at);
            break;
        case CSV_QUOTED:
            status = in_quoted(rows, data, size, &at);
            break;
        case CSV_QUOTE:
            status = after_quote(rows, data[at], &at);
            break;
        case CSV_AFTER_CR: {
            bool both = data[at] == '\n';
            at += both;
            status = end_row(rows, both ? RELAIS__FLOWS__V1__LINE_END__LINE_END_CRLF
                                        : RELAIS__FLOWS__V1__LINE_END__LINE_END_CR);
            break;
        }
        }
    }
    return status;
}

relais_status csv_rows_end(struct csv_rows *rows)
{
    if (rows->state == CSV_AFTER_CR) {
        return end_row(rows, RELAIS__FLOWS__V1__LINE_END__LINE_END_CR);
    }
    if (rows->state == CSV_QUOTED) {
        const struct csv_cell *cell = &rows->cells[rows->cell_count > 0 ? rows->cell_count - 1 : 0];
        if (rows->wrong == RULE_NONE) {
            rows->wrong_line = cell->line;
            rows->wrong_column = cell->column;
        }
        return RELAIS_FIELD_INVALID;
    }
    if (rows->state == CSV_CELL_START && rows->cell_count == 0 && rows->wrong == RULE_NONE) {
        return RELAIS_OK;
    }
    end_cell(rows);
    return end_row(rows, RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED);
}
