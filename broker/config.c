/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reads relaisd.yaml and the environment into struct config, by the table.
 * Invariant: 1. a struct config that config_load() gave is within its ranges and its paths are
 * absolute.
 */
#include "broker/config.h"

#include "broker/config_text.h"
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENDPOINT_BYTES = 255, PORT_MAX = 65535 };

#define TEXT(name, group, member)                                                                  \
    CYAML_FIELD_STRING_PTR(name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct group, member,   \
                           0, PATH_MAX - 1)

static const cyaml_schema_field_t store_fields[] = {
    TEXT("path", config_store_text, path),
    TEXT("map_size_mb", config_store_text, map_size_mb),
    TEXT("reserve_mb", config_store_text, reserve_mb),
    TEXT("duplicate_window_h", config_store_text, duplicate_window_h),
    TEXT("duplicate_max", config_store_text, duplicate_max),
    TEXT("scrub_days", config_store_text, scrub_days),
    TEXT("upload_keep_h", config_store_text, upload_keep_h),
    TEXT("redo_mb", config_store_text, redo_mb),
    TEXT("track_days", config_store_text, track_days),
    CYAML_FIELD_END};

static const cyaml_schema_field_t backup_fields[] = {TEXT("path", config_backup_text, path),
                                                     CYAML_FIELD_END};

static const cyaml_schema_field_t limits_fields[] = {
    TEXT("payload_bytes", config_limits_text, payload_bytes),
    TEXT("stored_payload_bytes", config_limits_text, stored_payload_bytes),
    TEXT("connections", config_limits_text, connections),
    TEXT("connections_per_key", config_limits_text, connections_per_key),
    TEXT("storing_mb", config_limits_text, storing_mb),
    TEXT("sending_mb", config_limits_text, sending_mb),
    CYAML_FIELD_END};

static const cyaml_schema_field_t quota_fields[] = {
    TEXT("messages", config_quota_text, messages),
    TEXT("bytes", config_quota_text, bytes),
    TEXT("rate", config_quota_text, rate),
    TEXT("burst", config_quota_text, burst),
    TEXT("connections", config_quota_text, connections),
    CYAML_FIELD_END};

static const cyaml_schema_field_t delivery_fields[] = {
    TEXT("lease_s", config_delivery_text, lease_s),
    TEXT("attempts", config_delivery_text, attempts),
    TEXT("retry_s", config_delivery_text, retry_s), CYAML_FIELD_END};

static const cyaml_schema_field_t log_fields[] = {TEXT("format", config_log_text, format),
                                                  TEXT("level", config_log_text, level),
                                                  CYAML_FIELD_END};

static const cyaml_schema_field_t file_fields[] = {
    TEXT("listen", config_text, listen),
    TEXT("key", config_text, key),
    TEXT("members", config_text, members),
    TEXT("flows", config_text, flows),
    TEXT("entries", config_text, entries),
    CYAML_FIELD_MAPPING("store", CYAML_FLAG_OPTIONAL, struct config_text, store, store_fields),
    CYAML_FIELD_MAPPING("backup", CYAML_FLAG_OPTIONAL, struct config_text, backup, backup_fields),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config_text, limits, limits_fields),
    CYAML_FIELD_MAPPING("quota", CYAML_FLAG_OPTIONAL, struct config_text, quota, quota_fields),
    CYAML_FIELD_MAPPING("delivery", CYAML_FLAG_OPTIONAL, struct config_text, delivery,
                        delivery_fields),
    CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct config_text, log, log_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_text, file_fields)};

static uint64_t *number_of(const struct config_option *option, struct config *config)
{
    return (uint64_t *)(void *)((char *)config + option->value_offset);
}

static char **text_of(const struct config_option *option, struct config *config)
{
    return (char **)(void *)((char *)config + option->value_offset);
}

void config_fini(struct config *config)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (options[i].kind == CONFIG_ENDPOINT || options[i].kind == CONFIG_PATH) {
            free(*text_of(&options[i], config));
        }
    }
    *config = (struct config){0};
}

static bool is_number(const char *text, uint64_t min, uint64_t max, uint64_t *out_number)
{
    char *end = NULL;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) ||
        (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    errno = 0;
    *out_number = strtoull(text, &end, 10);
    return errno == 0 && *out_number >= min && *out_number <= max;
}

static bool is_endpoint(const char *text)
{
    static const char transport[] = "tcp://";
    uint64_t port = 0;

    if (strncmp(text, transport, strlen(transport)) != 0 || strlen(text) > ENDPOINT_BYTES) {
        return false;
    }
    const char *host = text + strlen(transport);
    const char *colon = strrchr(host, ':');
    return colon != NULL && colon > host &&
           (strcmp(colon + 1, "*") == 0 || is_number(colon + 1, 1, PORT_MAX, &port));
}

static relais_status read_number(const struct config_option *option, const char *text,
                                 struct config *config, relais_error *error)
{
    char right[96];
    uint64_t number = 0;

    if (is_number(text, option->min, option->max, &number)) {
        *number_of(option, config) = number;
        return RELAIS_OK;
    }
    (void)snprintf(right, sizeof right, _("a whole number, %llu to %llu"),
                   (unsigned long long)option->min, (unsigned long long)option->max);
    return error_set(error, RELAIS_CONFIG_INVALID, option->key, right, "%s", text);
}

static relais_status read_word(const struct config_option *option, const char *text,
                               struct config *config, relais_error *error)
{
    char right[96] = "";
    size_t used = 0;

    for (size_t i = 0; option->words[i] != NULL; i++) {
        if (strcmp(option->words[i], text) == 0) {
            *number_of(option, config) = i;
            return RELAIS_OK;
        }
        used += (size_t)snprintf(right + used, sizeof right - used, "%s%s", i == 0 ? "" : ", ",
                                 option->words[i]);
        assert(used < sizeof right);
    }
    return error_set(error, RELAIS_CONFIG_INVALID, option->key, right, "%s", text);
}

/* `folder` is absolute and ends with "/". */
static relais_status read_path(const struct config_option *option, const char *text,
                               const char *folder, struct config *config, relais_error *error)
{
    char *path = NULL;

    if (text[0] == '\0' && option->preset != NULL && option->preset[0] == '\0') {
        return RELAIS_OK; /* may be left out: stays NULL */
    }
    if (text[0] == '\0' || strlen(folder) + strlen(text) >= PATH_MAX) {
        return error_set(error, RELAIS_CONFIG_INVALID, option->key, _("a path"), "%s", text);
    }
    if (asprintf(&path, "%s%s", text[0] == '/' ? "" : folder, text) < 0) {
        return error_set(error, RELAIS_NO_MEMORY, option->key, NULL, "%s", "");
    }
    *text_of(option, config) = path;
    return RELAIS_OK;
}

static relais_status read_endpoint(const struct config_option *option, const char *text,
                                   struct config *config, relais_error *error)
{
    if (!is_endpoint(text)) {
        return error_set(error, RELAIS_CONFIG_INVALID, option->key,
                         _("tcp://address:port, e.g. tcp://127.0.0.1:5770"), "%s", text);
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return error_set(error, RELAIS_NO_MEMORY, option->key, NULL, "%s", "");
    }
    *text_of(option, config) = copy;
    return RELAIS_OK;
}

static relais_status read_value(const struct config_option *option, const char *text,
                                const char *folder, struct config *config, relais_error *error)
{
    switch (option->kind) {
    case CONFIG_ENDPOINT:
        return read_endpoint(option, text, config, error);
    case CONFIG_PATH:
        return read_path(option, text, folder, config, error);
    case CONFIG_NUMBER:
        return read_number(option, text, config, error);
    default:
        return read_word(option, text, config, error);
    }
}

/* The environment, else the file, else the default; errors name where the value came from. */
static relais_status read_option(const struct config_option *option, const struct config_text *text,
                                 const char *path, const char *folder, struct config *config,
                                 relais_error *error)
{
    const char *given = getenv(option->environment);
    const char *in_file = NULL;

    memcpy(&in_file, (const char *)text + option->text_offset, sizeof in_file);
    bool from_environment = given != NULL && given[0] != '\0';
    const char *value = from_environment ? given : in_file != NULL ? in_file : option->preset;
    if (value == NULL) {
        relais_status status = error_set(error, RELAIS_CONFIG_INVALID, option->key,
                                         _("this key is required"), "%s", _("missing"));
        yaml_name_line(path, error);
        return status;
    }
    relais_status status = read_value(option, value, folder, config, error);
    if (status != RELAIS_OK && from_environment) {
        error_set_field(error, "%s", option->environment);
    } else if (status != RELAIS_OK) {
        yaml_name_line(path, error);
    }
    return status;
}

/* What one value says of another. */
static relais_status check_together(const struct config *config, const char *path,
                                    relais_error *error)
{
    const uint64_t mib = UINT64_C(1024) * 1024;
    const uint64_t needed_mb = (config->payload_bytes + mib - 1) / mib + 1;
    char right[128];

    if (config->storing_mb >= needed_mb) {
        return RELAIS_OK;
    }
    (void)snprintf(right, sizeof right,
                   _("at least %llu: room for one message of limits.payload_bytes"),
                   (unsigned long long)needed_mb);
    relais_status status = error_set(error, RELAIS_CONFIG_INVALID, "limits.storing_mb", right,
                                     "%llu", (unsigned long long)config->storing_mb);
    yaml_name_line(path, error);
    return status;
}

/* The folder of a file, absolute, with its last "/". */
static relais_status folder_of(const char *path, char out_folder[PATH_MAX], relais_error *error)
{
    char *real = realpath(path, NULL);

    if (real == NULL) {
        return error_set_errno(error, path, errno);
    }
    size_t size = (size_t)(strrchr(real, '/') - real) + 1;
    if (size >= PATH_MAX) {
        free(real);
        return error_set_errno(error, path, ENAMETOOLONG);
    }
    memcpy(out_folder, real, size);
    out_folder[size] = '\0';
    free(real);
    return RELAIS_OK;
}

relais_status config_load(const char *path, struct config *out_config, relais_error *error)
{
    size_t count = 0;
    const struct config_option *options = config_options(&count);
    char folder[PATH_MAX];
    struct config config = {0};
    void *text = NULL;
    relais_status status = yaml_load(path, &file_schema, &text, error);

    if (status == RELAIS_OK) {
        status = folder_of(path, folder, error);
    }
    for (size_t i = 0; i < count && status == RELAIS_OK; i++) {
        status = read_option(&options[i], text, path, folder, &config, error);
    }
    if (status == RELAIS_OK) {
        status = check_together(&config, path, error);
    }
    yaml_free(&file_schema, text);
    if (status != RELAIS_OK) {
        config_fini(&config);
        return status;
    }
    *out_config = config;
    return RELAIS_OK;
}
