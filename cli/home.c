/* SPDX-License-Identifier: EUPL-1.2
 *
 * Finding a broker's home and the files in it.
 */
#include "cli/home.h"

#include "cli/talk.h"
#include "program/locale.h"

#include <cyaml/cyaml.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char SUFFIX[] = ".yaml";

/* The few keys of relaisd.yaml that say where files are; relaisd itself checks the rest. */
struct store_keys {
    char *path;
};

struct home_keys {
    char *members;
    char *flows;
    struct store_keys *store;
};

static const cyaml_schema_field_t store_fields[] = {
    CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct store_keys,
                           path, 1, PATH_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t home_fields[] = {
    CYAML_FIELD_STRING_PTR("members", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct home_keys,
                           members, 1, PATH_MAX),
    CYAML_FIELD_STRING_PTR("flows", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct home_keys,
                           flows, 1, PATH_MAX),
    CYAML_FIELD_MAPPING_PTR("store", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct home_keys,
                            store, store_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t home_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct home_keys, home_fields),
};

static const cyaml_config_t home_config = {
    .log_level = CYAML_LOG_ERROR,
    .mem_fn = cyaml_mem,
    .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS,
};

bool home_join(char *out_path, size_t size, const char *folder, const char *name,
               const char *suffix)
{
    int length = 0;
    if (name[0] == '/') {
        length = snprintf(out_path, size, "%s%s", name, suffix);
    } else {
        length = snprintf(out_path, size, "%s/%s%s", folder, name, suffix);
    }
    return length > 0 && (size_t)length < size;
}

/* As relaisd reads it: the environment goes before the file, the file before the default. */
static const char *setting(const char *variable, const char *in_file, const char *by_default)
{
    const char *in_environment = getenv(variable);
    if (in_environment && *in_environment != '\0') {
        return in_environment;
    }
    return in_file ? in_file : by_default;
}

static bool set_folders(struct home *home, const struct home_keys *keys)
{
    const char *in_file = keys->store ? keys->store->path : NULL;
    const char *members = setting("RELAIS_MEMBERS", keys->members, "members");
    const char *flows = setting("RELAIS_FLOWS", keys->flows, "flows");
    const char *store = setting("RELAIS_STORE_PATH", in_file, "store");
    return home_join(home->members, sizeof(home->members), home->path, members, "") &&
           home_join(home->flows, sizeof(home->flows), home->path, flows, "") &&
           home_join(home->store, sizeof(home->store), home->path, store, "");
}

static relais_status read_config(struct home *home, const char *path, relais_error *error)
{
    struct home_keys *keys = NULL;
    cyaml_err_t problem =
        cyaml_load_file(path, &home_config, &home_schema, (cyaml_data_t **)&keys, NULL);
    if (problem != CYAML_OK || !keys) {
        return talk_fill(error, RELAIS_CONFIG_INVALID, path, cyaml_strerror(problem),
                         _("relaisd --check says more"));
    }
    relais_status status = RELAIS_OK;
    if (!set_folders(home, keys)) {
        status = talk_fill(error, RELAIS_CONFIG_INVALID, path, _("a path is too long"), NULL);
    }
    cyaml_free(&home_config, &home_schema, keys, 0);
    return status;
}

relais_status home_find(const struct options *options, struct home *out_home, relais_error *error)
{
    const char *path = options_text(options, "home");
    if (!path) {
        path = getenv("RELAIS_HOME");
    }
    bool given = path && *path != '\0';
    if (!given) {
        path = ".";
    }
    char config[HOME_PATH_BYTES];
    *out_home = (struct home){0};
    int length = snprintf(out_home->path, sizeof(out_home->path), "%s", path);
    if ((size_t)length >= sizeof(out_home->path) ||
        !home_join(config, sizeof(config), path, "relaisd.yaml", "")) {
        return talk_fill(error, RELAIS_USAGE, "--home", _("a path is too long"), NULL);
    }
    if (access(config, R_OK) != 0) {
        talk_fill_errno(error, errno, config);
        snprintf(error->right, sizeof(error->right), "%s",
                 given ? _("a folder made by relais init")
                       : _("--home FOLDER, RELAIS_HOME, or the home as current folder"));
        return error->status;
    }
    return read_config(out_home, config, error);
}

static int is_yaml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length >= sizeof(SUFFIX) &&
           strcmp(entry->d_name + length - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

relais_status home_names(const char *folder, char ***out_names, size_t *out_count,
                         relais_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_yaml, by_name);
    if (count < 0) {
        return talk_fill_errno(error, errno, folder);
    }
    relais_status status = RELAIS_OK;
    char **names = calloc((size_t)count + 1, sizeof(char *));
    for (int i = 0; i < count; i++) {
        if (names) {
            names[i] =
                strndup(entries[i]->d_name, strlen(entries[i]->d_name) - (sizeof(SUFFIX) - 1));
        }
        if (!names || !names[i]) {
            status = talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
        }
        free(entries[i]);
    }
    free(entries);
    if (!names || status != RELAIS_OK) {
        home_names_free(names, (size_t)count);
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    *out_names = names;
    *out_count = (size_t)count;
    return RELAIS_OK;
}

void home_names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++) {
        free(names[i]);
    }
    free(names);
}
