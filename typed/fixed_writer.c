/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fixed-width text, written: see fixed_reader.c.
 */
#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/target.h"

#include <stdlib.h>
#include <string.h>

struct fixed_writer {
    struct target target;
    struct target_setup setup;
    const struct document *document;
    enum encoding encoding;
    bool same_form; /* what is kept and spelled has its place here */
    bool started;
    bool byte_order_mark;
    const char *line_end;
    const char *owed; /* the line end of the last record, which an end may take back */
    uint32_t width;
    struct text value;
    struct text line;
};

static void take_form(struct fixed_writer *writer, const Relais__Flows__V1__Form *form)
{
    writer->same_form = strcmp(form->format, writer->setup.format->name) == 0;
    if (!writer->same_form) {
        return;
    }
    if (writer->setup.encoding == ENCODING_UNKNOWN) {
        writer->encoding = item_encoding(form, writer->encoding);
    }
    writer->byte_order_mark = form->byte_order_mark && writer->encoding == ENCODING_UTF_8;
    writer->line_end = item_line_end(form->line_end);
    if (form->line_width > 0 && form->line_width <= FIXED_LINE_BYTES) {
        writer->width = form->line_width;
    }
}

static void put_value(struct fixed_writer *writer, const struct shape *shape, uint32_t column)
{
    struct checker *checker = writer->setup.checker;
    const struct place place = {checker->line, column + 1, shape->name};
    const struct text *value = &writer->value;
    size_t bad = 0;
    text_take_failure(&writer->line, value);
    if (value->size == 0) {
        text_repeat(&writer->line, ' ', shape->width);
        return;
    }
    if (value->data[value->size - 1] == ' ') { /* would be padding on the way back */
        checker_tell(checker, RULE_SPELLING, place, NULL);
        return;
    }
    size_t before = writer->line.size;
    if (!encoding_encode(writer->encoding, value->data, value->size, &writer->line, &bad)) {
        checker_tell(checker, RULE_UNENCODABLE, place, encoding_name(writer->encoding));
        text_cut(&writer->line, before);
        return;
    }
    size_t characters = text_characters(value->data, value->size);
    if (characters < shape->width) {
        text_repeat(&writer->line, ' ', shape->width - characters);
    }
}

/* Puts what followed the fields behind them; anything else that is kept has no place. */
static uint32_t put_kept(struct fixed_writer *writer, const Relais__Flows__V1__Item *item,
                         uint32_t column)
{
    struct checker *checker = writer->setup.checker;
    for (size_t i = 0; i < item->n_kept; i++) {
        const Relais__Flows__V1__Kept *kept = item->kept[i];
        const struct place place = {checker->line, kept->position + 1, kept->name};
        const size_t size = strlen(kept->value);
        size_t bad = 0;
        bool fits = writer->same_form && item->n_kept == 1 && kept->position == column &&
                    size < FIXED_LINE_BYTES && !strpbrk(kept->value, "\r\n");
        if (!fits) {
            checker_tell(checker, RULE_NO_PLACE, place, NULL);
        } else if (!encoding_encode(writer->encoding, kept->value, size, &writer->line, &bad)) {
            checker_tell(checker, RULE_UNENCODABLE, place, encoding_name(writer->encoding));
        } else {
            column += (uint32_t)text_characters(kept->value, size);
        }
    }
    return column;
}

/* Makes the line as wide as it was: more blanks, or fewer. */
static void fit(struct fixed_writer *writer, const Relais__Flows__V1__Item *item, uint32_t column)
{
    uint32_t width = writer->width;
    if (writer->same_form && item->spelling && item->spelling->line_width > 0 &&
        item->spelling->line_width <= FIXED_LINE_BYTES) {
        width = item->spelling->line_width;
    }
    if (column < width) {
        text_repeat(&writer->line, ' ', width - column);
        return;
    }
    for (; column > width && writer->line.size > 0; column--) {
        if (writer->line.data[writer->line.size - 1] != ' ') {
            break;
        }
        text_cut(&writer->line, writer->line.size - 1);
    }
}

static void build_line(struct fixed_writer *writer, const ProtobufCMessage *record,
                       const Relais__Flows__V1__Item *item)
{
    uint32_t column = 0;
    text_clear(&writer->line);
    for (size_t i = 0; i < writer->document->shape_count; i++) {
        const struct shape *shape = &writer->document->shapes[i];
        if (shape->kind == KIND_COVERED) {
            continue;
        }
        text_clear(&writer->value);
        leaf_print(record, shape, 0, &writer->value);
        put_value(writer, shape, column);
        column += shape->width;
    }
    column = put_kept(writer, item, column);
    fit(writer, item, column);
}

static relais_status write_bytes(struct fixed_writer *writer, const char *data, size_t size)
{
    return writer->setup.write(writer->setup.context, data, size);
}

static relais_status flush_line_end(struct fixed_writer *writer)
{
    if (!writer->owed) {
        return RELAIS_OK;
    }
    const char *owed = writer->owed;
    writer->owed = NULL;
    return write_bytes(writer, owed, strlen(owed));
}

static relais_status write_record(struct fixed_writer *writer, const ProtobufCMessage *record,
                                  const Relais__Flows__V1__Item *item, bool *out_refused)
{
    struct checker *checker = writer->setup.checker;
    uint64_t errors = checker->errors;
    if (!leaf_check_record(writer->document, record, checker, &writer->value)) {
        return RELAIS_NO_MEMORY;
    }
    leaf_check_places(writer->document->shapes, writer->document->shape_count, record, checker);
    if (checker->errors == errors) {
        build_line(writer, record, item);
    }
    if (!text_fine(&writer->line) || !text_fine(&writer->value)) {
        return RELAIS_NO_MEMORY;
    }
    if (checker->errors != errors) {
        *out_refused = true;
        return RELAIS_OK;
    }
    relais_status status = flush_line_end(writer);
    if (status == RELAIS_OK && writer->byte_order_mark && !writer->started) {
        status = write_bytes(writer, "\xEF\xBB\xBF", 3);
    }
    if (status == RELAIS_OK) {
        writer->started = true;
        status = write_bytes(writer, writer->line.data, writer->line.size);
    }
    bool own = writer->same_form && item->spelling &&
               item->spelling->line_end != RELAIS__FLOWS__V1__LINE_END__LINE_END_UNSPECIFIED;
    writer->owed = own ? item_line_end(item->spelling->line_end) : writer->line_end;
    return status;
}

static relais_status write_end(struct fixed_writer *writer, const Relais__Flows__V1__End *end)
{
    if (writer->same_form && end->open_line) {
        writer->owed = NULL;
    }
    relais_status status = flush_line_end(writer);
    if (end->blank_lines > BLANK_LINES_MAX) {
        checker_tell(writer->setup.checker, RULE_BLANK_LINE, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    for (uint32_t i = 0; writer->same_form && i < end->blank_lines && status == RELAIS_OK; i++) {
        status = write_bytes(writer, writer->line_end, strlen(writer->line_end));
    }
    return status;
}

static relais_status take_item(struct target *target, const Relais__Flows__V1__Item *item,
                               bool *out_refused)
{
    struct fixed_writer *writer = (struct fixed_writer *)target;
    const char *name = "";
    *out_refused = false;
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_FORM) {
        take_form(writer, item->form);
        return RELAIS_OK;
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
    return flush_line_end((struct fixed_writer *)target);
}

static void free_writer(struct target *target)
{
    struct fixed_writer *writer = (struct fixed_writer *)target;
    text_fini(&writer->value);
    text_fini(&writer->line);
    free(writer);
}

struct target *fixed_writer_new(const struct target_setup *setup)
{
    struct fixed_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->target = (struct target){.item = take_item, .end = end, .free = free_writer};
    writer->setup = *setup;
    writer->document = &setup->format->documents[0];
    writer->encoding =
        setup->encoding != ENCODING_UNKNOWN ? setup->encoding : setup->format->encoding;
    writer->line_end = "\n";
    for (size_t i = 0; i < writer->document->shape_count; i++) {
        writer->width += writer->document->shapes[i].width;
    }
    text_init(&writer->value, ITEM_BYTES);
    text_init(&writer->line, ITEM_BYTES);
    return &writer->target;
}
