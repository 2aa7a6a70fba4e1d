/* SPDX-License-Identifier: EUPL-1.2
 *
 * The rules for what a sender fills in: docs/protocol.md, "Envelope". Pure; any thread.
 */
#include "client/envelope.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/codec.h"
#include "wire/name.h"
#include "wire/scan.h"

#include <stdio.h>
#include <string.h>

enum { EXTENSION_NAME_BYTES = 20 };

/* Years 1 to 9999: what RFC 3339 can write. */
static const int64_t time_first_ms = -62135596800000;
static const int64_t time_last_ms = 253402300799999;

struct text_rule {
    const char *field;
    size_t offset; /* of the const char * in relais_message */
    size_t max;
};

#define TEXT_RULE(name, max)                                                                       \
    {                                                                                              \
#name, offsetof(relais_message, name), (max)                                               \
    }

static const struct text_rule text_rules[] = {
    TEXT_RULE(source, ENVELOPE_SOURCE_BYTES),
    TEXT_RULE(type, ENVELOPE_TYPE_BYTES),
    TEXT_RULE(subject, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(datacontenttype, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(dataschema, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(correlation_id, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(ordering_key, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(supersedes, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(purpose, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(dataclassification, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(dataregulation, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(datacategory, ENVELOPE_TEXT_BYTES),
    TEXT_RULE(traceparent, ENVELOPE_TEXT_BYTES),
};

static relais_status invalid(relais_error *error, const char *field, const char *wrong,
                             const char *right)
{
    return error_fill(error, RELAIS_FIELD_INVALID, field, wrong, right);
}

static relais_status check_text(const char *field, const char *text, size_t max,
                                relais_error *error)
{
    char right[64];
    size_t size = text != NULL ? strlen(text) : 0;
    if (size == 0) {
        return RELAIS_OK;
    }
    if (size > max) {
        (void)snprintf(right, sizeof right, _("at most %zu bytes"), max);
        return invalid(error, field, text, right);
    }
    if (!wire_is_text((struct bytes){(const uint8_t *)text, size})) {
        return invalid(error, field, NULL, _("UTF-8"));
    }
    return RELAIS_OK;
}

static relais_status check_address(const char *field, const char *text, relais_error *error)
{
    size_t member_bytes = 0;
    if (text == NULL || !name_is_address(text, &member_bytes)) {
        return invalid(error, field, text, _("an address such as commune-76540/etat-civil"));
    }
    return RELAIS_OK;
}

static relais_status check_recipients(const relais_message *message, relais_error *error)
{
    char field[32];
    if (message->to_subscribers) {
        return message->to_count == 0
                   ? RELAIS_OK
                   : invalid(error, "to", NULL, _("no recipients beside to_subscribers"));
    }
    if (message->to_count == 0 && message->supersedes != NULL) {
        return RELAIS_OK;
    }
    if (message->to_count == 0 || message->to == NULL) {
        return error_fill(error, RELAIS_FIELD_MISSING, "to", NULL,
                          _("an address such as commune-76540/etat-civil"));
    }
    if (message->to_count > RELAIS_RECIPIENTS_MAX) {
        return invalid(error, "to", NULL, _("at most 64 recipients"));
    }
    for (size_t i = 0; i < message->to_count; i++) {
        (void)snprintf(field, sizeof field, "to[%zu]", i);
        relais_status status = check_address(field, message->to[i], error);
        if (status != RELAIS_OK) {
            return status;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(message->to[i], message->to[k]) == 0) {
                return invalid(error, field, message->to[i], _("each recipient once"));
            }
        }
    }
    return RELAIS_OK;
}

static bool is_extension_name(const char *name)
{
    size_t size = name != NULL ? strlen(name) : 0;
    return size > 0 && size <= EXTENSION_NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == size;
}

static relais_status check_time(const char *field, int64_t time_ms, relais_error *error)
{
    if (time_ms < time_first_ms || time_ms > time_last_ms) {
        char wrong[32];
        (void)snprintf(wrong, sizeof wrong, "%lld", (long long)time_ms);
        return invalid(error, field, wrong, _("a time of the years 1 to 9999, in milliseconds"));
    }
    return RELAIS_OK;
}

static relais_status check_value(const relais_extension *extension, const char *field,
                                 relais_error *error)
{
    switch (extension->kind) {
    case RELAIS_EXTENSION_STRING:
    case RELAIS_EXTENSION_URI:
    case RELAIS_EXTENSION_URI_REF:
        if (extension->text == NULL) {
            return error_fill(error, RELAIS_FIELD_MISSING, field, NULL, _("a text"));
        }
        return check_text(field, extension->text, ENVELOPE_TEXT_BYTES, error);
    case RELAIS_EXTENSION_BYTES:
        if (extension->bytes.size > ENVELOPE_TEXT_BYTES) {
            return invalid(error, field, NULL, _("at most 1024 bytes"));
        }
        if (extension->bytes.size > 0 && extension->bytes.data == NULL) {
            return error_fill(error, RELAIS_FIELD_MISSING, field, NULL, _("bytes"));
        }
        return RELAIS_OK;
    case RELAIS_EXTENSION_BOOLEAN:
        if (extension->integer != 0 && extension->integer != 1) {
            return invalid(error, field, NULL, _("0 or 1"));
        }
        return RELAIS_OK;
    case RELAIS_EXTENSION_TIME:
        return check_time(field, extension->time_ms, error);
    case RELAIS_EXTENSION_INTEGER:
        return RELAIS_OK;
    default:
        return invalid(error, field, NULL, _("a kind of relais_extension_kind"));
    }
}

static relais_status check_extensions(const relais_message *message, relais_error *error)
{
    char field[48];
    if (message->extension_count > RELAIS_EXTENSIONS_MAX) {
        return invalid(error, "extensions", NULL, _("at most 32 extensions"));
    }
    if (message->extension_count > 0 && message->extensions == NULL) {
        return error_fill(error, RELAIS_FIELD_MISSING, "extensions", NULL, NULL);
    }
    for (size_t i = 0; i < message->extension_count; i++) {
        const relais_extension *extension = &message->extensions[i];
        (void)snprintf(field, sizeof field, "extensions[%zu].name", i);
        if (!is_extension_name(extension->name)) {
            return invalid(error, field, extension->name, "[a-z0-9]{1,20}");
        }
        if (relais_message_find_extension(message, extension->name) != extension) {
            return invalid(error, field, extension->name, _("each extension once"));
        }
        (void)snprintf(field, sizeof field, "extensions[%zu]", i);
        relais_status status = check_value(extension, field, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    return RELAIS_OK;
}

static relais_status check_texts(const relais_message *message, relais_error *error)
{
    for (size_t i = 0; i < sizeof text_rules / sizeof text_rules[0]; i++) {
        const struct text_rule *rule = &text_rules[i];
        const char *text = *(const char *const *)((const char *)message + rule->offset);
        relais_status status = check_text(rule->field, text, rule->max, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    return RELAIS_OK;
}

static relais_status check_names(const relais_message *message, relais_error *error)
{
    if (message->id != NULL && !name_is_id(message->id)) {
        return invalid(error, "id", message->id,
                       _("1 to 128 printable ASCII characters without space"));
    }
    if (message->type == NULL || message->type[0] == '\0') {
        return error_fill(error, RELAIS_FIELD_MISSING, "type", NULL,
                          _("a type such as fr.relais.file"));
    }
    if (message->flow == NULL || message->flow[0] == '\0') {
        return error_fill(error, RELAIS_FIELD_MISSING, "flow", NULL, _("the code of a flow"));
    }
    if (!name_is_flow(message->flow)) {
        return invalid(error, "flow", message->flow, "[A-Za-z0-9][A-Za-z0-9-]{0,63}");
    }
    if (message->from != NULL && message->from[0] != '\0') {
        relais_status status = check_address("from", message->from, error);
        if (status != RELAIS_OK) {
            return status;
        }
    }
    if (message->reply_to != NULL && message->reply_to[0] != '\0') {
        return check_address("reply_to", message->reply_to, error);
    }
    return RELAIS_OK;
}

static relais_status check_times(const relais_message *message, relais_error *error)
{
    if (message->expires_at_ms < 0) {
        return invalid(error, "expires_at_ms", NULL, _("0 or a time in the future"));
    }
    if (message->not_before_ms < 0) {
        return invalid(error, "not_before_ms", NULL, _("0 or a time in milliseconds"));
    }
    return check_time("time_ms", message->time_ms, error);
}

relais_status envelope_check(const relais_message *message, relais_error *error)
{
    relais_status status = check_names(message, error);
    if (status == RELAIS_OK) {
        status = check_recipients(message, error);
    }
    if (status == RELAIS_OK) {
        status = check_texts(message, error);
    }
    if (status == RELAIS_OK) {
        status = check_times(message, error);
    }
    if (status == RELAIS_OK) {
        status = check_extensions(message, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    if (message->priority < RELAIS_PRIORITY_NORMAL || message->priority > RELAIS_PRIORITY_HIGH) {
        return invalid(error, "priority", NULL, "RELAIS_PRIORITY_...");
    }
    if (message->payload.size > 0 && message->payload.data == NULL) {
        return error_fill(error, RELAIS_FIELD_MISSING, "payload", NULL, NULL);
    }
    if (message->payload.size > UINT32_MAX) {
        return error_fill(error, RELAIS_TOO_LARGE, "payload", NULL, _("less than 4 GiB"));
    }
    return RELAIS_OK;
}
