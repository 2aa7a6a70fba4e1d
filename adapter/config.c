/* SPDX-License-Identifier: EUPL-1.2
 *
 * See config.h. libcyaml fills one block: the common struct, then the adapter's own.
 */
#include "adapter/config.h"

#include "adapter/receiving.h"
#include "adapter/sending.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4000, ADDRESS_BYTES = RELAIS_ADDRESS_BYTES };

#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_value_t address_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 3, ADDRESS_BYTES)};

static const cyaml_schema_field_t outbox_fields[] = {
    CYAML_FIELD_UINT("messages", CYAML_FLAG_OPTIONAL, struct config_outbox, messages),
    CYAML_FIELD_UINT("megabytes", CYAML_FLAG_OPTIONAL, struct config_outbox, megabytes),
    CYAML_FIELD_UINT("in_flight", CYAML_FLAG_OPTIONAL, struct config_outbox, in_flight),
    CYAML_FIELD_END};

static const cyaml_schema_field_t common_fields[] = {
    CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER, struct config_common, profile, 1,
                           PATH_BYTES),
    CYAML_FIELD_STRING_PTR("metrics", OPTIONAL_TEXT, struct config_common, metrics, 1, PATH_BYTES),
    CYAML_FIELD_STRING_PTR("status", OPTIONAL_TEXT, struct config_common, status, 1, PATH_BYTES),
    CYAML_FIELD_UINT("stop_s", CYAML_FLAG_OPTIONAL, struct config_common, stop_s),
};

/* Of kinds that have an outbox and a ledger. */
static const cyaml_schema_field_t keeping_fields[] = {
    CYAML_FIELD_STRING_PTR("state", CYAML_FLAG_POINTER, struct config_common, state, 1, PATH_BYTES),
    CYAML_FIELD_SEQUENCE_COUNT("mailboxes", OPTIONAL_TEXT, struct config_common, mailboxes,
                               mailbox_count, &address_value, 0, RECEIVING_MAILBOXES),
    CYAML_FIELD_UINT("credit", CYAML_FLAG_OPTIONAL, struct config_common, credit),
    CYAML_FIELD_MAPPING("outbox", CYAML_FLAG_OPTIONAL, struct config_common, outbox, outbox_fields),
};

enum {
    COMMON_FIELDS = sizeof common_fields / sizeof common_fields[0],
    KEEPING_FIELDS = sizeof keeping_fields / sizeof keeping_fields[0],
    SETTINGS_OFFSET =
        (sizeof(struct config_common) + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1),
};

static size_t own_fields(const relais_adapter_kind *kind)
{
    size_t count = 0;
    while (kind->settings && kind->settings[count].key) {
        count++;
    }
    return count;
}

/* The schema of both: the adapter's fields lie behind the common struct. */
static bool make_schema(struct config *config, const relais_adapter_kind *kind)
{
    size_t own = own_fields(kind);
    cyaml_schema_field_t *field =
        calloc(COMMON_FIELDS + KEEPING_FIELDS + own + 1, sizeof *config->fields);
    config->fields = field;
    if (!field) {
        return false;
    }
    memcpy(field, common_fields, sizeof common_fields);
    field += COMMON_FIELDS;
    if (!kind->keeps_nothing) {
        memcpy(field, keeping_fields, sizeof keeping_fields);
        field += KEEPING_FIELDS;
    }
    for (size_t i = 0; i < own; i++) {
        *field = kind->settings[i];
        field->data_offset += SETTINGS_OFFSET;
        if (field->value.type == CYAML_SEQUENCE) {
            field->count_offset += SETTINGS_OFFSET;
        }
        field++;
    }
    config->schema = (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = CYAML_FLAG_POINTER,
        .data_size = (uint32_t)(SETTINGS_OFFSET + kind->settings_bytes),
        .mapping = {.fields = config->fields},
    };
    return true;
}

bool config_resolve(const char *file, const char *path, char *buffer, size_t size)
{
    const char *slash = strrchr(file, '/');
    int length = path[0] == '/' || !slash
                     ? snprintf(buffer, size, "%s", path)
                     : snprintf(buffer, size, "%.*s/%s", (int)(slash - file), file, path);
    return length >= 0 && (size_t)length < size;
}

/* Of a path that libcyaml allocated; `within` is a name in the state for one that is absent. */
static bool resolve(const struct config *config, char **path, const char *within)
{
    char whole[sizeof config->path];
    char named[sizeof config->path];
    const char *meant = *path;
    if (!meant) {
        if (!within || !config->common->state ||
            snprintf(named, sizeof named, "%s/%s", config->common->state, within) >=
                (int)sizeof named) {
            return true;
        }
        *path = strdup(named);
        return *path != NULL;
    }
    if (!config_resolve(config->path, meant, whole, sizeof whole)) {
        return false;
    }
    char *copy = strdup(whole);
    if (copy) {
        free(*path);
        *path = copy;
    }
    return copy != NULL;
}

static bool resolve_all(const struct config *config)
{
    struct config_common *common = config->common;
    return resolve(config, &common->profile, NULL) && resolve(config, &common->state, NULL) &&
           resolve(config, &common->metrics, "metrics.prom") &&
           resolve(config, &common->status, "status.json");
}

static void set_default(uint32_t *value, uint32_t by_default)
{
    *value = *value == 0 ? by_default : *value;
}

static relais_status refuse(relais_error *error, const char *key, uint32_t wrong, const char *right)
{
    return error_set(error, RELAIS_CONFIG_INVALID, key, right, "%u", wrong);
}

static relais_status check_common(struct config_common *common, relais_error *error)
{
    set_default(&common->credit, CONFIG_CREDIT);
    set_default(&common->outbox.messages, CONFIG_MESSAGES);
    set_default(&common->outbox.megabytes, CONFIG_MEGABYTES);
    set_default(&common->outbox.in_flight, CONFIG_IN_FLIGHT);
    set_default(&common->stop_s, CONFIG_STOP_S);
    if (common->credit > RECEIVING_CREDIT_MAX) {
        return refuse(error, "credit", common->credit, _("from 1 to 1024"));
    }
    if (common->outbox.megabytes > CONFIG_MEGABYTES_MAX) {
        return refuse(error, "outbox.megabytes", common->outbox.megabytes, _("from 1 to 65536"));
    }
    if (common->outbox.in_flight > SENDING_WINDOW_MAX) {
        return refuse(error, "outbox.in_flight", common->outbox.in_flight, _("from 1 to 512"));
    }
    if (common->stop_s > CONFIG_STOP_S_MAX) {
        return refuse(error, "stop_s", common->stop_s, _("from 1 to 3600"));
    }
    for (unsigned i = 0; i < common->mailbox_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(common->mailboxes[i], common->mailboxes[j]) == 0) {
                return error_set(error, RELAIS_CONFIG_INVALID, "mailboxes", _("each mailbox once"),
                                 "%s", common->mailboxes[i]);
            }
        }
    }
    return RELAIS_OK;
}

static relais_status check(struct config *config, const relais_adapter_kind *kind,
                           relais_error *error)
{
    relais_status status = check_common(config->common, error);
    if (status == RELAIS_OK && config->common->mailbox_count > 0 && !kind->deliver) {
        status = error_set(error, RELAIS_CONFIG_INVALID, "mailboxes",
                           _("none: this adapter only sends"), "%u", config->common->mailbox_count);
    }
    if (status == RELAIS_OK && kind->check) {
        status = kind->check(config->settings, config->path, error);
    }
    if (status == RELAIS_CONFIG_INVALID && error && !strchr(error->field, '/')) {
        yaml_name_line(config->path, error);
    }
    return status;
}

relais_status config_load(const char *path, const relais_adapter_kind *kind,
                          struct config **out_config, relais_error *error)
{
    void *data = NULL;
    struct config *config = calloc(1, sizeof *config);
    if (!config || !make_schema(config, kind) || strlen(path) >= sizeof config->path) {
        config_free(config);
        return error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    memcpy(config->path, path, strlen(path) + 1);
    relais_status status = yaml_load(path, &config->schema, &data, error);
    if (status == RELAIS_OK) {
        config->common = data;
        config->settings = kind->settings_bytes > 0 ? (char *)data + SETTINGS_OFFSET : NULL;
        status = resolve_all(config) ? check(config, kind, error)
                                     : error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    if (status != RELAIS_OK) {
        config_free(config);
        return status;
    }
    *out_config = config;
    return RELAIS_OK;
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    if (config->common) {
        yaml_free(&config->schema, config->common);
    }
    free(config->fields);
    free(config);
}
