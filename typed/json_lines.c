/* SPDX-License-Identifier: EUPL-1.2
 *
 * Typed payloads as JSON, one item a line: read and written.
 */
#include "typed/item.h"
#include "typed/json_fields.h"
#include "typed/lines.h"
#include "typed/record.h"
#include "typed/sequence.h"
#include "typed/target.h"

#include <stdlib.h>
#include <string.h>

struct json_reader {
    struct source source;
    struct source_setup setup;
    struct sequence sequence;
    struct lines lines;
};

static relais_status read_item(struct json_reader *reader, const json_t *object)
{
    struct checker *checker = reader->setup.checker;
    uint64_t errors = checker->errors;
    ProtobufCMessage *item = record_new(&relais__flows__v1__item__descriptor);
    if (!item || !json_fields_read(object, item, checker, "")) {
        record_free(item);
        return RELAIS_NO_MEMORY;
    }
    relais_status status =
        sequence_take(&reader->sequence, (const Relais__Flows__V1__Item *)item, errors);
    record_free(item);
    return status;
}

static relais_status told(struct json_reader *reader, relais_status status)
{
    if (status != RELAIS_TOO_LARGE) {
        return status;
    }
    checker_tell(reader->setup.checker, RULE_ITEM_LARGE, (struct place){.line = reader->lines.line},
                 NULL);
    return RELAIS_FIELD_INVALID;
}

static bool is_sign(char byte)
{
    return byte == '[' || byte == '{' || byte == ',' || byte == ':';
}

/* True when a line has few enough values, counted before any of them is allocated. */
static bool is_bounded(const char *data, size_t size)
{
    size_t signs = 0;
    bool quoted = false;
    for (size_t i = 0; i < size && signs <= JSON_SIGNS_MAX; i++) {
        if (quoted && data[i] == '\\') {
            i++;
        } else if (data[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && is_sign(data[i])) {
            signs++;
        }
    }
    return signs <= JSON_SIGNS_MAX;
}

static relais_status read_line(void *context, const char *data, size_t size,
                               Relais__Flows__V1__LineEnd line_end)
{
    struct json_reader *reader = context;
    (void)line_end;
    if (size == 0) {
        return RELAIS_OK;
    }
    sequence_next(&reader->sequence, reader->lines.line);
    if (!is_bounded(data, size)) {
        return told(reader, RELAIS_TOO_LARGE);
    }
    json_error_t error;
    json_t *object = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        size_t column = !object && error.column > 0 ? (size_t)error.column : 0;
        json_decref(object);
        checker_tell(reader->setup.checker, RULE_JSON,
                     (struct place){.line = reader->lines.line, .column = column}, NULL);
        return sequence_refuse(&reader->sequence);
    }
    relais_status status = read_item(reader, object);
    json_decref(object);
    return status;
}

static relais_status feed(struct source *source, const char *data, size_t size)
{
    struct json_reader *reader = (struct json_reader *)source;
    return told(reader, lines_feed(&reader->lines, data, size));
}

static relais_status end_reading(struct source *source)
{
    struct json_reader *reader = (struct json_reader *)source;
    relais_status status = told(reader, lines_end(&reader->lines));
    return status == RELAIS_OK ? sequence_end(&reader->sequence) : status;
}

static void free_reader(struct source *source)
{
    struct json_reader *reader = (struct json_reader *)source;
    lines_fini(&reader->lines);
    sequence_fini(&reader->sequence);
    free(reader);
}

struct source *json_reader_new(const struct source_setup *setup)
{
    struct json_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return NULL;
    }
    reader->source = (struct source){.feed = feed, .end = end_reading, .free = free_reader};
    reader->setup = *setup;
    sequence_init(&reader->sequence, &reader->setup);
    lines_init(&reader->lines, ITEM_BYTES, read_line, reader);
    return &reader->source;
}

struct json_writer {
    struct target target;
    struct target_setup setup;
};

static relais_status write_item(struct target *target, const Relais__Flows__V1__Item *item,
                                bool *out_refused)
{
    struct json_writer *writer = (struct json_writer *)target;
    *out_refused = false;
    json_t *object = json_fields_write((const ProtobufCMessage *)item);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!line) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = writer->setup.write(writer->setup.context, line, strlen(line));
    free(line);
    return status == RELAIS_OK ? writer->setup.write(writer->setup.context, "\n", 1) : status;
}

static relais_status end_writing(struct target *target)
{
    (void)target;
    return RELAIS_OK;
}

static void free_writer(struct target *target)
{
    free(target);
}

struct target *json_writer_new(const struct target_setup *setup)
{
    struct json_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->target = (struct target){.item = write_item, .end = end_writing, .free = free_writer};
    writer->setup = *setup;
    return &writer->target;
}
