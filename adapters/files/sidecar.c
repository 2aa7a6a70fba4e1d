/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reads a side-car: see sidecar.h. jansson parses (depth limited to 2,048 by the library, size by
 * us), a table says which key goes where.
 */
#include "adapters/files/sidecar.h"

#include "program/error.h"
#include "program/locale.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"flow", offsetof(struct sidecar, flow)},
    {"id", offsetof(struct sidecar, id)},
    {"subject", offsetof(struct sidecar, subject)},
    {"type", offsetof(struct sidecar, type)},
    {"media_type", offsetof(struct sidecar, media_type)},
    {"from", offsetof(struct sidecar, from)},
};

static const char *const others[] = {"to", "expires_at", "priority", "extensions"};

static const char **text_place(struct sidecar *sidecar, const char *key)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i].key) == 0) {
            return (const char **)(void *)((char *)sidecar + texts[i].offset);
        }
    }
    return NULL;
}

static relais_status refuse(const char *key, const char *right, const json_t *value,
                            relais_error *error)
{
    return error_set(error, RELAIS_FIELD_INVALID, key, right, "%s",
                     json_is_string(value) ? json_string_value(value) : "");
}

static relais_status read_to(const json_t *value, struct sidecar *out, relais_error *error)
{
    const char *right = _("an address \"member/service\", or a list of 1 to 64 of them");
    if (json_is_string(value)) {
        out->to[out->to_count++] = json_string_value(value);
        return RELAIS_OK;
    }
    size_t count = json_array_size(value);
    if (count == 0 || count > RELAIS_RECIPIENTS_MAX) {
        return refuse("to", right, value, error);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(value, i);
        if (!json_is_string(entry)) {
            return refuse("to", right, entry, error);
        }
        out->to[out->to_count++] = json_string_value(entry);
    }
    return RELAIS_OK;
}

static relais_status read_extensions(json_t *value, struct sidecar *out, relais_error *error)
{
    const char *name = NULL;
    json_t *entry = NULL;
    if (!json_is_object(value) || json_object_size(value) > SIDECAR_EXTENSIONS) {
        return refuse("extensions", _("an object of at most 30 names"), value, error);
    }
    json_object_foreach(value, name, entry)
    {
        relais_extension *extension = &out->extensions[out->extension_count++];
        *extension = (relais_extension){.name = name};
        json_int_t integer = json_integer_value(entry);
        if (json_is_string(entry)) {
            extension->text = json_string_value(entry);
        } else if (json_is_boolean(entry)) {
            extension->kind = RELAIS_EXTENSION_BOOLEAN;
            extension->integer = json_is_true(entry);
        } else if (json_is_integer(entry) && integer >= INT32_MIN && integer <= INT32_MAX) {
            extension->kind = RELAIS_EXTENSION_INTEGER;
            extension->integer = (int32_t)integer;
        } else {
            return refuse("extensions", _("texts, integers of 32 bits, true or false"), entry,
                          error);
        }
        if (strcmp(name, "filename") == 0 || strcmp(name, "filetime") == 0) {
            return refuse("extensions", _("other names: the adapter sets these itself"), entry,
                          error);
        }
    }
    return RELAIS_OK;
}

static relais_status read_priority(const json_t *value, struct sidecar *out, relais_error *error)
{
    static const char *const names[] = {[RELAIS_PRIORITY_NORMAL] = "normal",
                                        [RELAIS_PRIORITY_LOW] = "low",
                                        [RELAIS_PRIORITY_HIGH] = "high"};
    for (size_t i = 0; json_is_string(value) && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            out->priority = (relais_priority)i;
            out->has_priority = true;
            return RELAIS_OK;
        }
    }
    return refuse("priority", _("low, normal or high"), value, error);
}

static relais_status read_key(const char *key, json_t *value, struct sidecar *out,
                              relais_error *error)
{
    const char **place = text_place(out, key);
    if (place) {
        if (!json_is_string(value)) {
            return refuse(key, _("a text"), value, error);
        }
        *place = json_string_value(value);
        return RELAIS_OK;
    }
    if (strcmp(key, "to") == 0) {
        return read_to(value, out, error);
    }
    if (strcmp(key, "extensions") == 0) {
        return read_extensions(value, out, error);
    }
    if (strcmp(key, "priority") == 0) {
        return read_priority(value, out, error);
    }
    if (strcmp(key, "expires_at") == 0) {
        const char *text = json_string_value(value);
        return text && sidecar_parse_time(text, &out->expires_at_ms)
                   ? RELAIS_OK
                   : refuse(key, _("a time such as 2026-12-31T23:59:59Z"), value, error);
    }
    return error_set(error, RELAIS_FIELD_INVALID, key,
                     "to, flow, id, subject, type, media_type, from, expires_at, priority, "
                     "extensions",
                     _("unknown key"));
}

relais_status sidecar_read(const char *text, size_t size, struct sidecar *out_sidecar,
                           relais_error *error)
{
    json_error_t problem;
    const char *key = NULL;
    json_t *value = NULL;
    json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    relais_status status = RELAIS_OK;
    if (!document) {
        status = error_set(error, RELAIS_FIELD_INVALID, NULL, _("a JSON object (RFC 8259, UTF-8)"),
                           "%s", problem.text);
        error_set_field(error, "line %d", problem.line);
        return status;
    }
    struct sidecar sidecar = {.document = document};
    if (!json_is_object(document)) {
        status = refuse("", _("a JSON object (RFC 8259, UTF-8)"), document, error);
    }
    json_object_foreach(document, key, value)
    {
        status = read_key(key, value, &sidecar, error);
        if (status != RELAIS_OK) {
            break;
        }
    }
    if (status != RELAIS_OK) {
        json_decref(document);
        return status;
    }
    *out_sidecar = sidecar;
    return RELAIS_OK;
}

void sidecar_fini(struct sidecar *sidecar)
{
    json_decref(sidecar->document);
    *sidecar = (struct sidecar){0};
}

static bool is_known(const char *key)
{
    struct sidecar unused;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(key, others[i]) == 0) {
            return true;
        }
    }
    return text_place(&unused, key) != NULL;
}

bool sidecar_looks_like(const char *text, size_t size)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_t *document = json_loadb(text, size, 0, NULL);
    bool known = json_is_object(document) && json_object_size(document) > 0;
    json_object_foreach(document, key, value)
    {
        known = known && is_known(key);
    }
    json_decref(document);
    return known;
}

bool sidecar_parse_time(const char *text, int64_t *out_ms)
{
    struct tm when = {0};
    int64_t ms = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &when);
    if (!rest) {
        return false;
    }
    if (*rest == '.') {
        int64_t unit = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10) {
            ms += (*rest - '0') * unit;
        }
    }
    /* strptime() has its own ideas of %z: hours and minutes are read here */
    int64_t offset_s = 0;
    if (*rest == '+' || *rest == '-') {
        struct tm zone = {0};
        int64_t sign = *rest == '-' ? -1 : 1;
        rest = strptime(rest + 1, "%H:%M", &zone);
        offset_s = sign * (zone.tm_hour * 3600 + zone.tm_min * 60);
    } else if (*rest == 'Z') {
        rest++;
    } else {
        return false;
    }
    if (!rest || *rest != '\0') {
        return false;
    }
    *out_ms = ((int64_t)timegm(&when) - offset_s) * 1000 + ms;
    return true;
}
