/* SPDX-License-Identifier: EUPL-1.2
 *
 * An XML document as a target.
 *
 * 1. What is written has been read again, and made the same item: nothing that is kept, however it
 * came about, can change what the rest of the document says.
 * 2. A signed document is written as it was, to the byte, when its reading is still the same;
 * otherwise it is refused.
 */
#include "typed/item.h"
#include "typed/leaf.h"
#include "typed/record.h"
#include "typed/target.h"
#include "typed/xml_layout.h"
#include "typed/xml_reading.h"

#include <stdlib.h>
#include <string.h>

struct xml_writer {
    struct target target;
    struct target_setup setup;
    enum encoding encoding;
    bool same_form;
    bool byte_order_mark;
    bool done;
    struct text original; /* of a signed document */
    struct text utf8;
    struct text bytes;
};

static relais_status take_form(struct xml_writer *writer, const Relais__Flows__V1__Form *form)
{
    writer->same_form = strcmp(form->format, writer->setup.format->name) == 0;
    if (!writer->same_form) {
        return RELAIS_OK;
    }
    if (writer->setup.encoding == ENCODING_UNKNOWN) {
        writer->encoding = item_encoding(form, writer->encoding);
    }
    writer->byte_order_mark = form->byte_order_mark && writer->encoding == ENCODING_UTF_8;
    text_append(&writer->original, form->original.data, form->original.len);
    return text_fine(&writer->original) ? RELAIS_OK : RELAIS_NO_MEMORY;
}

static bool same_bytes(const ProtobufCMessage *one, const ProtobufCMessage *other, size_t size)
{
    uint8_t *left = malloc(size + 1);
    uint8_t *right = malloc(size + 1);
    bool same = left && right && protobuf_c_message_pack(one, left) == size &&
                protobuf_c_message_pack(other, right) == size && memcmp(left, right, size) == 0;
    free(left);
    free(right);
    return same;
}

/* True when reading these bytes makes this item. */
static bool makes_item(const struct xml_writer *writer, const struct text *bytes,
                       const Relais__Flows__V1__Item *item)
{
    struct checker silent = {.specimens = writer->setup.checker->specimens};
    struct xml_reading reading;
    if (xml_reading_make(writer->setup.format, bytes->data, bytes->size, &silent, &reading) !=
        RELAIS_OK) {
        return false;
    }
    const ProtobufCMessage *one = (const ProtobufCMessage *)reading.item;
    const ProtobufCMessage *other = (const ProtobufCMessage *)item;
    size_t size = protobuf_c_message_get_packed_size(one);
    bool same = size == protobuf_c_message_get_packed_size(other) && same_bytes(one, other, size);
    item_free(reading.item);
    return same;
}

static relais_status write_bytes(struct xml_writer *writer, const struct text *bytes)
{
    writer->done = true;
    return writer->setup.write(writer->setup.context, bytes->data, bytes->size);
}

static void build(struct xml_writer *writer, const struct document *document,
                  const ProtobufCMessage *record, const Relais__Flows__V1__Item *item)
{
    struct checker *checker = writer->setup.checker;
    const struct place place = {.line = checker->line};
    size_t kept = 0;
    size_t bad = 0;
    text_clear(&writer->utf8);
    text_clear(&writer->bytes);
    xml_layout_write(document, record, item, writer->encoding, &writer->utf8, &kept);
    if (kept != item->n_kept) {
        checker_tell(checker, RULE_NO_PLACE, place, NULL);
        return;
    }
    if (writer->byte_order_mark) {
        text_string(&writer->bytes, "\xEF\xBB\xBF");
    }
    if (!encoding_encode(writer->encoding, writer->utf8.data, writer->utf8.size, &writer->bytes,
                         &bad)) {
        checker_tell(checker, RULE_UNENCODABLE, place, encoding_name(writer->encoding));
    } else if (!makes_item(writer, &writer->bytes, item)) {
        checker_tell(checker, RULE_SPELLING, place, NULL);
    }
}

static relais_status write_record(struct xml_writer *writer, const struct document *document,
                                  const ProtobufCMessage *record,
                                  const Relais__Flows__V1__Item *item, bool *out_refused)
{
    struct checker *checker = writer->setup.checker;
    uint64_t errors = checker->errors;
    const struct place place = {.line = checker->line};
    if (writer->done) {
        checker_tell(checker, RULE_ONE_RECORD, place, NULL);
    } else if (item->n_kept > 0 && !writer->same_form) {
        checker_tell(checker, RULE_NO_PLACE, place, NULL);
    } else if (writer->original.size > 0) {
        if (makes_item(writer, &writer->original, item)) {
            return write_bytes(writer, &writer->original);
        }
        checker_tell(checker, RULE_SIGNED_CHANGED, place, NULL);
    } else {
        if (!leaf_check_record(document, record, checker, &writer->utf8)) {
            return RELAIS_NO_MEMORY;
        }
        leaf_check_places(document->shapes, document->shape_count, record, checker);
        if (checker->errors == errors) {
            build(writer, document, record, item);
        }
    }
    *out_refused = checker->errors != errors;
    if (!text_fine(&writer->utf8) || !text_fine(&writer->bytes)) {
        return RELAIS_NO_MEMORY;
    }
    return *out_refused ? RELAIS_OK : write_bytes(writer, &writer->bytes);
}

static relais_status take_item(struct target *target, const Relais__Flows__V1__Item *item,
                               bool *out_refused)
{
    struct xml_writer *writer = (struct xml_writer *)target;
    const char *name = "";
    *out_refused = false;
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_FORM) {
        return take_form(writer, item->form);
    }
    if (item->item_case == RELAIS__FLOWS__V1__ITEM__ITEM_END) {
        return RELAIS_OK;
    }
    const ProtobufCMessage *record = item_record(item, &name);
    const struct document *document = record ? format_document(writer->setup.format, name) : NULL;
    if (!document) {
        checker_tell(writer->setup.checker, RULE_FLOW,
                     (struct place){.line = writer->setup.checker->line, .field = name},
                     writer->setup.format->documents[0].record);
        *out_refused = true;
        return RELAIS_OK;
    }
    return write_record(writer, document, record, item, out_refused);
}

static relais_status end(struct target *target)
{
    (void)target;
    return RELAIS_OK;
}

static void free_writer(struct target *target)
{
    struct xml_writer *writer = (struct xml_writer *)target;
    text_fini(&writer->original);
    text_fini(&writer->utf8);
    text_fini(&writer->bytes);
    free(writer);
}

struct target *xml_writer_new(const struct target_setup *setup)
{
    struct xml_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->target = (struct target){.item = take_item, .end = end, .free = free_writer};
    writer->setup = *setup;
    writer->encoding =
        setup->encoding != ENCODING_UNKNOWN ? setup->encoding : setup->format->encoding;
    text_init(&writer->original, ITEM_BYTES);
    text_init(&writer->utf8, ITEM_BYTES);
    text_init(&writer->bytes, ITEM_BYTES);
    return &writer->target;
}
