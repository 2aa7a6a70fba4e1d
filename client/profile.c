/* SPDX-License-Identifier: EUPL-1.2
 *
 * The profile of a client: where the broker is, its key, our key.
 * Invariant: 1. key_path is absolute after load: relative paths are relative to the profile's
 * folder, wherever the process was started.
 */
#include "program/error.h"
#include "program/locale.h"
#include "program/yaml.h"

#include <errno.h>
#include <relais/directory.h>
#include <relais/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file's own shape: text of any length until it is checked. */
struct profile_file {
    char *broker;
    char *broker_key;
    char *key;
    char *member;
    char *client;
    char *regulator;
    char *memory;
    char *identity;
    char *mailbox_keys;
    char **sealed_flows;
    unsigned sealed_flows_count;
};

enum { NAME_BYTES = 63, FLOW_BYTES = 64, PATH_BYTES = 4096 };

#define OPTIONAL_TEXT(key, member, most)                                                           \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_file,     \
                           member, 1, most)

static const cyaml_schema_value_t flow_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, FLOW_BYTES)};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("broker", CYAML_FLAG_POINTER, struct profile_file, broker, 1,
                           sizeof((relais_profile *)NULL)->endpoint - 1),
    CYAML_FIELD_STRING_PTR("broker_key", CYAML_FLAG_POINTER, struct profile_file, broker_key,
                           RELAIS_KEY_CHARACTERS, RELAIS_KEY_CHARACTERS),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct profile_file, key, 1,
                           sizeof((relais_profile *)NULL)->key_path - 1),
    CYAML_FIELD_STRING_PTR("member", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_file,
                           member, 1, NAME_BYTES),
    CYAML_FIELD_STRING_PTR("client", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_file,
                           client, 1, NAME_BYTES),
    OPTIONAL_TEXT("regulator", regulator, PATH_BYTES - 1),
    OPTIONAL_TEXT("memory", memory, PATH_BYTES - 1),
    OPTIONAL_TEXT("identity", identity, PATH_BYTES - 1),
    OPTIONAL_TEXT("mailbox_keys", mailbox_keys, PATH_BYTES - 1),
    CYAML_FIELD_SEQUENCE_COUNT("sealed_flows", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct profile_file, sealed_flows, sealed_flows_count, &flow_schema,
                               0, RELAIS_PROFILE_FLOWS),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile_file, fields)};

static relais_status check_sealing(const struct profile_file *file, relais_error *error)
{
    const bool sealed = file->memory != NULL || file->identity != NULL ||
                        file->mailbox_keys != NULL || file->sealed_flows_count > 0;

    if (sealed && file->regulator == NULL) {
        return error_set(error, RELAIS_CONFIG_INVALID, "regulator",
                         _("the file with the regulator's public key: nothing is sealed without"),
                         "%s", _("missing"));
    }
    for (unsigned i = 0; file->sealed_flows != NULL && i < file->sealed_flows_count; i++) {
        if (!relais_flow_code_is_valid(file->sealed_flows[i])) {
            return error_set(error, RELAIS_CONFIG_INVALID, "sealed_flows", _("codes of flows"),
                             "%s", file->sealed_flows[i]);
        }
    }
    return RELAIS_OK;
}

static relais_status check(const struct profile_file *file, relais_error *error)
{
    static const char transport[] = "tcp://";

    if (strncmp(file->broker, transport, strlen(transport)) != 0 ||
        strchr(file->broker + strlen(transport), ':') == NULL) {
        return error_set(error, RELAIS_CONFIG_INVALID, "broker",
                         _("tcp://host:port, e.g. tcp://bus.example.fr:5770"), "%s", file->broker);
    }
    if (!relais_key_is_public(file->broker_key)) {
        return error_set(error, RELAIS_CONFIG_INVALID, "broker_key",
                         _("the 40 characters of the broker's public key (Z85), in single quotes"),
                         "%s", file->broker_key);
    }
    if (file->member != NULL && !relais_slug_is_valid(file->member)) {
        return error_set(error, RELAIS_CONFIG_INVALID, "member", _("a member's slug"), "%s",
                         file->member);
    }
    if (file->client != NULL && !relais_slug_is_valid(file->client)) {
        return error_set(error, RELAIS_CONFIG_INVALID, "client", _("a client's name"), "%s",
                         file->client);
    }
    return check_sealing(file, error);
}

/* The key's path seen from the profile's folder, absolute. */
static relais_status resolve(const char *profile, const char *key, char *out_path, size_t size,
                             relais_error *error)
{
    char folder[sizeof((relais_profile *)NULL)->key_path] = "";
    const char *slash = strrchr(profile, '/');
    int written = 0;

    if (key[0] != '/' && profile[0] != '/' && getcwd(folder, sizeof folder) == NULL) {
        return error_set_errno(error, profile, errno);
    }
    if (key[0] == '/') {
        written = snprintf(out_path, size, "%s", key);
    } else {
        written = snprintf(out_path, size, "%s%s%.*s%s", folder, folder[0] == '\0' ? "" : "/",
                           slash == NULL ? 0 : (int)(slash - profile + 1), profile, key);
    }
    if (written < 0 || (size_t)written >= size) {
        return error_set(error, RELAIS_CONFIG_INVALID, "key", _("a shorter path"), "%s", key);
    }
    return RELAIS_OK;
}

static void copy(char *out_text, size_t size, const char *text)
{
    (void)snprintf(out_text, size, "%s", text == NULL ? "" : text);
}

static relais_status take_sealing(const char *path, const struct profile_file *file,
                                  relais_profile *profile, relais_error *error)
{
    const struct {
        const char *text;
        char *out_path;
    } paths[] = {
        {file->regulator, profile->regulator_path},
        {file->memory, profile->memory_path},
        {file->identity, profile->identity_path},
        {file->mailbox_keys, profile->mailbox_keys_path},
    };
    relais_status status = RELAIS_OK;

    for (size_t i = 0; status == RELAIS_OK && i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i].text != NULL) {
            status = resolve(path, paths[i].text, paths[i].out_path, PATH_BYTES, error);
        }
    }
    for (unsigned i = 0; i < file->sealed_flows_count; i++) {
        copy(profile->sealed_flows[i], sizeof profile->sealed_flows[i], file->sealed_flows[i]);
    }
    profile->sealed_flow_count = file->sealed_flows_count;
    return status;
}

relais_status relais_profile_load(const char *path, relais_profile *out_profile,
                                  relais_error *error)
{
    void *data = NULL;
    relais_profile profile = {0};
    relais_status status = yaml_load(path, &schema, &data, error);

    if (status != RELAIS_OK) {
        return status;
    }
    const struct profile_file *file = data;
    status = check(file, error);
    if (status != RELAIS_OK) {
        yaml_name_line(path, error);
        goto done;
    }
    status = resolve(path, file->key, profile.key_path, sizeof profile.key_path, error);
    if (status == RELAIS_OK) {
        status = take_sealing(path, file, &profile, error);
    }
    if (status != RELAIS_OK) {
        goto done;
    }
    copy(profile.endpoint, sizeof profile.endpoint, file->broker);
    copy(profile.broker_key, sizeof profile.broker_key, file->broker_key);
    copy(profile.member, sizeof profile.member, file->member);
    copy(profile.client, sizeof profile.client, file->client);
    *out_profile = profile;
done:
    yaml_free(&schema, data);
    return status;
}

relais_status relais_profile_save(const relais_profile *profile, const char *path,
                                  relais_error *error)
{
    relais_profile copied = *profile;
    char *flows[RELAIS_PROFILE_FLOWS];
    const struct profile_file file = {
        .broker = copied.endpoint,
        .broker_key = copied.broker_key,
        .key = copied.key_path,
        .member = copied.member[0] == '\0' ? NULL : copied.member,
        .client = copied.client[0] == '\0' ? NULL : copied.client,
        .regulator = copied.regulator_path[0] == '\0' ? NULL : copied.regulator_path,
        .memory = copied.memory_path[0] == '\0' ? NULL : copied.memory_path,
        .identity = copied.identity_path[0] == '\0' ? NULL : copied.identity_path,
        .mailbox_keys = copied.mailbox_keys_path[0] == '\0' ? NULL : copied.mailbox_keys_path,
        .sealed_flows = copied.sealed_flow_count > 0 ? flows : NULL,
        .sealed_flows_count = (unsigned)copied.sealed_flow_count,
    };
    for (size_t i = 0; i < copied.sealed_flow_count; i++) {
        flows[i] = copied.sealed_flows[i];
    }
    relais_status status = check(&file, error);

    if (status == RELAIS_OK && file.key[0] == '\0') {
        status = error_set(error, RELAIS_CONFIG_INVALID, "key", _("the path of our secret key"),
                           "%s", _("missing"));
    }
    return status == RELAIS_OK ? yaml_save(path, NULL, &schema, &file, error) : status;
}
