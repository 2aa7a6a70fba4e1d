/* SPDX-License-Identifier: EUPL-1.2
 *
 * An XML document as a source of items: it is gathered, for nobody can tell before its end that it
 * is well-formed, then read as one record.
 *
 * 1. A signature covers the very bytes: with one, the form carries them.
 */
#include "typed/item.h"
#include "typed/record.h"
#include "typed/source.h"
#include "typed/xml_reading.h"

#include <stdlib.h>

struct xml_reader {
    struct source source;
    struct source_setup setup;
    struct text bytes;
};

static relais_status give(struct xml_reader *reader, Relais__Flows__V1__Item *item, bool refused)
{
    if (!item) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = reader->setup.receive(reader->setup.context, item, refused);
    item_free(item);
    return status;
}

static relais_status give_form(struct xml_reader *reader, const struct xml_reading *reading)
{
    Relais__Flows__V1__Item *item = item_new_form(reader->setup.format);
    if (item) {
        ProtobufCMessage *form = (ProtobufCMessage *)item->form;
        item->form->encoding = (Relais__Flows__V1__Encoding)reading->encoding;
        item->form->byte_order_mark = reading->byte_order_mark;
        if (reading->is_signed) {
            checker_tell(reader->setup.checker, RULE_SIGNED, (struct place){0}, NULL);
            if (!record_put_bytes(form, record_field(form, "original"), reader->bytes.data,
                                  reader->bytes.size)) {
                item_free(item);
                return RELAIS_NO_MEMORY;
            }
        }
    }
    return give(reader, item, false);
}

static relais_status feed(struct source *source, const char *data, size_t size)
{
    struct xml_reader *reader = (struct xml_reader *)source;
    text_append(&reader->bytes, data, size);
    if (reader->bytes.state == TEXT_TOO_LONG) {
        checker_tell(reader->setup.checker, RULE_XML_LARGE, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    return text_fine(&reader->bytes) ? RELAIS_OK : RELAIS_NO_MEMORY;
}

static relais_status end(struct source *source)
{
    struct xml_reader *reader = (struct xml_reader *)source;
    struct checker *checker = reader->setup.checker;
    struct xml_reading reading;
    if (reader->bytes.size == 0) {
        checker_tell(checker, RULE_EMPTY, (struct place){0}, NULL);
        return RELAIS_FIELD_INVALID;
    }
    uint64_t errors = checker->errors;
    checker->record = 1;
    relais_status status = xml_reading_make(reader->setup.format, reader->bytes.data,
                                            reader->bytes.size, checker, &reading);
    if (status != RELAIS_OK) {
        return status;
    }
    status = give_form(reader, &reading);
    if (status == RELAIS_OK) {
        status = give(reader, reading.item, checker->errors != errors);
    } else {
        item_free(reading.item);
    }
    checker->record = 0;
    return status == RELAIS_OK ? give(reader, item_new_end(1), false) : status;
}

static void free_reader(struct source *source)
{
    struct xml_reader *reader = (struct xml_reader *)source;
    text_fini(&reader->bytes);
    free(reader);
}

struct source *xml_reader_new(const struct source_setup *setup)
{
    struct xml_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return NULL;
    }
    reader->source = (struct source){.feed = feed, .end = end, .free = free_reader};
    reader->setup = *setup;
    text_init(&reader->bytes, XML_BYTES);
    return &reader->source;
}
