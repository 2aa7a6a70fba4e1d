/* SPDX-License-Identifier: EUPL-1.2
 *
 * JSON by reflection.
 */
#include "typed/json_fields.h"

#include "typed/base64.h"
#include "typed/identifier.h"
#include "typed/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static json_t *write_bytes(const ProtobufCBinaryData *bytes)
{
    struct text text;
    text_init(&text, ITEM_BYTES);
    base64_append(&text, bytes->data, bytes->len);
    json_t *value = text_fine(&text) ? json_stringn(text.data, text.size) : NULL;
    text_fini(&text);
    return value;
}

static json_t *write_enum(const ProtobufCFieldDescriptor *field, uint64_t number)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, (int)number);
    return value ? json_string(value->name) : json_integer((json_int_t)number);
}

static json_t *write_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           size_t index)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return json_fields_write(record_message(message, field, index));
    case PROTOBUF_C_TYPE_STRING:
        return json_string(record_string(message, field, index));
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(record_bytes(message, field));
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(record_number(message, field, index) != 0);
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(field, record_number(message, field, index));
    default:
        return json_integer((json_int_t)record_number(message, field, index));
    }
}

static json_t *write_list(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        if (json_array_append_new(list, write_value(message, field, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *json_fields_write(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    json_t *object = json_object();
    for (unsigned i = 0; object && i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        size_t count = record_count(message, field);
        if (count == 0) {
            continue;
        }
        json_t *value = field->label == PROTOBUF_C_LABEL_REPEATED
                            ? write_list(message, field, count)
                            : write_value(message, field, 0);
        if (json_object_set_new(object, field->name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* What came of one value. */
enum outcome { FINE, WRONG, NO_MEMORY };

static enum outcome memory(bool fine)
{
    return fine ? FINE : NO_MEMORY;
}

static enum outcome read_bytes(const json_t *value, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field)
{
    struct text bytes;
    text_init(&bytes, ITEM_BYTES);
    enum outcome outcome = WRONG;
    if (json_is_string(value) &&
        base64_read(json_string_value(value), json_string_length(value), &bytes)) {
        outcome =
            memory(text_fine(&bytes) && record_put_bytes(message, field, bytes.data, bytes.size));
    }
    text_fini(&bytes);
    return outcome;
}

static enum outcome read_enum(const json_t *value, ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
    const char *name = json_string_value(value);
    const ProtobufCEnumValue *found =
        name ? protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, name) : NULL;
    if (!found) {
        return WRONG;
    }
    record_put_number(message, field, (uint64_t)found->value);
    return FINE;
}

/* protobuf's mapping writes numbers of 64 bits as texts. */
static enum outcome read_digits(const char *text, ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field)
{
    enum { DIGITS_MAX = 18 };
    uint64_t number = 0;
    size_t size = strlen(text);
    if (size > DIGITS_MAX || !identifier_is_digits(text, size)) {
        return WRONG;
    }
    for (size_t i = 0; i < size; i++) {
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    record_put_number(message, field, number);
    return FINE;
}

static enum outcome read_number(const json_t *value, ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field)
{
    json_int_t number = json_integer_value(value);
    bool wide = field->type == PROTOBUF_C_TYPE_UINT64;
    if (wide && json_is_string(value)) { /* so that no reader takes it for a double */
        return read_digits(json_string_value(value), message, field);
    }
    if (!json_is_integer(value) || number < 0 || (!wide && number > UINT32_MAX)) {
        return WRONG;
    }
    record_put_number(message, field, (uint64_t)number);
    return FINE;
}

static enum outcome read_message(const json_t *value, ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field, struct checker *checker,
                                 const char *path)
{
    bool chosen = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
                  *(const uint32_t *)((const char *)message + field->quantifier_offset) != 0;
    if (!json_is_object(value) || chosen) {
        return WRONG;
    }
    ProtobufCMessage *child = record_new(field->descriptor);
    if (!child || !json_fields_read(value, child, checker, path) ||
        !record_put_message(message, field, child)) {
        record_free(child);
        return NO_MEMORY;
    }
    return FINE;
}

static enum outcome read_value(const json_t *value, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, struct checker *checker,
                               const char *path)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(value, message, field, checker, path);
    case PROTOBUF_C_TYPE_STRING:
        return json_is_string(value)
                   ? memory(record_put_string(message, field, json_string_value(value),
                                              json_string_length(value)))
                   : WRONG;
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(value, message, field);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(value)) {
            return WRONG;
        }
        record_put_number(message, field, json_is_true(value));
        return FINE;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(value, message, field);
    default:
        return read_number(value, message, field);
    }
}

static enum outcome read_field(const json_t *value, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, struct checker *checker,
                               const char *path)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return read_value(value, message, field, checker, path);
    }
    if (!json_is_array(value) || json_array_size(value) > KEPT_MAX) {
        return WRONG;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        enum outcome outcome = read_value(json_array_get(value, i), message, field, checker, path);
        if (outcome != FINE) {
            return outcome;
        }
    }
    return FINE;
}

bool json_fields_read(const json_t *object, ProtobufCMessage *message, struct checker *checker,
                      const char *path)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char inner[PATH_BYTES];
        snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", key);
        const struct place place = {.line = checker->line, .field = inner};
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, key);
        if (!field) {
            checker_tell(checker, RULE_JSON_FIELD, place, NULL);
            continue;
        }
        switch (read_field(value, message, field, checker, inner)) {
        case WRONG:
            checker_tell(checker, RULE_JSON_VALUE, place, NULL);
            break;
        case NO_MEMORY:
            return false;
        case FINE:
            break;
        }
    }
    return true;
}
