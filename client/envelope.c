/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message to the bytes of an envelope, and an envelope to a message. Time has a precision of one
 * millisecond on this side; what another sender wrote more precisely is cut.
 */
#include "client/envelope.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "program/locale.h"
#include "seal/wrap.h"
#include "trust/envelope_signature.h"
#include "wire/codec.h"

enum {
    MILLISECOND_NANOS = 1000000,
    SOURCE_TEXT_BYTES = 160, /* "relais:" and an address */
};

/* Everything that a packed envelope points into, besides the message itself. */
struct envelope_parts {
    Relais__V1__Envelope envelope;
    Relais__V1__Timestamp time;
    Relais__V1__Extension extensions[RELAIS_EXTENSIONS_MAX];
    Relais__V1__Extension *extension_list[RELAIS_EXTENSIONS_MAX];
    Relais__V1__Timestamp extension_times[RELAIS_EXTENSIONS_MAX];
    char source[SOURCE_TEXT_BYTES];
    uint8_t digest[RELAIS_DIGEST_BYTES];
    ProtobufCBinaryData wraps[RELAIS_RECIPIENTS_MAX];
};

void envelope_digest(struct bytes payload, uint8_t out_digest[RELAIS_DIGEST_BYTES])
{
    (void)crypto_generichash(out_digest, RELAIS_DIGEST_BYTES, payload.data, payload.size, NULL, 0);
}

/* protobuf-c wants char * and uint8_t * for what it only reads. */
static char *borrow(const char *text)
{
    return text != NULL ? (char *)(uintptr_t)text : (char *)protobuf_c_empty_string;
}

static void fill_time(Relais__V1__Timestamp *time, int64_t time_ms)
{
    int64_t seconds = time_ms / 1000;
    int64_t rest = time_ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    relais__v1__timestamp__init(time);
    time->seconds = seconds;
    time->nanos = (int32_t)(rest * MILLISECOND_NANOS);
}

static void fill_extension(struct envelope_parts *parts, size_t at, const relais_extension *given)
{
    Relais__V1__Extension *extension = &parts->extensions[at];
    relais__v1__extension__init(extension);
    parts->extension_list[at] = extension;
    extension->name = borrow(given->name);
    switch (given->kind) {
    case RELAIS_EXTENSION_INTEGER:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_INTEGER;
        extension->ce_integer = given->integer;
        break;
    case RELAIS_EXTENSION_BOOLEAN:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_BOOLEAN;
        extension->ce_boolean = given->integer != 0;
        break;
    case RELAIS_EXTENSION_BYTES:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_BYTES;
        extension->ce_bytes.data = (uint8_t *)(uintptr_t)given->bytes.data;
        extension->ce_bytes.len = given->bytes.size;
        break;
    case RELAIS_EXTENSION_URI:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_URI;
        extension->ce_uri = borrow(given->text);
        break;
    case RELAIS_EXTENSION_URI_REF:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_URI_REF;
        extension->ce_uri_ref = borrow(given->text);
        break;
    case RELAIS_EXTENSION_TIME:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_TIMESTAMP;
        fill_time(&parts->extension_times[at], given->time_ms);
        extension->ce_timestamp = &parts->extension_times[at];
        break;
    case RELAIS_EXTENSION_STRING:
    default:
        extension->value_case = RELAIS__V1__EXTENSION__VALUE_CE_STRING;
        extension->ce_string = borrow(given->text);
        break;
    }
}

static Relais__V1__Priority wire_priority(relais_priority priority)
{
    switch (priority) {
    case RELAIS_PRIORITY_LOW:
        return RELAIS__V1__PRIORITY__PRIORITY_LOW;
    case RELAIS_PRIORITY_HIGH:
        return RELAIS__V1__PRIORITY__PRIORITY_HIGH;
    case RELAIS_PRIORITY_NORMAL:
    default:
        return RELAIS__V1__PRIORITY__PRIORITY_UNSPECIFIED;
    }
}

static void fill_bus_fields(Relais__V1__Envelope *envelope, const relais_message *message)
{
    envelope->n_to = message->to_count;
    envelope->to = (char **)(uintptr_t)message->to;
    envelope->flow = borrow(message->flow);
    envelope->from = borrow(message->from);
    envelope->correlation_id = borrow(message->correlation_id);
    envelope->reply_to = borrow(message->reply_to);
    envelope->expires_at_ms = message->expires_at_ms;
    envelope->not_before_ms = message->not_before_ms;
    envelope->priority = wire_priority(message->priority);
    envelope->ordering_key = borrow(message->ordering_key);
    envelope->supersedes = borrow(message->supersedes);
    envelope->purpose = borrow(message->purpose);
    envelope->dataclassification = borrow(message->dataclassification);
    envelope->dataregulation = borrow(message->dataregulation);
    envelope->datacategory = borrow(message->datacategory);
    envelope->traceparent = borrow(message->traceparent);
}

static const char *choose_source(const relais_message *message,
                                 const struct envelope_defaults *defaults, char *out_text)
{
    if (message->source != NULL && message->source[0] != '\0') {
        return message->source;
    }
    const char *who =
        message->from != NULL && message->from[0] != '\0' ? message->from : defaults->member;
    (void)snprintf(out_text, SOURCE_TEXT_BYTES, "relais:%s", who);
    return out_text;
}

static void fill(struct envelope_parts *parts, const relais_message *message,
                 const struct envelope_defaults *defaults)
{
    Relais__V1__Envelope *envelope = &parts->envelope;
    relais__v1__envelope__init(envelope);
    envelope->id = borrow(message->id != NULL ? message->id : defaults->id);
    envelope->source = borrow(choose_source(message, defaults, parts->source));
    envelope->type = borrow(message->type);
    envelope->subject = borrow(message->subject);
    envelope->datacontenttype = borrow(message->datacontenttype);
    envelope->dataschema = borrow(message->dataschema);
    fill_time(&parts->time, message->time_ms != 0 ? message->time_ms : defaults->now_ms);
    envelope->time = &parts->time;
    for (size_t i = 0; i < message->extension_count; i++) {
        fill_extension(parts, i, &message->extensions[i]);
    }
    envelope->extensions = parts->extension_list;
    envelope->n_extensions = message->extension_count;
    fill_bus_fields(envelope, message);
    envelope->payload_size = message->payload.size;
    if (defaults->digest != NULL) {
        memcpy(parts->digest, defaults->digest, sizeof parts->digest);
        envelope->payload_size = defaults->payload_size;
    } else {
        envelope_digest((struct bytes){message->payload.data, message->payload.size},
                        parts->digest);
    }
    envelope->payload_digest.data = parts->digest;
    envelope->payload_digest.len = sizeof parts->digest;
}

static void fill_wraps(struct envelope_parts *parts, const struct envelope_seal *seal)
{
    for (size_t i = 0; i < seal->wrap_count; i++) {
        parts->wraps[i].data = (uint8_t *)(uintptr_t)(seal->wraps + i * SEAL_WRAP_BYTES);
        parts->wraps[i].len = SEAL_WRAP_BYTES;
    }
    parts->envelope.wraps = parts->wraps;
    parts->envelope.n_wraps = seal->wrap_count;
}

relais_status envelope_pack(const relais_message *message, const struct envelope_defaults *defaults,
                            uint8_t **out_bytes, size_t *out_size, relais_error *error)
{
    struct envelope_parts parts;
    const struct envelope_seal *seal = defaults->seal;
    fill(&parts, message, defaults);
    if (seal != NULL) {
        fill_wraps(&parts, seal);
    }
    size_t size = relais__v1__envelope__get_packed_size(&parts.envelope);
    size_t signature = seal != NULL ? ENVELOPE_SIGNATURE_FIELD_BYTES : 0;
    if (size + signature > WIRE_ENVELOPE_BYTES) {
        return error_fill(error, RELAIS_TOO_LARGE, "envelope", NULL,
                          _("at most 16384 bytes for all fields but the payload"));
    }
    uint8_t *bytes = malloc(size + signature);
    if (bytes == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    size = relais__v1__envelope__pack(&parts.envelope, bytes);
    if (seal != NULL &&
        envelope_sign((struct bytes){bytes, size}, seal->key, bytes + size) != TRUST_OK) {
        free(bytes);
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    *out_size = size + signature;
    *out_bytes = bytes;
    return RELAIS_OK;
}
