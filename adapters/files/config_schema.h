/* SPDX-License-Identifier: EUPL-1.2
 *
 * The shape of the configuration file, for program/yaml.h. Its own file because a schema is a table
 * that people compare with the documentation. Constant; any thread.
 */
#ifndef RELAIS_FILES_CONFIG_SCHEMA_H
#define RELAIS_FILES_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t config_schema;

#endif
