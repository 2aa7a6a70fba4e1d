/* SPDX-License-Identifier: EUPL-1.2
 *
 * How the deadline of a flow's file is read and written; its rules are in directory_acknowledge.c.
 */
#ifndef RELAIS_CLIENT_DIRECTORY_ACKNOWLEDGE_H
#define RELAIS_CLIENT_DIRECTORY_ACKNOWLEDGE_H

#include "program/yaml.h"

#include <relais/directory.h>

extern const cyaml_schema_field_t directory_acknowledge_fields[];

/* NULL is fine for both. */
relais_status directory_acknowledge_check(const relais_acknowledge *acknowledge,
                                          relais_error *error);
void directory_acknowledge_free(relais_acknowledge *acknowledge);

#endif
