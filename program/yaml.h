/* SPDX-License-Identifier: EUPL-1.2
 *
 * Reads a YAML file by a libcyaml schema and turns what libcyaml says into one relais_error that
 * names file, line and field. Every configuration file of the project passes here.
 * Limits: 1 MiB a file. No global state; any thread.
 */
#ifndef RELAIS_PROGRAM_YAML_H
#define RELAIS_PROGRAM_YAML_H

#include <cyaml/cyaml.h>
#include <relais/status.h>

/* Loads `path`. On success *out_data is freed with yaml_free(). RELAIS_NOT_FOUND, RELAIS_SYSTEM,
 * RELAIS_CONFIG_INVALID: error->field is "path:line: key.key". */
relais_status yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out_data,
                        relais_error *error);

/* Turns error->field, a key of the file ("clients[1].key"), into "path:line: key" (the nearest
 * line there is). For rules that a schema cannot express. */
void yaml_name_line(const char *path, relais_error *error);

/* Frees what yaml_load() gave. NULL is fine. */
void yaml_free(const cyaml_schema_value_t *schema, void *data);

/* Writes `data` to `path` by file_replace(), after the comment `heading` (lines beginning with "#",
 * may be NULL). */
relais_status yaml_save(const char *path, const char *heading, const cyaml_schema_value_t *schema,
                        const void *data, relais_error *error);

#endif
