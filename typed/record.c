/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fields by name. protobuf-c describes where each lies; malloc() and free() are its default
 * allocator.
 */
#include "typed/record.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *member(const ProtobufCMessage *message, unsigned offset)
{
    return (char *)(uintptr_t)message + offset;
}

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool is_chosen(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return true;
    }
    return *(uint32_t *)member(message, field->quantifier_offset) == field->id;
}

static void choose(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        *(uint32_t *)member(message, field->quantifier_offset) = field->id;
    }
}

ProtobufCMessage *record_new(const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    if (message) {
        protobuf_c_message_init(descriptor, message);
    }
    return message;
}

void record_free(ProtobufCMessage *message)
{
    if (message) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

const ProtobufCFieldDescriptor *record_field(const ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    assert(field);
    return field;
}

size_t record_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (is_repeated(field)) {
        return *(size_t *)member(message, field->quantifier_offset);
    }
    if (!is_chosen(message, field)) {
        return 0;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(void **)member(message, field->offset) != NULL;
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(char **)member(message, field->offset);
        return text && *text != '\0';
    }
    case PROTOBUF_C_TYPE_BYTES:
        return ((ProtobufCBinaryData *)member(message, field->offset))->len > 0;
    default:
        return record_number(message, field, 0) != 0;
    }
}

ProtobufCMessage *record_message(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field, size_t index)
{
    void *at = member(message, field->offset);
    return is_repeated(field) ? (*(ProtobufCMessage ***)at)[index] : *(ProtobufCMessage **)at;
}

const char *record_string(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          size_t index)
{
    void *at = member(message, field->offset);
    const char *text = is_repeated(field) ? (*(char ***)at)[index] : *(char **)at;
    return text ? text : "";
}

uint64_t record_number(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       size_t index)
{
    void *at = member(message, field->offset);
    (void)index; /* there is no repeated number in proto/flows */
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return *(protobuf_c_boolean *)at != 0;
    case PROTOBUF_C_TYPE_UINT64:
        return *(uint64_t *)at;
    default:
        return *(uint32_t *)at;
    }
}

/* A place for one more pointer of a repeated field, or the field itself; NULL: no memory. */
static void **slot_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    void **at = member(message, field->offset);
    if (!is_repeated(field)) {
        return at;
    }
    size_t *count = member(message, field->quantifier_offset);
    /* Powers of two: realloc() is called once for each. */
    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count == 0 ? 1 : *count * 2;
        void *grown = realloc(*at, capacity * sizeof(void *));
        if (!grown) {
            return NULL;
        }
        *at = grown;
    }
    return (void **)*at + (*count)++;
}

bool record_put_message(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        ProtobufCMessage *child)
{
    void **slot = slot_of(message, field);
    if (!slot) {
        return false;
    }
    *slot = child;
    choose(message, field);
    return true;
}

bool record_put_string(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       const char *data, size_t size)
{
    char *copy = malloc(size + 1);
    void **slot = copy ? slot_of(message, field) : NULL;
    if (!slot) {
        free(copy);
        return false;
    }
    memcpy(copy, data, size);
    copy[size] = '\0';
    if (!is_repeated(field) && *slot && *slot != field->default_value) {
        free(*slot);
    }
    *slot = copy;
    return true;
}

bool record_put_bytes(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      const void *data, size_t size)
{
    ProtobufCBinaryData *bytes = member(message, field->offset);
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy) {
        return false;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    free(bytes->data);
    *bytes = (ProtobufCBinaryData){.len = size, .data = copy};
    return true;
}

void record_put_number(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       uint64_t number)
{
    void *at = member(message, field->offset);
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = number != 0;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)at = number;
        break;
    default:
        *(uint32_t *)at = (uint32_t)number;
        break;
    }
}

const ProtobufCBinaryData *record_bytes(const ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field)
{
    return member(message, field->offset);
}
