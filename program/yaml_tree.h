/* SPDX-License-Identifier: EUPL-1.2
 *
 * A YAML document as a tree that knows its lines. libcyaml 1.3.1 fills structs but is a poor judge:
 * it takes -1 for an unsigned number and any word for a boolean, and gives an unknown key the line
 * of the one before. So a file is judged here first, along the same schema, with errors that say
 * what would do; libcyaml then only fills in. Any thread.
 */
#ifndef RELAIS_PROGRAM_YAML_TREE_H
#define RELAIS_PROGRAM_YAML_TREE_H

#include <cyaml/cyaml.h>
#include <relais/status.h>
#include <stddef.h>

/* Is this text one document without aliases that fits `schema`? `path` is for the error. */
relais_status yaml_tree_check(const char *path, const char *text, size_t size,
                              const cyaml_schema_value_t *schema, relais_error *error);

/* The line of the value at `key` ("store.reserve_mb", "clients[1].key"), from 1; the nearest
 * ancestor's when it is not there; 0: no such document. */
size_t yaml_tree_line(const char *text, size_t size, const char *key);

/* Makes error->field "path:line: key"; a path too long for it loses its head. Line 0: without. */
void yaml_tree_place(relais_error *error, const char *path, size_t line, const char *key);

/* Text of `data` as block YAML, quoted so that no reader takes 01004 for a number. Freed with
 * free(); NULL without memory. */
char *yaml_tree_print(const cyaml_schema_value_t *schema, const void *data);

#endif
