/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record.h. A new field of relais_message gets a row in `texts` or a tag of its own;
 * check_record.c notices when the struct has grown.
 */
#include "adapter/record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LAYOUT = 1, FIELD_HEAD_BYTES = 5, NUMBER_BYTES = 8, EXTENSION_HEAD_BYTES = 13 };

enum tag {
    TAG_TO = 1,
    TAG_TO_SUBSCRIBERS,
    TAG_TIME,
    TAG_EXPIRES,
    TAG_NOT_BEFORE,
    TAG_PRIORITY,
    TAG_EXTENSION,
    TAG_PAYLOAD,
    TAG_TEXTS = 16, /* and on: the rows of `texts` */
};

/* Rows are never removed nor moved: their place is on disk. */
static const size_t texts[] = {
    offsetof(relais_message, id),
    offsetof(relais_message, source),
    offsetof(relais_message, type),
    offsetof(relais_message, subject),
    offsetof(relais_message, datacontenttype),
    offsetof(relais_message, dataschema),
    offsetof(relais_message, flow),
    offsetof(relais_message, from),
    offsetof(relais_message, correlation_id),
    offsetof(relais_message, reply_to),
    offsetof(relais_message, ordering_key),
    offsetof(relais_message, supersedes),
    offsetof(relais_message, purpose),
    offsetof(relais_message, dataclassification),
    offsetof(relais_message, dataregulation),
    offsetof(relais_message, datacategory),
    offsetof(relais_message, traceparent),
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

/* Counts when `out` is NULL. */
struct writer {
    unsigned char *out;
    size_t size;
};

static void put(struct writer *writer, const void *data, size_t size)
{
    if (writer->out && size > 0) {
        memcpy(writer->out + writer->size, data, size);
    }
    writer->size += size;
}

static void put_number(struct writer *writer, uint64_t number, size_t bytes)
{
    unsigned char text[NUMBER_BYTES];
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (unsigned char)(number >> (8 * i));
    }
    put(writer, text, bytes);
}

static void put_head(struct writer *writer, unsigned tag, size_t size)
{
    put_number(writer, tag, 1);
    put_number(writer, size, 4);
}

static void put_text(struct writer *writer, unsigned tag, const char *text)
{
    if (text) {
        put_head(writer, tag, strlen(text) + 1);
        put(writer, text, strlen(text) + 1);
    }
}

static void put_int(struct writer *writer, unsigned tag, int64_t number)
{
    if (number != 0) {
        put_head(writer, tag, NUMBER_BYTES);
        put_number(writer, (uint64_t)number, NUMBER_BYTES);
    }
}

static void put_extension(struct writer *writer, const relais_extension *extension)
{
    size_t name = strlen(extension->name) + 1;
    bool is_bytes = extension->kind == RELAIS_EXTENSION_BYTES;
    const void *data = is_bytes ? extension->bytes.data : extension->text;
    size_t size = extension->bytes.size;
    if (!is_bytes) {
        size = extension->text ? strlen(extension->text) + 1 : 0;
    }
    put_head(writer, TAG_EXTENSION, EXTENSION_HEAD_BYTES + name + size);
    put_number(writer, (uint64_t)extension->kind, 1);
    put_number(writer, (uint32_t)extension->integer, 4);
    put_number(writer, (uint64_t)extension->time_ms, NUMBER_BYTES);
    put(writer, extension->name, name);
    put(writer, data, size);
}

static void put_message(struct writer *writer, const relais_message *message)
{
    put_number(writer, LAYOUT, 1);
    for (unsigned i = 0; i < TEXTS; i++) {
        const char *text = NULL;
        memcpy(&text, (const char *)message + texts[i], sizeof text);
        put_text(writer, TAG_TEXTS + i, text);
    }
    for (size_t i = 0; i < message->to_count; i++) {
        put_text(writer, TAG_TO, message->to[i]);
    }
    put_int(writer, TAG_TO_SUBSCRIBERS, message->to_subscribers ? 1 : 0);
    put_int(writer, TAG_TIME, message->time_ms);
    put_int(writer, TAG_EXPIRES, message->expires_at_ms);
    put_int(writer, TAG_NOT_BEFORE, message->not_before_ms);
    put_int(writer, TAG_PRIORITY, (int64_t)message->priority);
    for (size_t i = 0; i < message->extension_count; i++) {
        put_extension(writer, &message->extensions[i]);
    }
    if (message->payload.size > 0) {
        put_head(writer, TAG_PAYLOAD, message->payload.size);
        put(writer, message->payload.data, message->payload.size);
    }
}

unsigned char *record_write_message(const relais_message *message, size_t *out_size)
{
    struct writer writer = {0};
    *out_size = 0;
    if (message->payload.size > RECORD_MESSAGE_BYTES) {
        return NULL;
    }
    put_message(&writer, message);
    if (writer.size > RECORD_MESSAGE_BYTES) {
        return NULL;
    }
    *out_size = writer.size;
    writer = (struct writer){.out = malloc(writer.size)};
    if (writer.out) {
        put_message(&writer, message);
    }
    return writer.out;
}

/* ---- reading ---- */

static uint64_t number_at(const unsigned char *data, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number |= (uint64_t)data[i] << (8 * i);
    }
    return number;
}

/* The bytes of a field as text, or NULL. */
static const char *text_of(relais_bytes field)
{
    const char *text = field.data;
    return field.size > 0 && memchr(text, '\0', field.size) == text + field.size - 1 ? text : NULL;
}

static bool read_extension(relais_bytes field, struct record_message *out)
{
    const unsigned char *data = field.data;
    if (out->message.extension_count == RELAIS_EXTENSIONS_MAX ||
        field.size <= EXTENSION_HEAD_BYTES || data[0] > RELAIS_EXTENSION_TIME) {
        return false;
    }
    relais_extension *extension = &out->extensions[out->message.extension_count];
    const char *name = (const char *)data + EXTENSION_HEAD_BYTES;
    const char *end = memchr(name, '\0', field.size - EXTENSION_HEAD_BYTES);
    if (!end) {
        return false;
    }
    *extension = (relais_extension){
        .name = name,
        .kind = (relais_extension_kind)data[0],
        .integer = (int32_t)number_at(data + 1, 4),
        .time_ms = (int64_t)number_at(data + 5, NUMBER_BYTES),
    };
    relais_bytes rest = {end + 1, field.size - EXTENSION_HEAD_BYTES - (size_t)(end + 1 - name)};
    if (extension->kind == RELAIS_EXTENSION_BYTES) {
        extension->bytes = rest;
    } else if (rest.size > 0) {
        extension->text = text_of(rest);
    }
    out->message.extension_count++;
    return extension->kind == RELAIS_EXTENSION_BYTES || rest.size == 0 || extension->text;
}

static bool read_number(relais_bytes field, int64_t *out_number)
{
    if (field.size == NUMBER_BYTES) {
        *out_number = (int64_t)number_at(field.data, NUMBER_BYTES);
    }
    return field.size == NUMBER_BYTES;
}

static bool read_small(relais_bytes field, int64_t max, int64_t *out_number)
{
    return read_number(field, out_number) && *out_number >= 0 && *out_number <= max;
}

static bool read_to(relais_bytes field, struct record_message *out)
{
    const char *text = text_of(field);
    if (!text || out->message.to_count == RELAIS_RECIPIENTS_MAX) {
        return false;
    }
    out->to[out->message.to_count++] = text;
    return true;
}

static bool read_text(relais_bytes field, unsigned tag, struct record_message *out)
{
    const char *text = text_of(field);
    if (!text || tag < TAG_TEXTS || tag - TAG_TEXTS >= TEXTS) {
        return false;
    }
    memcpy((char *)&out->message + texts[tag - TAG_TEXTS], &text, sizeof text);
    return true;
}

static bool read_field(unsigned tag, relais_bytes field, struct record_message *out)
{
    int64_t number = 0;
    bool fine = true;
    switch (tag) {
    case TAG_TO:
        return read_to(field, out);
    case TAG_TO_SUBSCRIBERS:
        fine = read_small(field, 1, &number);
        out->message.to_subscribers = number == 1;
        return fine;
    case TAG_TIME:
        return read_number(field, &out->message.time_ms);
    case TAG_EXPIRES:
        return read_number(field, &out->message.expires_at_ms);
    case TAG_NOT_BEFORE:
        return read_number(field, &out->message.not_before_ms);
    case TAG_PRIORITY:
        fine = read_small(field, RELAIS_PRIORITY_HIGH, &number);
        out->message.priority = fine ? (relais_priority)number : RELAIS_PRIORITY_NORMAL;
        return fine;
    case TAG_EXTENSION:
        return read_extension(field, out);
    case TAG_PAYLOAD:
        out->message.payload = field;
        return true;
    default:
        return read_text(field, tag, out);
    }
}

bool record_read_message(relais_bytes run, struct record_message *out_message)
{
    const unsigned char *data = run.data;
    memset(out_message, 0, sizeof *out_message);
    if (run.size == 0 || run.size > RECORD_MESSAGE_BYTES || data[0] != LAYOUT) {
        return false;
    }
    for (size_t at = 1; at < run.size;) {
        if (run.size - at < FIELD_HEAD_BYTES) {
            return false;
        }
        size_t size = (size_t)number_at(data + at + 1, 4);
        relais_bytes field = {data + at + FIELD_HEAD_BYTES, size};
        if (size > run.size - at - FIELD_HEAD_BYTES || !read_field(data[at], field, out_message)) {
            return false;
        }
        at += FIELD_HEAD_BYTES + size;
    }
    out_message->message.to = out_message->to;
    out_message->message.extensions = out_message->extensions;
    return out_message->message.id != NULL;
}

/* ---- pieces ---- */

static uint64_t checksum(unsigned table, relais_bytes key, relais_bytes body)
{
    uint64_t seed = XXH3_64bits_withSeed(key.data, key.size, (XXH64_hash_t)table + 1);
    return XXH3_64bits_withSeed(body.data, body.size, seed);
}

size_t record_seal(unsigned table, relais_bytes key, relais_bytes body, unsigned char *out_node)
{
    struct writer writer = {.out = out_node};
    put_number(&writer, checksum(table, key, body), RECORD_CHECKSUM_BYTES);
    put(&writer, body.data, body.size);
    return writer.size;
}

bool record_open(unsigned table, relais_bytes key, relais_bytes node, relais_bytes *out_body)
{
    if (node.size < RECORD_CHECKSUM_BYTES) {
        return false;
    }
    relais_bytes body = {(const unsigned char *)node.data + RECORD_CHECKSUM_BYTES,
                         node.size - RECORD_CHECKSUM_BYTES};
    if (number_at(node.data, RECORD_CHECKSUM_BYTES) != checksum(table, key, body)) {
        return false;
    }
    *out_body = body;
    return true;
}
