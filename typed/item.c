/* SPDX-License-Identifier: EUPL-1.2
 *
 * Items.
 */
#include "typed/item.h"

#include "typed/record.h"

#include <string.h>

enum { FORM_ID = 1, END_ID = 2, FIRST_RECORD_ID = 10 };

static Relais__Flows__V1__Item *new_with(const char *field, ProtobufCMessage *inside)
{
    ProtobufCMessage *item = record_new(&relais__flows__v1__item__descriptor);
    if (!item || !inside || !record_put_message(item, record_field(item, field), inside)) {
        record_free(inside);
        record_free(item);
        return NULL;
    }
    return (Relais__Flows__V1__Item *)item;
}

Relais__Flows__V1__Item *item_new(const struct document *document, ProtobufCMessage **out_record)
{
    ProtobufCMessage *record = record_new(document->descriptor);
    Relais__Flows__V1__Item *item = new_with(document->record, record);
    if (item) {
        *out_record = record;
    }
    return item;
}

Relais__Flows__V1__Item *item_new_form(const struct format *format)
{
    ProtobufCMessage *form = record_new(&relais__flows__v1__form__descriptor);
    if (form && !record_put_string(form, record_field(form, "format"), format->name,
                                   strlen(format->name))) {
        record_free(form);
        return NULL;
    }
    return new_with("form", form);
}

Relais__Flows__V1__Item *item_new_end(uint64_t records)
{
    ProtobufCMessage *end = record_new(&relais__flows__v1__end__descriptor);
    if (end) {
        ((Relais__Flows__V1__End *)end)->records = records;
    }
    return new_with("end", end);
}

void item_free(Relais__Flows__V1__Item *item)
{
    record_free((ProtobufCMessage *)item);
}

const ProtobufCMessage *item_record(const Relais__Flows__V1__Item *item, const char **out_name)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &relais__flows__v1__item__descriptor, (unsigned)item->item_case);
    if (!field || field->id < FIRST_RECORD_ID) {
        return NULL;
    }
    *out_name = field->name;
    return record_message((const ProtobufCMessage *)item, field, 0);
}

bool item_keep(Relais__Flows__V1__Item *item, const char *name, uint32_t position,
               const char *value, size_t size)
{
    ProtobufCMessage *message = (ProtobufCMessage *)item;
    if (item->n_kept >= KEPT_MAX) {
        return false;
    }
    ProtobufCMessage *kept = record_new(&relais__flows__v1__kept__descriptor);
    if (!kept || !record_put_string(kept, record_field(kept, "name"), name, strlen(name)) ||
        !record_put_string(kept, record_field(kept, "value"), value, size) ||
        !record_put_message(message, record_field(message, "kept"), kept)) {
        record_free(kept);
        return false;
    }
    ((Relais__Flows__V1__Kept *)kept)->position = position;
    return true;
}

Relais__Flows__V1__Spelling *item_spelling(Relais__Flows__V1__Item *item)
{
    if (!item->spelling) {
        item->spelling =
            (Relais__Flows__V1__Spelling *)record_new(&relais__flows__v1__spelling__descriptor);
    }
    return item->spelling;
}

bool item_bit(const ProtobufCBinaryData *bits, size_t index)
{
    return index / 8 < bits->len && ((unsigned)bits->data[index / 8] >> (index % 8) & 1U) != 0;
}

enum encoding item_encoding(const Relais__Flows__V1__Form *form, enum encoding otherwise)
{
    unsigned said = (unsigned)form->encoding;
    return said > ENCODING_UNKNOWN && said < ENCODING_COUNT ? (enum encoding)said : otherwise;
}

const char *item_line_end(Relais__Flows__V1__LineEnd line_end)
{
    switch (line_end) {
    case RELAIS__FLOWS__V1__LINE_END__LINE_END_CRLF:
        return "\r\n";
    case RELAIS__FLOWS__V1__LINE_END__LINE_END_CR:
        return "\r";
    default:
        return "\n";
    }
}
