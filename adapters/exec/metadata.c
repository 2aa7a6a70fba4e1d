/* SPDX-License-Identifier: EUPL-1.2
 *
 * See metadata.h.
 */
#include "adapters/exec/metadata.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 24, NAME_BYTES = 64, EXTENSION_NAME_BYTES = 20 };

static const struct {
    const char *key;
    const char *variable;
    size_t offset;
} texts[] = {
    {"id", "RELAIS_ID", offsetof(relais_message, id)},
    {"source", "RELAIS_SOURCE", offsetof(relais_message, source)},
    {"type", "RELAIS_TYPE", offsetof(relais_message, type)},
    {"subject", "RELAIS_SUBJECT", offsetof(relais_message, subject)},
    {"media_type", "RELAIS_MEDIA_TYPE", offsetof(relais_message, datacontenttype)},
    {"dataschema", "RELAIS_DATASCHEMA", offsetof(relais_message, dataschema)},
    {"flow", "RELAIS_FLOW", offsetof(relais_message, flow)},
    {"from", "RELAIS_FROM", offsetof(relais_message, from)},
    {"correlation_id", "RELAIS_CORRELATION_ID", offsetof(relais_message, correlation_id)},
    {"reply_to", "RELAIS_REPLY_TO", offsetof(relais_message, reply_to)},
    {"ordering_key", "RELAIS_ORDERING_KEY", offsetof(relais_message, ordering_key)},
    {"supersedes", "RELAIS_SUPERSEDES", offsetof(relais_message, supersedes)},
    {"purpose", "RELAIS_PURPOSE", offsetof(relais_message, purpose)},
    {"dataclassification", "RELAIS_DATACLASSIFICATION",
     offsetof(relais_message, dataclassification)},
    {"dataregulation", "RELAIS_DATAREGULATION", offsetof(relais_message, dataregulation)},
    {"datacategory", "RELAIS_DATACATEGORY", offsetof(relais_message, datacategory)},
    {"traceparent", "RELAIS_TRACEPARENT", offsetof(relais_message, traceparent)},
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

static const char *const priorities[] = {[RELAIS_PRIORITY_NORMAL] = "normal",
                                         [RELAIS_PRIORITY_LOW] = "low",
                                         [RELAIS_PRIORITY_HIGH] = "high"};

static const char *text_at(const relais_message *message, size_t row)
{
    const char *text = NULL;
    memcpy(&text, (const char *)message + texts[row].offset, sizeof text);
    return text;
}

static const char *priority_of(const relais_message *message)
{
    unsigned priority = (unsigned)message->priority;
    return priorities[priority <= RELAIS_PRIORITY_HIGH ? priority : RELAIS_PRIORITY_NORMAL];
}

static char *base64_of(relais_bytes bytes)
{
    size_t size = sodium_base64_ENCODED_LEN(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    if (text) {
        (void)sodium_bin2base64(text, size, bytes.data, bytes.size, sodium_base64_VARIANT_ORIGINAL);
    }
    return text;
}

/* A text for each kind but the two that JSON knows itself; freed with free(). */
static char *text_of(const relais_extension *extension)
{
    char number[NUMBER_BYTES];
    switch (extension->kind) {
    case RELAIS_EXTENSION_BYTES:
        return base64_of(extension->bytes);
    case RELAIS_EXTENSION_TIME:
        (void)snprintf(number, sizeof number, "%" PRId64, extension->time_ms);
        return strdup(number);
    case RELAIS_EXTENSION_INTEGER:
        (void)snprintf(number, sizeof number, "%" PRId32, extension->integer);
        return strdup(number);
    case RELAIS_EXTENSION_BOOLEAN:
        return strdup(extension->integer != 0 ? "true" : "false");
    default:
        return strdup(extension->text ? extension->text : "");
    }
}

static json_t *json_of(const relais_extension *extension)
{
    if (extension->kind == RELAIS_EXTENSION_INTEGER) {
        return json_integer(extension->integer);
    }
    if (extension->kind == RELAIS_EXTENSION_BOOLEAN) {
        return json_boolean(extension->integer != 0);
    }
    if (extension->kind == RELAIS_EXTENSION_TIME) {
        return json_integer(extension->time_ms);
    }
    char *text = text_of(extension);
    json_t *value = text ? json_string(text) : NULL;
    free(text);
    return value;
}

/* json_object_set_new() refuses a NULL value, and takes the others. */
static bool set_lists(json_t *object, const relais_message *message)
{
    json_t *to = json_array();
    json_t *extensions = json_object();
    bool fine = json_object_set_new(object, "to", to) == 0 &&
                json_object_set_new(object, "extensions", extensions) == 0;
    for (size_t i = 0; fine && i < message->to_count; i++) {
        fine = json_array_append_new(to, json_string(message->to[i])) == 0;
    }
    for (size_t i = 0; fine && i < message->extension_count; i++) {
        fine = json_object_set_new(extensions, message->extensions[i].name,
                                   json_of(&message->extensions[i])) == 0;
    }
    return fine;
}

static bool set_texts(json_t *object, const relais_adapter_item *item,
                      const struct metadata_places *places)
{
    const relais_message *message = relais_adapter_message(item);
    bool fine = true;
    for (size_t i = 0; fine && i < TEXTS; i++) {
        const char *text = text_at(message, i);
        fine = !text || json_object_set_new(object, texts[i].key, json_string(text)) == 0;
    }
    return fine &&
           json_object_set_new(object, "mailbox", json_string(relais_adapter_mailbox(item))) == 0 &&
           json_object_set_new(object, "sender", json_string(relais_adapter_sender(item))) == 0 &&
           json_object_set_new(object, "priority", json_string(priority_of(message))) == 0 &&
           json_object_set_new(object, "payload", json_string(places->payload)) == 0;
}

static bool set_numbers(json_t *object, const relais_adapter_item *item)
{
    const relais_message *message = relais_adapter_message(item);
    const struct {
        const char *key;
        int64_t number;
    } numbers[] = {
        {"time_ms", message->time_ms},
        {"expires_at_ms", message->expires_at_ms},
        {"not_before_ms", message->not_before_ms},
        {"accepted_ms", relais_adapter_accepted_ms(item)},
        {"attempt", relais_adapter_attempt(item)},
        {"payload_bytes", (int64_t)relais_adapter_payload_bytes(item)},
    };
    bool fine = true;
    for (size_t i = 0; fine && i < sizeof numbers / sizeof numbers[0]; i++) {
        fine = json_object_set_new(object, numbers[i].key, json_integer(numbers[i].number)) == 0;
    }
    return fine;
}

char *metadata_text(const relais_adapter_item *item, const struct metadata_places *places)
{
    json_t *object = json_object();
    char *text = NULL;
    if (object && set_texts(object, item, places) && set_numbers(object, item) &&
        set_lists(object, relais_adapter_message(item))) {
        text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    return text;
}

static void set_number(struct environment *environment, const char *name, int64_t number)
{
    char text[NUMBER_BYTES];
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    environment_set(environment, name, text);
}

/* RELAIS_EXT_<NAME>. Names were checked on their way; what is not a letter or a digit here is not
 * set. */
static void set_extension(struct environment *environment, const relais_extension *extension)
{
    char name[NAME_BYTES] = "RELAIS_EXT_";
    size_t length = strlen(name);
    size_t name_length = strlen(extension->name);
    if (name_length > EXTENSION_NAME_BYTES) {
        return;
    }
    for (size_t i = 0; i < name_length; i++) {
        unsigned char letter = (unsigned char)extension->name[i];
        if (letter >= 0x80 || !isalnum(letter)) {
            return;
        }
        name[length + i] = (char)toupper(letter);
    }
    name[length + name_length] = '\0';
    char *text = text_of(extension);
    environment_set(environment, name, text);
    environment->failed = environment->failed || !text;
    free(text);
}

void metadata_variables(const relais_adapter_item *item, const struct metadata_places *places,
                        struct environment *environment)
{
    const relais_message *message = relais_adapter_message(item);
    for (size_t i = 0; i < TEXTS; i++) {
        environment_set(environment, texts[i].variable, text_at(message, i));
    }
    environment_set(environment, "RELAIS_MAILBOX", relais_adapter_mailbox(item));
    environment_set(environment, "RELAIS_SENDER", relais_adapter_sender(item));
    environment_set(environment, "RELAIS_PRIORITY", priority_of(message));
    environment_set(environment, "RELAIS_PAYLOAD", places->payload);
    environment_set(environment, "RELAIS_METADATA", places->metadata);
    environment_set(environment, "RELAIS_TEMP", places->folder);
    environment_set(environment, "TMPDIR", places->folder);
    set_number(environment, "RELAIS_TIME_MS", message->time_ms);
    set_number(environment, "RELAIS_ATTEMPT", relais_adapter_attempt(item));
    set_number(environment, "RELAIS_ACCEPTED_MS", relais_adapter_accepted_ms(item));
    set_number(environment, "RELAIS_PAYLOAD_BYTES", (int64_t)relais_adapter_payload_bytes(item));
    for (size_t i = 0; i < message->extension_count; i++) {
        set_extension(environment, &message->extensions[i]);
    }
}
