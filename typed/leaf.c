/* SPDX-License-Identifier: EUPL-1.2
 *
 * Values into fields and out of them.
 */
#include "typed/leaf.h"

#include "flows/value.pb-c.h"
#include "typed/record.h"

#include <stdio.h>
#include <string.h>

static void tell(const struct shape *shape, const struct verdict *verdict, const char *text,
                 struct checker *checker, struct place place)
{
    struct place there = place;
    if (there.column > 0) {
        there.column += text_characters(text, verdict->at);
    }
    enum rule rules[] = {verdict->error, verdict->warning};
    for (size_t i = 0; i < 2; i++) {
        if (rules[i] == RULE_TOO_LONG) {
            checker_tell_number(checker, rules[i], there,
                                shape->width > 0 ? shape->width : VALUE_BYTES);
        } else if (rules[i] == RULE_DIGITS) {
            checker_tell_number(checker, rules[i], there, shape->width);
        } else if (rules[i] != RULE_NONE) {
            checker_tell(checker, rules[i], there, verdict->detail);
        }
    }
}

static struct bounds bounds_of(const struct shape *shape, const struct checker *checker)
{
    return (struct bounds){
        .allowed = shape->allowed, .width = shape->width, .specimens = checker->specimens};
}

static bool put_insee_name(ProtobufCMessage *record, const char *text, size_t size)
{
    const char *star = memchr(text, '*', size);
    bool cut = text[size - 1] != '/';
    size_t family = star ? (size_t)(star - text) : size;
    if (!record_put_string(record, record_field(record, "family_name"), text, family)) {
        return false;
    }
    record_put_number(record, record_field(record, "name_cut"), cut);
    if (!star) {
        return true;
    }
    size_t given = size - family - 1 - (cut ? 0 : 1);
    return record_put_string(record, record_field(record, "given_names"), star + 1, given);
}

/* A message of one to three numbers: Date, Count. */
static bool put_message(ProtobufCMessage *record, const ProtobufCFieldDescriptor *field,
                        enum kind kind, const struct value *value)
{
    ProtobufCMessage *child = record_new(field->descriptor);
    if (!child) {
        return false;
    }
    if (kind == KIND_COUNT) {
        ((Relais__Flows__V1__Count *)child)->value = value->number;
    } else {
        Relais__Flows__V1__Date *date = (Relais__Flows__V1__Date *)child;
        date->year = value->date.year;
        date->month = value->date.month;
        date->day = value->date.day;
    }
    if (!record_put_message(record, field, child)) {
        record_free(child);
        return false;
    }
    return true;
}

bool leaf_put(ProtobufCMessage *record, const struct shape *shape, const char *text, size_t size,
              struct checker *checker, struct place place)
{
    struct value value = {0};
    struct bounds bounds = bounds_of(shape, checker);
    struct verdict verdict = kind_read(shape->kind, text, size, &bounds, &value);
    tell(shape, &verdict, text, checker, place);
    if (verdict.error != RULE_NONE) {
        return true;
    }
    if (shape->kind == KIND_INSEE_NAME) {
        return put_insee_name(record, text, size);
    }
    const ProtobufCFieldDescriptor *field = record_field(record, shape->field);
    if (kind_is_text(shape->kind)) {
        return record_put_string(record, field, text, size);
    }
    char printed[KIND_PRINT_BYTES];
    kind_print(shape->kind, &value, printed);
    if (strlen(printed) != size || memcmp(printed, text, size) != 0) {
        checker_tell(checker, RULE_SPELLING, place, NULL);
        return true;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return put_message(record, field, shape->kind, &value);
    }
    record_put_number(record, field, value.number);
    return true;
}

static void print_insee_name(const ProtobufCMessage *record, struct text *out)
{
    const char *family = record_string(record, record_field(record, "family_name"), 0);
    const char *given = record_string(record, record_field(record, "given_names"), 0);
    bool cut = record_number(record, record_field(record, "name_cut"), 0) != 0;
    if (*family == '\0' && *given == '\0') {
        return;
    }
    text_string(out, family);
    if (*given != '\0' || !cut) {
        text_char(out, '*');
        text_string(out, given);
    }
    if (!cut) {
        text_char(out, '/');
    }
}

size_t leaf_count(const ProtobufCMessage *record, const struct shape *shape)
{
    return record_count(record, record_field(record, shape->field));
}

void leaf_print(const ProtobufCMessage *record, const struct shape *shape, size_t index,
                struct text *out)
{
    if (shape->kind == KIND_INSEE_NAME) {
        print_insee_name(record, out);
        return;
    }
    const ProtobufCFieldDescriptor *field = record_field(record, shape->field);
    if (record_count(record, field) <= index) {
        return;
    }
    if (kind_is_text(shape->kind)) {
        text_string(out, record_string(record, field, index));
        return;
    }
    struct value value = {0};
    if (shape->kind == KIND_COUNT) {
        value.number =
            ((const Relais__Flows__V1__Count *)record_message(record, field, index))->value;
    } else if (kind_is_date(shape->kind)) {
        const Relais__Flows__V1__Date *date =
            (const Relais__Flows__V1__Date *)record_message(record, field, index);
        value.date = (struct date){date->year, date->month, date->day};
    } else {
        value.number = (uint32_t)record_number(record, field, index);
    }
    char printed[KIND_PRINT_BYTES];
    kind_print(shape->kind, &value, printed);
    /* What cannot be written is not nothing: a blank fails the check of every kind but text. */
    text_string(out, *printed != '\0' ? printed : " ");
}

void leaf_check(const struct shape *shape, const char *text, size_t size, struct checker *checker,
                struct place place)
{
    struct value value = {0};
    struct bounds bounds = bounds_of(shape, checker);
    struct verdict verdict = kind_read(shape->kind, text, size, &bounds, &value);
    tell(shape, &verdict, text, checker, place);
}

/* Where in the document a check is: the path of the group, for complaints. */
struct level {
    const struct shape *shapes;
    size_t count;
    const char *path;
};

static bool check_level(const struct level *level, const ProtobufCMessage *record,
                        struct checker *checker, struct text *scratch);

static bool check_groups(const struct shape *shape, const char *path,
                         const ProtobufCMessage *record, struct checker *checker,
                         struct text *scratch)
{
    const ProtobufCFieldDescriptor *field = record_field(record, shape->field);
    const struct level level = {shape->children, shape->child_count, path};
    if (shape->required && record_count(record, field) == 0) {
        checker_tell(checker, RULE_REQUIRED, (struct place){.line = checker->line, .field = path},
                     NULL);
    }
    for (size_t i = 0; i < record_count(record, field); i++) {
        if (!check_level(&level, record_message(record, field, i), checker, scratch)) {
            return false;
        }
    }
    return true;
}

static bool check_values(const struct shape *shape, const char *path,
                         const ProtobufCMessage *record, struct checker *checker,
                         struct text *scratch)
{
    const struct place place = {.line = checker->line, .field = path};
    size_t count = leaf_count(record, shape);
    for (size_t i = 0; i < (count > 0 ? count : 1); i++) {
        text_clear(scratch);
        leaf_print(record, shape, i, scratch);
        if (!text_fine(scratch)) {
            return false;
        }
        if (scratch->size > 0) {
            leaf_check(shape, scratch->data, scratch->size, checker, place);
        } else if (shape->required) {
            checker_tell(checker, RULE_REQUIRED, place, NULL);
        }
    }
    return true;
}

static bool check_level(const struct level *level, const ProtobufCMessage *record,
                        struct checker *checker, struct text *scratch)
{
    for (size_t i = 0; i < level->count; i++) {
        const struct shape *shape = &level->shapes[i];
        if (shape->kind == KIND_COVERED) {
            continue;
        }
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s%s%s", level->path, *level->path ? "/" : "", shape->name);
        bool fine = shape->kind == KIND_GROUP ? check_groups(shape, path, record, checker, scratch)
                                              : check_values(shape, path, record, checker, scratch);
        if (!fine) {
            return false;
        }
    }
    return true;
}

bool leaf_check_record(const struct document *document, const ProtobufCMessage *record,
                       struct checker *checker, struct text *scratch)
{
    const struct level level = {document->shapes, document->shape_count, ""};
    if (!check_level(&level, record, checker, scratch)) {
        return false;
    }
    if (document->check) {
        document->check(record, checker);
    }
    return true;
}

static const struct shape *shape_of_field(const struct shape *shapes, size_t count,
                                          const char *field)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(shapes[i].field, field) == 0) {
            return &shapes[i];
        }
    }
    return NULL;
}

void leaf_check_places(const struct shape *shapes, size_t count, const ProtobufCMessage *record,
                       struct checker *checker)
{
    const ProtobufCMessageDescriptor *descriptor = record->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const struct shape *shape = shape_of_field(shapes, count, field->name);
        size_t values = record_count(record, field);
        if (!shape && values > 0) {
            checker_tell(checker, RULE_NO_PLACE,
                         (struct place){.line = checker->line, .field = field->name}, NULL);
        }
        for (size_t k = 0; shape && shape->kind == KIND_GROUP && k < values; k++) {
            leaf_check_places(shape->children, shape->child_count, record_message(record, field, k),
                              checker);
        }
    }
}
