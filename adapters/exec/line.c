/* SPDX-License-Identifier: EUPL-1.2
 *
 * See line.h.
 */
#include "adapters/exec/line.h"

#include "program/error.h"
#include "program/locale.h"

#include <jansson.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX INT64_C(315360000) /* ten years: a mistyped number, not a date */

static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"id", offsetof(relais_message, id)},
    {"source", offsetof(relais_message, source)},
    {"type", offsetof(relais_message, type)},
    {"subject", offsetof(relais_message, subject)},
    {"media_type", offsetof(relais_message, datacontenttype)},
    {"dataschema", offsetof(relais_message, dataschema)},
    {"flow", offsetof(relais_message, flow)},
    {"from", offsetof(relais_message, from)},
    {"correlation_id", offsetof(relais_message, correlation_id)},
    {"reply_to", offsetof(relais_message, reply_to)},
    {"ordering_key", offsetof(relais_message, ordering_key)},
    {"supersedes", offsetof(relais_message, supersedes)},
    {"purpose", offsetof(relais_message, purpose)},
    {"dataclassification", offsetof(relais_message, dataclassification)},
    {"dataregulation", offsetof(relais_message, dataregulation)},
    {"datacategory", offsetof(relais_message, datacategory)},
    {"traceparent", offsetof(relais_message, traceparent)},
};

static relais_status refuse(relais_error *error, const char *key, const char *right)
{
    return error_set(error, RELAIS_FIELD_INVALID, key, right, "%s", "");
}

static bool set_text(const char *key, const char *text, relais_message *message)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].key, key) == 0) {
            memcpy((char *)message + texts[i].offset, &text, sizeof text);
            return true;
        }
    }
    return false;
}

static relais_status read_to(json_t *value, struct line *line, relais_error *error)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count == 0 || count > RELAIS_RECIPIENTS_MAX) {
        return refuse(error, "to", _("one address or more, as member/service"));
    }
    for (size_t i = 0; i < count; i++) {
        json_t *address = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(address)) {
            return refuse(error, "to", _("one address or more, as member/service"));
        }
        line->to[i] = json_string_value(address);
    }
    line->message.to_count = count;
    return RELAIS_OK;
}

static relais_status read_extensions(json_t *value, struct line *line, relais_error *error)
{
    const char *name = NULL;
    json_t *one = NULL;
    if (!json_is_object(value) || json_object_size(value) > RELAIS_EXTENSIONS_MAX) {
        return refuse(error, "extensions", _("an object of at most 32 texts, numbers, booleans"));
    }
    json_object_foreach(value, name, one)
    {
        relais_extension *extension = &line->extensions[line->message.extension_count++];
        json_int_t number = json_integer_value(one);
        *extension = (relais_extension){.name = name, .text = json_string_value(one)};
        if (json_is_boolean(one)) {
            extension->kind = RELAIS_EXTENSION_BOOLEAN;
            extension->integer = json_is_true(one) ? 1 : 0;
        } else if (json_is_integer(one) && number >= INT32_MIN && number <= INT32_MAX) {
            extension->kind = RELAIS_EXTENSION_INTEGER;
            extension->integer = (int32_t)number;
        } else if (!extension->text) {
            return refuse(error, "extensions",
                          _("an object of at most 32 texts, numbers, booleans"));
        }
    }
    return RELAIS_OK;
}

static relais_status read_priority(json_t *value, struct line *line, relais_error *error)
{
    static const char *const names[] = {[RELAIS_PRIORITY_NORMAL] = "normal",
                                        [RELAIS_PRIORITY_LOW] = "low",
                                        [RELAIS_PRIORITY_HIGH] = "high"};
    for (size_t i = 0; json_is_string(value) && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            line->message.priority = (relais_priority)i;
            return RELAIS_OK;
        }
    }
    return refuse(error, "priority", _("low, normal or high"));
}

static relais_status read_seconds(const char *key, json_t *value, int64_t now_ms, int64_t *out_ms,
                                  relais_error *error)
{
    json_int_t seconds = json_integer_value(value);
    if (!json_is_integer(value) || seconds < 1 || seconds > SECONDS_MAX) {
        return refuse(error, key, _("a number of seconds, from 1"));
    }
    *out_ms = now_ms + seconds * 1000;
    return RELAIS_OK;
}

static relais_status read_base64(json_t *value, struct line *line, relais_error *error)
{
    size_t size = 0;
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!text) {
        return refuse(error, "base64", _("a text"));
    }
    line->decoded = malloc(length / 4 * 3 + 4);
    if (!line->decoded) {
        return error_set(error, RELAIS_NO_MEMORY, "base64", NULL, "%s", "");
    }
    if (sodium_base642bin(line->decoded, length / 4 * 3 + 4, text, length, "\r\n ", &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return refuse(error, "base64", _("base64 (RFC 4648, with = at the end)"));
    }
    line->message.payload = (relais_bytes){line->decoded, size};
    return RELAIS_OK;
}

static relais_status read_payload(const char *key, json_t *value, struct line *line,
                                  relais_error *error)
{
    if (line->message.payload.data || line->file) {
        return refuse(error, key, _("one of text, base64, file"));
    }
    if (strcmp(key, "base64") == 0) {
        return read_base64(value, line, error);
    }
    const char *text = json_string_value(value);
    if (!text) {
        return refuse(error, key, _("a text"));
    }
    if (strcmp(key, "text") == 0) {
        line->message.payload = (relais_bytes){text, json_string_length(value)};
        return RELAIS_OK;
    }
    if (text[0] == '\0' || text[0] == '.' || strchr(text, '/')) {
        return refuse(error, key, _("the name of a file in the folder, without a path"));
    }
    line->file = text;
    return RELAIS_OK;
}

static relais_status read_key(const char *key, json_t *value, int64_t now_ms, struct line *line,
                              relais_error *error)
{
    if (set_text(key, json_string_value(value), &line->message)) {
        return json_is_string(value) ? RELAIS_OK : refuse(error, key, _("a text"));
    }
    if (strcmp(key, "to") == 0) {
        return read_to(value, line, error);
    }
    if (strcmp(key, "to_subscribers") == 0) {
        line->message.to_subscribers = json_is_true(value);
        return json_is_boolean(value) ? RELAIS_OK : refuse(error, key, _("true or false"));
    }
    if (strcmp(key, "extensions") == 0) {
        return read_extensions(value, line, error);
    }
    if (strcmp(key, "priority") == 0) {
        return read_priority(value, line, error);
    }
    if (strcmp(key, "expires_in_s") == 0) {
        return read_seconds(key, value, now_ms, &line->message.expires_at_ms, error);
    }
    if (strcmp(key, "delay_s") == 0) {
        return read_seconds(key, value, now_ms, &line->message.not_before_ms, error);
    }
    if (strcmp(key, "text") == 0 || strcmp(key, "base64") == 0 || strcmp(key, "file") == 0) {
        return read_payload(key, value, line, error);
    }
    return refuse(error, key, _("a key of docs/adapters/exec.md"));
}

static void set_defaults(const struct settings_defaults *defaults, struct line *line)
{
    relais_message *message = &line->message;
    if (message->to_count == 0 && !message->to_subscribers) {
        for (unsigned i = 0; i < defaults->to_count; i++) {
            line->to[i] = defaults->to[i];
        }
        message->to_count = defaults->to_count;
    }
    message->flow = message->flow ? message->flow : defaults->flow;
    message->from = message->from ? message->from : defaults->from;
    message->type = message->type ? message->type : defaults->type;
    message->type = message->type ? message->type : "fr.relais.message";
    message->to = line->to;
    message->extensions = line->extensions;
}

relais_status line_read(const char *text, size_t size, const struct settings_defaults *defaults,
                        int64_t now_ms, struct line *out_line, relais_error *error)
{
    const char *key = NULL;
    json_t *value = NULL;
    relais_status status = RELAIS_OK;
    memset(out_line, 0, sizeof *out_line);
    json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(document)) {
        json_decref(document);
        return refuse(error, "line", _("a JSON object (RFC 8259, UTF-8)"));
    }
    out_line->document = document;
    json_object_foreach(document, key, value)
    {
        status = read_key(key, value, now_ms, out_line, error);
        if (status != RELAIS_OK) {
            line_fini(out_line);
            return status;
        }
    }
    set_defaults(defaults, out_line);
    return RELAIS_OK;
}

void line_fini(struct line *line)
{
    json_decref(line->document);
    free(line->decoded);
    line->document = NULL;
    line->decoded = NULL;
}
