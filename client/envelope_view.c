/* SPDX-License-Identifier: EUPL-1.2
 *
 * An unpacked envelope as a relais_message in one block: the list of recipients, the extensions,
 * then all texts and bytes. The two functions walk the same fields in the same order; the second
 * never writes beyond what the first counted.
 */
#include "client/envelope.h"

#include <assert.h>
#include <string.h>

enum { MILLISECOND_NANOS = 1000000 };

/* Seconds that fit in milliseconds with room: what RFC 3339 can write (years 1 to 9999). */
static const int64_t seconds_first = -62135596800;
static const int64_t seconds_last = 253402300799;

struct text_room {
    char *next;
    char *end;
};

static size_t text_bytes(const char *text)
{
    return text != NULL && text[0] != '\0' ? strlen(text) + 1 : 0;
}

static const char *keep_text(struct text_room *room, const char *text)
{
    size_t size = text_bytes(text);
    if (size == 0) {
        return NULL;
    }
    assert(size <= (size_t)(room->end - room->next));
    char *copy = room->next;
    memcpy(copy, text, size);
    room->next += size;
    return copy;
}

static const char *extension_text(const Relais__V1__Extension *extension)
{
    switch (extension->value_case) {
    case RELAIS__V1__EXTENSION__VALUE_CE_STRING:
        return extension->ce_string;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI:
        return extension->ce_uri;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI_REF:
        return extension->ce_uri_ref;
    default:
        return NULL;
    }
}

static size_t extension_bytes(const Relais__V1__Extension *extension)
{
    if (extension->value_case == RELAIS__V1__EXTENSION__VALUE_CE_BYTES) {
        return extension->ce_bytes.len;
    }
    const char *text = extension_text(extension);
    return text != NULL ? strlen(text) + 1 : 0; /* an empty value is a value */
}

size_t envelope_view_bytes(const Relais__V1__Envelope *envelope)
{
    const char *const texts[] = {
        envelope->id,           envelope->source,
        envelope->type,         envelope->subject,
        envelope->dataschema,   envelope->datacontenttype,
        envelope->flow,         envelope->from,
        envelope->reply_to,     envelope->correlation_id,
        envelope->ordering_key, envelope->supersedes,
        envelope->purpose,      envelope->dataclassification,
        envelope->datacategory, envelope->dataregulation,
        envelope->traceparent,
    };
    size_t size =
        envelope->n_to * sizeof(const char *) + envelope->n_extensions * sizeof(relais_extension);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size += text_bytes(texts[i]);
    }
    for (size_t i = 0; i < envelope->n_to; i++) {
        size += strlen(envelope->to[i]) + 1;
    }
    for (size_t i = 0; i < envelope->n_extensions; i++) {
        size += strlen(envelope->extensions[i]->name) + 1;
        size += extension_bytes(envelope->extensions[i]);
    }
    return size;
}

static int64_t time_ms(const Relais__V1__Timestamp *time)
{
    if (time == NULL || time->seconds < seconds_first || time->seconds > seconds_last ||
        time->nanos < 0 || time->nanos >= 1000 * MILLISECOND_NANOS) {
        return 0;
    }
    return time->seconds * 1000 + time->nanos / MILLISECOND_NANOS;
}

static char *keep_bytes(struct text_room *room, const void *data, size_t size)
{
    assert(size <= (size_t)(room->end - room->next));
    char *copy = room->next;
    if (size > 0) {
        memcpy(copy, data, size);
    }
    room->next += size;
    return copy;
}

static void view_extension(struct text_room *room, const Relais__V1__Extension *extension,
                           relais_extension *out_extension)
{
    const char *text = extension_text(extension);
    *out_extension = (relais_extension){.kind = RELAIS_EXTENSION_STRING};
    out_extension->name = keep_bytes(room, extension->name, strlen(extension->name) + 1);
    if (text != NULL) {
        out_extension->text = keep_bytes(room, text, strlen(text) + 1);
    }
    switch (extension->value_case) {
    case RELAIS__V1__EXTENSION__VALUE_CE_BOOLEAN:
        out_extension->kind = RELAIS_EXTENSION_BOOLEAN;
        out_extension->integer = extension->ce_boolean ? 1 : 0;
        break;
    case RELAIS__V1__EXTENSION__VALUE_CE_INTEGER:
        out_extension->kind = RELAIS_EXTENSION_INTEGER;
        out_extension->integer = extension->ce_integer;
        break;
    case RELAIS__V1__EXTENSION__VALUE_CE_BYTES:
        out_extension->kind = RELAIS_EXTENSION_BYTES;
        out_extension->bytes.size = extension->ce_bytes.len;
        out_extension->bytes.data =
            keep_bytes(room, extension->ce_bytes.data, extension->ce_bytes.len);
        break;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI:
        out_extension->kind = RELAIS_EXTENSION_URI;
        break;
    case RELAIS__V1__EXTENSION__VALUE_CE_URI_REF:
        out_extension->kind = RELAIS_EXTENSION_URI_REF;
        break;
    case RELAIS__V1__EXTENSION__VALUE_CE_TIMESTAMP:
        out_extension->kind = RELAIS_EXTENSION_TIME;
        out_extension->time_ms = time_ms(extension->ce_timestamp);
        break;
    default:
        break;
    }
}

static relais_priority view_priority(Relais__V1__Priority priority)
{
    switch (priority) {
    case RELAIS__V1__PRIORITY__PRIORITY_LOW:
        return RELAIS_PRIORITY_LOW;
    case RELAIS__V1__PRIORITY__PRIORITY_HIGH:
        return RELAIS_PRIORITY_HIGH;
    default:
        return RELAIS_PRIORITY_NORMAL;
    }
}

static void view_texts(struct text_room *room, const Relais__V1__Envelope *envelope,
                       relais_message *message)
{
    message->id = keep_text(room, envelope->id);
    message->source = keep_text(room, envelope->source);
    message->type = keep_text(room, envelope->type);
    message->subject = keep_text(room, envelope->subject);
    message->datacontenttype = keep_text(room, envelope->datacontenttype);
    message->dataschema = keep_text(room, envelope->dataschema);
    message->flow = keep_text(room, envelope->flow);
    message->from = keep_text(room, envelope->from);
    message->correlation_id = keep_text(room, envelope->correlation_id);
    message->reply_to = keep_text(room, envelope->reply_to);
    message->ordering_key = keep_text(room, envelope->ordering_key);
    message->supersedes = keep_text(room, envelope->supersedes);
    message->purpose = keep_text(room, envelope->purpose);
    message->dataclassification = keep_text(room, envelope->dataclassification);
    message->dataregulation = keep_text(room, envelope->dataregulation);
    message->datacategory = keep_text(room, envelope->datacategory);
    message->traceparent = keep_text(room, envelope->traceparent);
}

void envelope_view(const Relais__V1__Envelope *envelope, void *memory, relais_message *out_message)
{
    relais_extension *extensions = memory; /* first: they need the widest alignment */
    const char **to = (const char **)(extensions + envelope->n_extensions);
    struct text_room room = {
        .next = (char *)(to + envelope->n_to),
        .end = (char *)memory + envelope_view_bytes(envelope),
    };
    *out_message = (relais_message){.to = to, .extensions = extensions};
    view_texts(&room, envelope, out_message);
    for (size_t i = 0; i < envelope->n_to; i++) {
        to[i] = keep_bytes(&room, envelope->to[i], strlen(envelope->to[i]) + 1);
    }
    for (size_t i = 0; i < envelope->n_extensions; i++) {
        view_extension(&room, envelope->extensions[i], &extensions[i]);
    }
    out_message->to_count = envelope->n_to;
    out_message->to_subscribers = envelope->n_to == 0 && envelope->supersedes[0] == '\0';
    out_message->extension_count = envelope->n_extensions;
    out_message->time_ms = time_ms(envelope->time);
    out_message->expires_at_ms = envelope->expires_at_ms;
    out_message->not_before_ms = envelope->not_before_ms;
    out_message->priority = view_priority(envelope->priority);
}
