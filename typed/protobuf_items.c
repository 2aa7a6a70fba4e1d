/* SPDX-License-Identifier: EUPL-1.2
 *
 * Typed payloads as protobuf, each item after its size as a varint: read and written.
 *
 * 1. An item is read only if it packs to the same bytes again: unknown fields, NULs inside texts
 * and doubled fields would not survive. Its size, too, is as short as it can be.
 */
#include "typed/item.h"
#include "typed/record.h"
#include "typed/sequence.h"
#include "typed/target.h"
#include "wire/scan.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT_MAX = 5, CONTINUES = 0x80, VARINT_BITS = 7 };

struct protobuf_reader {
    struct source source;
    struct source_setup setup;
    struct sequence sequence;
    struct text pending;
};

/* How long the size is, 0: not whole yet, VARINT_MAX + 1: none. One that is longer than it need be
 * is none: it would not survive. */
static size_t read_size(const struct text *pending, uint64_t *out_size)
{
    uint64_t size = 0;
    for (size_t i = 0; i < VARINT_MAX; i++) {
        if (i == pending->size) {
            return 0;
        }
        unsigned char byte = (unsigned char)pending->data[i];
        size |= (uint64_t)(byte & ~(unsigned)CONTINUES) << (VARINT_BITS * i);
        if ((byte & CONTINUES) == 0) {
            *out_size = size;
            return byte == 0 && i > 0 ? VARINT_MAX + 1 : i + 1;
        }
    }
    return VARINT_MAX + 1;
}

/* True when unpacking may begin: known fields alone, within bounds, texts of UTF-8 without NUL. */
static bool is_sound(const char *data, size_t size)
{
    static const struct wire_limits limits = {
        .depth = ITEM_DEPTH_MAX, .fields = ITEM_FIELDS_MAX, .elements = ITEM_FIELDS_MAX};
    struct wire_fault fault;
    return wire_scan(&relais__flows__v1__item__descriptor,
                     (struct bytes){.data = (const uint8_t *)data, .size = size}, &limits, &fault);
}

static bool has_meaning(const ProtobufCMessage *message);

/* True when a field's numbers are of its enumeration. */
static bool field_has_meaning(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; i < record_count(message, field); i++) {
        if (field->type == PROTOBUF_C_TYPE_ENUM &&
            !protobuf_c_enum_descriptor_get_value(field->descriptor,
                                                  (int)record_number(message, field, i))) {
            return false;
        }
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !has_meaning(record_message(message, field, i))) {
            return false;
        }
    }
    return true;
}

static bool has_meaning(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        if (!field_has_meaning(message, &message->descriptor->fields[i])) {
            return false;
        }
    }
    return true;
}

/* True when the item packs to these bytes. */
static bool is_faithful(const ProtobufCMessage *item, const uint8_t *data, size_t size)
{
    if (protobuf_c_message_get_packed_size(item) != size) {
        return false;
    }
    uint8_t *packed = malloc(size > 0 ? size : 1);
    bool same =
        packed && protobuf_c_message_pack(item, packed) == size && memcmp(packed, data, size) == 0;
    free(packed);
    return same;
}

static relais_status read_item(struct protobuf_reader *reader, const char *data, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)data;
    struct checker *checker = reader->setup.checker;
    sequence_next(&reader->sequence, 0);
    uint64_t errors = checker->errors;
    ProtobufCMessage *item = NULL;
    if (is_sound(data, size)) {
        item = protobuf_c_message_unpack(&relais__flows__v1__item__descriptor, NULL, size, bytes);
    }
    if (!item || !has_meaning(item) || !is_faithful(item, bytes, size)) {
        record_free(item);
        checker->record = reader->sequence.records + 1;
        checker_tell(checker, RULE_PROTO, (struct place){0}, NULL);
        return sequence_refuse(&reader->sequence);
    }
    relais_status status =
        sequence_take(&reader->sequence, (const Relais__Flows__V1__Item *)item, errors);
    record_free(item);
    return status;
}

static relais_status stop(struct protobuf_reader *reader, enum rule rule)
{
    checker_tell(reader->setup.checker, rule, (struct place){0}, NULL);
    return RELAIS_FIELD_INVALID;
}

/* Reads all whole items that are there. */
static relais_status read_items(struct protobuf_reader *reader)
{
    struct text *pending = &reader->pending;
    size_t at = 0;
    relais_status status = RELAIS_OK;
    while (status == RELAIS_OK) {
        const struct text rest = {.data = pending->data + at, .size = pending->size - at};
        uint64_t size = 0;
        size_t head = read_size(&rest, &size);
        if (head > VARINT_MAX || size > ITEM_BYTES) {
            return stop(reader, head > VARINT_MAX ? RULE_PROTO : RULE_ITEM_LARGE);
        }
        if (head == 0 || rest.size - head < size) {
            break;
        }
        status = read_item(reader, rest.data + head, (size_t)size);
        at += head + (size_t)size;
    }
    text_drop(pending, at);
    return status;
}

static relais_status feed(struct source *source, const char *data, size_t size)
{
    struct protobuf_reader *reader = (struct protobuf_reader *)source;
    text_append(&reader->pending, data, size);
    if (!text_fine(&reader->pending)) {
        return reader->pending.state == TEXT_TOO_LONG ? stop(reader, RULE_ITEM_LARGE)
                                                      : RELAIS_NO_MEMORY;
    }
    return read_items(reader);
}

static relais_status end_reading(struct source *source)
{
    struct protobuf_reader *reader = (struct protobuf_reader *)source;
    return reader->pending.size > 0 ? stop(reader, RULE_NOT_WHOLE)
                                    : sequence_end(&reader->sequence);
}

static void free_reader(struct source *source)
{
    struct protobuf_reader *reader = (struct protobuf_reader *)source;
    text_fini(&reader->pending);
    sequence_fini(&reader->sequence);
    free(reader);
}

struct source *protobuf_reader_new(const struct source_setup *setup)
{
    enum { PIECE_MAX = 1024 * 1024 };
    struct protobuf_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return NULL;
    }
    reader->source = (struct source){.feed = feed, .end = end_reading, .free = free_reader};
    reader->setup = *setup;
    sequence_init(&reader->sequence, &reader->setup);
    text_init(&reader->pending, (size_t)ITEM_BYTES + VARINT_MAX + PIECE_MAX);
    return &reader->source;
}

struct protobuf_writer {
    struct target target;
    struct target_setup setup;
    struct text bytes;
};

static relais_status write_item(struct target *target, const Relais__Flows__V1__Item *item,
                                bool *out_refused)
{
    struct protobuf_writer *writer = (struct protobuf_writer *)target;
    const ProtobufCMessage *message = (const ProtobufCMessage *)item;
    *out_refused = false;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size > 0 ? size : 1);
    if (!packed) {
        return RELAIS_NO_MEMORY;
    }
    protobuf_c_message_pack(message, packed);
    text_clear(&writer->bytes);
    size_t left = size;
    while (left >= CONTINUES) {
        text_char(&writer->bytes, (char)((left & ~(size_t)CONTINUES) | CONTINUES));
        left >>= (unsigned)VARINT_BITS;
    }
    text_char(&writer->bytes, (char)left);
    text_append(&writer->bytes, packed, size);
    free(packed);
    if (!text_fine(&writer->bytes)) {
        return RELAIS_NO_MEMORY;
    }
    return writer->setup.write(writer->setup.context, writer->bytes.data, writer->bytes.size);
}

static relais_status end_writing(struct target *target)
{
    (void)target;
    return RELAIS_OK;
}

static void free_writer(struct target *target)
{
    text_fini(&((struct protobuf_writer *)target)->bytes);
    free(target);
}

struct target *protobuf_writer_new(const struct target_setup *setup)
{
    struct protobuf_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->target = (struct target){.item = write_item, .end = end_writing, .free = free_writer};
    writer->setup = *setup;
    text_init(&writer->bytes, (size_t)ITEM_BYTES + VARINT_MAX);
    return &writer->target;
}
