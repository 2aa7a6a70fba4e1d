/* SPDX-License-Identifier: EUPL-1.2
 *
 * A configuration file from disk to struct and back: yaml_check.c judges the text, libcyaml fills
 * the struct, yaml_print.c writes it. Any thread.
 */
#include "program/yaml.h"

#include "program/error.h"
#include "program/file.h"
#include "program/locale.h"
#include "program/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YAML_FILE_BYTES = 1024 * 1024, YAML_FILE_MODE = 0644 };

static const cyaml_config_t settings = {
    .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

relais_status yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out_data,
                        relais_error *error)
{
    char *text = NULL;
    size_t size = 0;
    void *data = NULL;
    relais_status status = file_read(path, YAML_FILE_BYTES, &text, &size, error);

    if (status != RELAIS_OK) {
        return status;
    }
    status = yaml_tree_check(path, text, size, schema, error);
    if (status == RELAIS_OK) {
        cyaml_err_t problem =
            cyaml_load_data((const uint8_t *)text, size, &settings, schema, &data, NULL);

        if (problem == CYAML_ERR_OOM) {
            status = error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
        } else if (problem != CYAML_OK || data == NULL) {
            status =
                error_set(error, RELAIS_CONFIG_INVALID, path, NULL, "%s", cyaml_strerror(problem));
        } else {
            *out_data = data;
        }
    }
    free(text);
    return status;
}

void yaml_free(const cyaml_schema_value_t *schema, void *data)
{
    if (data != NULL) {
        (void)cyaml_free(&settings, schema, data, 0);
    }
}

relais_status yaml_save(const char *path, const char *heading, const cyaml_schema_value_t *schema,
                        const void *data, relais_error *error)
{
    char *body = yaml_tree_print(schema, data);
    char *text = NULL;
    relais_status status = RELAIS_NO_MEMORY;

    if (body != NULL && asprintf(&text, "%s%s", heading == NULL ? "" : heading, body) >= 0) {
        status = file_replace(path, text, strlen(text), YAML_FILE_MODE, error);
        free(text);
    } else {
        (void)error_set(error, RELAIS_NO_MEMORY, path, NULL, "%s", "");
    }
    free(body);
    return status;
}

void yaml_name_line(const char *path, relais_error *error)
{
    char *text = NULL;
    size_t size = 0;
    size_t line = 0;
    char key[sizeof error->field];

    if (error == NULL) {
        return;
    }
    (void)snprintf(key, sizeof key, "%s", error->field);
    if (file_read(path, YAML_FILE_BYTES, &text, &size, NULL) == RELAIS_OK) {
        line = yaml_tree_line(text, size, key);
    }
    free(text);
    yaml_tree_place(error, path, line, key);
}
