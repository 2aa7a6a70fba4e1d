/* SPDX-License-Identifier: EUPL-1.2
 *
 * The schema of the quotas in a member's file.
 */
#ifndef RELAIS_CLIENT_DIRECTORY_QUOTA_H
#define RELAIS_CLIENT_DIRECTORY_QUOTA_H

#include "program/yaml.h"

extern const cyaml_schema_field_t directory_quota_fields[];

#endif
