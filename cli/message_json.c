/* SPDX-License-Identifier: EUPL-1.2
 *
 * The envelope's fields for -o json. Absent fields are left out.
 */
#include "cli/message_json.h"

#include "cli/base64.h"

#include <relais/payload.h>
#include <relais/sealing.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MS_PER_S = 1000, TIME_TEXT = 40, ERROR_LINE = 1024 };

struct named_text {
    const char *name;
    const char *text;
};

json_t *time_json(int64_t ms)
{
    time_t seconds = (time_t)(ms / MS_PER_S);
    int rest = (int)(ms % MS_PER_S);
    if (rest < 0) {
        rest += MS_PER_S;
        seconds--;
    }
    struct tm parts;
    char date[TIME_TEXT];
    char text[TIME_TEXT + 8];
    if (!gmtime_r(&seconds, &parts) ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        return json_null();
    }
    snprintf(text, sizeof(text), "%s.%03dZ", date, rest);
    return json_string(text);
}

static json_t *bytes_json(relais_bytes bytes)
{
    char *text = base64_new(bytes);
    json_t *value = text ? json_string(text) : NULL;
    free(text);
    return value;
}

static json_t *extension_json(const relais_extension *extension)
{
    switch (extension->kind) {
    case RELAIS_EXTENSION_INTEGER:
        return json_integer(extension->integer);
    case RELAIS_EXTENSION_BOOLEAN:
        return json_boolean(extension->integer != 0);
    case RELAIS_EXTENSION_BYTES:
        return bytes_json(extension->bytes);
    case RELAIS_EXTENSION_TIME:
        return time_json(extension->time_ms);
    case RELAIS_EXTENSION_STRING:
    case RELAIS_EXTENSION_URI:
    case RELAIS_EXTENSION_URI_REF:
        break;
    }
    return json_string(extension->text ? extension->text : "");
}

static void add_texts(json_t *object, const struct named_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (texts[i].text && *texts[i].text != '\0') {
            json_object_set_new(object, texts[i].name, json_string(texts[i].text));
        }
    }
}

static void add_time(json_t *object, const char *name, int64_t ms)
{
    if (ms != 0) {
        json_object_set_new(object, name, time_json(ms));
    }
}

static void add_message(json_t *object, const relais_message *message)
{
    static const char *const priorities[] = {
        [RELAIS_PRIORITY_LOW] = "low", [RELAIS_PRIORITY_HIGH] = "high"};
    const struct named_text texts[] = {
        {"id", message->id},
        {"source", message->source},
        {"type", message->type},
        {"subject", message->subject},
        {"datacontenttype", message->datacontenttype},
        {"dataschema", message->dataschema},
        {"flow", message->flow},
        {"from", message->from},
        {"correlation_id", message->correlation_id},
        {"reply_to", message->reply_to},
        {"ordering_key", message->ordering_key},
        {"supersedes", message->supersedes},
        {"purpose", message->purpose},
        {"dataclassification", message->dataclassification},
        {"dataregulation", message->dataregulation},
        {"datacategory", message->datacategory},
        {"traceparent", message->traceparent},
        {"priority",
         message->priority == RELAIS_PRIORITY_NORMAL ? NULL : priorities[message->priority]},
    };
    add_texts(object, texts, sizeof(texts) / sizeof(texts[0]));
    add_time(object, "time", message->time_ms);
    add_time(object, "expires_at", message->expires_at_ms);
    add_time(object, "not_before", message->not_before_ms);
    json_t *to = json_array();
    for (size_t i = 0; i < message->to_count; i++) {
        json_array_append_new(to, json_string(message->to[i]));
    }
    json_object_set_new(object, "to", to);
    json_t *extensions = json_object();
    for (size_t i = 0; i < message->extension_count; i++) {
        json_object_set_new(extensions, message->extensions[i].name,
                            extension_json(&message->extensions[i]));
    }
    json_object_set_new(object, "extensions", extensions);
}

/* A stored payload is shown without its bytes. */
static json_t *payload_json(const relais_delivery *delivery)
{
    return relais_delivery_stored_bytes(delivery) > 0
               ? json_null()
               : bytes_json(relais_delivery_message(delivery)->payload);
}

json_t *delivery_json(const relais_delivery *delivery, const char *path)
{
    const relais_message *message = relais_delivery_message(delivery);
    json_t *object = json_object();
    json_t *payload = path ? json_string(path) : payload_json(delivery);
    if (!object || !payload) {
        json_decref(object);
        json_decref(payload);
        return NULL;
    }
    add_message(object, message);
    json_object_set_new(object, "sender", json_string(relais_delivery_sender(delivery)));
    json_object_set_new(object, "sealed", json_boolean(relais_delivery_is_sealed(delivery)));
    json_object_set_new(object, "attempt", json_integer(relais_delivery_attempt(delivery)));
    json_object_set_new(object, "accepted", time_json(relais_delivery_accepted_ms(delivery)));
    uint64_t stored = relais_delivery_stored_bytes(delivery);
    json_object_set_new(object, "size",
                        json_integer((json_int_t)(stored > 0 ? stored : message->payload.size)));
    json_object_set_new(object, path ? "path" : "payload", payload);
    return object;
}

json_t *error_json(const relais_error *error)
{
    char line[ERROR_LINE];
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "status", relais_status_name(error->status),
                     "number", (int)error->status, "field", error->field, "wrong", error->wrong,
                     "right", error->right, "text", relais_error_text(error, line, sizeof(line)));
}
