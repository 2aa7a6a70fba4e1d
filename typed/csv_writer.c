/* SPDX-License-Identifier: EUPL-1.2
 *
 * CSV, written: see csv_reader.c.
 */
#include "typed/csv_header.h"
#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/target.h"

#include <stdlib.h>
#include <string.h>

struct csv_writer {
    struct target target;
    struct target_setup setup;
    const struct document *document;
    struct csv_header header;
    enum encoding encoding;
    bool same_form;
    bool byte_order_mark;
    bool titled;
    char separator;
    const char *line_end;
    const char *owed; /* the line end of the last row, which an end may take back */
    ProtobufCBinaryData quoted_titles; /* both owned */
    ProtobufCBinaryData quoted_columns;
    const char
        *kept[CSV_CELLS_MAX]; /* of the record: values of columns that the flow does not know */
    struct text value;
    struct text cell; /* a value in the target's encoding */
    struct text row;
};

static bool copy_bits(const ProtobufCBinaryData *from, ProtobufCBinaryData *to)
{
    free(to->data);
    *to = (ProtobufCBinaryData){0};
    if (from->len == 0) {
        return true;
    }
    to->data = malloc(from->len);
    if (!to->data) {
        return false;
    }
    memcpy(to->data, from->data, from->len);
    to->len = from->len;
    return true;
}

static relais_status take_form(struct csv_writer *writer, const Relais__Flows__V1__Form *form)
{
    writer->same_form = strcmp(form->format, writer->setup.format->name) == 0;
    if (!writer->same_form) {
        return RELAIS_OK;
    }
    if (writer->setup.encoding == ENCODING_UNKNOWN) {
        writer->encoding = item_encoding(form, writer->encoding);
    }
    writer->byte_order_mark = form->byte_order_mark && writer->encoding == ENCODING_UTF_8;
    writer->line_end = item_line_end(form->line_end);
    if (form->separator[0] != '\0' && strchr(";,\t|", form->separator[0])) {
        writer->separator = form->separator[0];
    }
    if (form->n_columns > CSV_CELLS_MAX) {
        checker_tell(writer->setup.checker, RULE_ROW_LONG, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    csv_header_fini(&writer->header);
    for (size_t i = 0; i < form->n_columns; i++) {
        const char *known_as = i < form->n_known_as ? form->known_as[i] : "";
        if (!csv_header_add(&writer->header, writer->document, form->columns[i],
                            strlen(form->columns[i]), known_as)) {
            return RELAIS_NO_MEMORY;
        }
    }
    if (!copy_bits(&form->quoted_titles, &writer->quoted_titles) ||
        !copy_bits(&form->quoted_columns, &writer->quoted_columns)) {
        return RELAIS_NO_MEMORY;
    }
    return csv_header_check(&writer->header, writer->document, writer->setup.checker)
               ? RELAIS_OK
               : RELAIS_FIELD_INVALID;
}

static void put_cell(struct csv_writer *writer, size_t index, bool quoted, struct place place)
{
    size_t bad = 0;
    text_clear(&writer->cell);
    if (!encoding_encode(writer->encoding, writer->value.data, writer->value.size, &writer->cell,
                         &bad)) {
        checker_tell(writer->setup.checker, RULE_UNENCODABLE, place,
                     encoding_name(writer->encoding));
        return;
    }
    text_take_failure(&writer->row, &writer->value);
    text_take_failure(&writer->row, &writer->cell);
    if (index > 0) {
        text_char(&writer->row, writer->separator);
    }
    const char *data = writer->cell.data;
    size_t size = writer->cell.size;
    if (!quoted && !csv_header_needs_quotes(data, size, writer->separator)) {
        text_append(&writer->row, data, size);
        return;
    }
    text_char(&writer->row, '"');
    for (size_t at = 0; at < size;) {
        const char *quote = memchr(data + at, '"', size - at);
        size_t length = quote ? (size_t)(quote - data) + 1 - at : size - at;
        text_append(&writer->row, data + at, length);
        if (quote) {
            text_char(&writer->row, '"');
        }
        at += length;
    }
    text_char(&writer->row, '"');
}

static relais_status write_text(struct csv_writer *writer, const char *text)
{
    return writer->setup.write(writer->setup.context, text, strlen(text));
}

static relais_status flush_line_end(struct csv_writer *writer)
{
    const char *owed = writer->owed;
    writer->owed = NULL;
    return owed ? write_text(writer, owed) : RELAIS_OK;
}

/* Writes the row; its line end is owed. */
static relais_status write_row(struct csv_writer *writer, const char *line_end)
{
    if (!text_fine(&writer->row) || !text_fine(&writer->value) || !text_fine(&writer->cell)) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = flush_line_end(writer);
    if (status == RELAIS_OK) {
        status = writer->setup.write(writer->setup.context, writer->row.data, writer->row.size);
    }
    writer->owed = line_end;
    return status;
}

static relais_status write_titles(struct csv_writer *writer)
{
    struct checker *checker = writer->setup.checker;
    uint64_t errors = checker->errors;
    if (writer->titled) {
        return RELAIS_OK;
    }
    if (writer->header.count == 0 && !csv_header_add_all(&writer->header, writer->document)) {
        return RELAIS_NO_MEMORY;
    }
    writer->titled = true;
    text_clear(&writer->row);
    for (size_t i = 0; i < writer->header.count; i++) {
        const char *title = writer->header.columns[i].title;
        text_clear(&writer->value);
        text_string(&writer->value, title);
        put_cell(writer, i, item_bit(&writer->quoted_titles, i),
                 (struct place){.line = 1, .column = i + 1, .field = title});
    }
    if (checker->errors != errors) {
        return RELAIS_FIELD_INVALID;
    }
    relais_status status = RELAIS_OK;
    if (writer->byte_order_mark) {
        status = write_text(writer, "\xEF\xBB\xBF");
    }
    return status == RELAIS_OK ? write_row(writer, writer->line_end) : status;
}

/* Puts each value that is kept to its column; what has no column of its own, of that name, is
 * refused. */
static void place_kept(struct csv_writer *writer, const Relais__Flows__V1__Item *item)
{
    const struct csv_header *header = &writer->header;
    memset(writer->kept, 0, sizeof(writer->kept));
    for (size_t i = 0; i < item->n_kept; i++) {
        const Relais__Flows__V1__Kept *kept = item->kept[i];
        bool fits = writer->same_form && kept->position < header->count &&
                    !header->columns[kept->position].shape &&
                    strcmp(header->columns[kept->position].title, kept->name) == 0 &&
                    !writer->kept[kept->position];
        if (!fits) {
            checker_tell(writer->setup.checker, RULE_NO_PLACE,
                         (struct place){.line = writer->setup.checker->line, .field = kept->name},
                         NULL);
        } else {
            writer->kept[kept->position] = kept->value;
        }
    }
}

/* A value whose column this file does not have would be lost. */
static void check_columns(struct csv_writer *writer, const ProtobufCMessage *record)
{
    for (size_t i = 0; i < writer->document->shape_count; i++) {
        const struct shape *shape = &writer->document->shapes[i];
        bool there = !shape->name || leaf_count(record, shape) == 0;
        for (size_t k = 0; !there && k < writer->header.count; k++) {
            there = writer->header.columns[k].shape == shape;
        }
        if (!there) {
            checker_tell(writer->setup.checker, RULE_NO_PLACE,
                         (struct place){.line = writer->setup.checker->line, .field = shape->name},
                         NULL);
        }
    }
}

static void build_row(struct csv_writer *writer, const ProtobufCMessage *record,
                      const Relais__Flows__V1__Item *item)
{
    const Relais__Flows__V1__Spelling *spelling = writer->same_form ? item->spelling : NULL;
    text_clear(&writer->row);
    for (size_t i = 0; i < writer->header.count; i++) {
        const struct csv_column *column = &writer->header.columns[i];
        text_clear(&writer->value);
        if (column->shape) {
            leaf_print(record, column->shape, 0, &writer->value);
        } else {
            text_string(&writer->value, writer->kept[i] ? writer->kept[i] : "");
        }
        bool quoted = spelling && spelling->has_quoted
                          ? item_bit(&spelling->quoted, i)
                          : item_bit(&writer->quoted_columns, i) && writer->value.size > 0;
        put_cell(writer, i, quoted,
                 (struct place){writer->setup.checker->line, i + 1, column->title});
    }
}

static relais_status write_record(struct csv_writer *writer, const ProtobufCMessage *record,
                                  const Relais__Flows__V1__Item *item, bool *out_refused)
{
    struct checker *checker = writer->setup.checker;
    relais_status status = write_titles(writer);
    if (status != RELAIS_OK) {
        return status;
    }
    uint64_t errors = checker->errors;
    if (!leaf_check_record(writer->document, record, checker, &writer->value)) {
        return RELAIS_NO_MEMORY;
    }
    leaf_check_places(writer->document->shapes, writer->document->shape_count, record, checker);
    place_kept(writer, item);
    check_columns(writer, record);
    if (checker->errors == errors) {
        build_row(writer, record, item);
    }
    if (checker->errors != errors) {
        *out_refused = true;
        return RELAIS_OK;
    }
    bool own = writer->same_form && item->spelling &&
               item->spelling->line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    return write_row(writer, own ? item_line_end(item->spelling->line_end) : writer->line_end);
}

static relais_status write_end(struct csv_writer *writer, const Relais__Flows__V1__End *end)
{
    relais_status status = write_titles(writer);
    if (status != RELAIS_OK) {
        return status;
    }
    if (end->blank_lines > BLANK_LINES_MAX) {
        checker_tell(writer->setup.checker, RULE_BLANK_LINE, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    if (writer->same_form && end->open_line) {
        writer->owed = NULL;
    }
    status = flush_line_end(writer);
    for (uint32_t i = 0; writer->same_form && i < end->blank_lines && status == RELAIS_OK; i++) {
        status = write_text(writer, writer->line_end);
    }
    return status;
}

static relais_status take_item(struct target *target, const Relais__Flows__V1__Item *item,
                               bool *out_refused)
{
    struct csv_writer *writer = (struct csv_writer *)target;
    const char *name = "";
    *out_refused = false;
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_FORM) {
        return take_form(writer, item->form);
    }
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_END) {
        return write_end(writer, item->end);
    }
    const ProtobufCMessage *record = item_record(item, &name);
    if (!record || strcmp(name, writer->document->record) != 0) {
        checker_tell(writer->setup.checker, RULE_FLOW,
                     (struct place){.line = writer->setup.checker->line, .field = name},
                     writer->document->record);
        *out_refused = true;
        return RELAIS_OK;
    }
    return write_record(writer, record, item, out_refused);
}

static relais_status end(struct target *target)
{
    return flush_line_end((struct csv_writer *)target);
}

static void free_writer(struct target *target)
{
    struct csv_writer *writer = (struct csv_writer *)target;
    csv_header_fini(&writer->header);
    free(writer->quoted_titles.data);
    free(writer->quoted_columns.data);
    text_fini(&writer->value);
    text_fini(&writer->cell);
    text_fini(&writer->row);
    free(writer);
}

struct target *csv_writer_new(const struct target_setup *setup)
{
    struct csv_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->target = (struct target){.item = take_item, .end = end, .free = free_writer};
    writer->setup = *setup;
    writer->document = &setup->format->documents[0];
    writer->encoding =
        setup->encoding != ENCODING_UNKNOWN ? setup->encoding : setup->format->encoding;
    writer->separator = setup->format->separator;
    writer->line_end = "\n";
    text_init(&writer->value, ITEM_BYTES);
    text_init(&writer->cell, ITEM_BYTES);
    text_init(&writer->row, ITEM_BYTES);
    return &writer->target;
}
