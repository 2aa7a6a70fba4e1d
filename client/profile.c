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
};

enum { NAME_BYTES = 63 };

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
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile_file, fields)};

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
    return RELAIS_OK;
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
    const struct profile_file file = {
        .broker = copied.endpoint,
        .broker_key = copied.broker_key,
        .key = copied.key_path,
        .member = copied.member[0] == '\0' ? NULL : copied.member,
        .client = copied.client[0] == '\0' ? NULL : copied.client,
    };
    relais_status status = check(&file, error);

    if (status == RELAIS_OK && file.key[0] == '\0') {
        status = error_set(error, RELAIS_CONFIG_INVALID, "key", _("the path of our secret key"),
                           "%s", _("missing"));
    }
    return status == RELAIS_OK ? yaml_save(path, NULL, &schema, &file, error) : status;
}
