/* SPDX-License-Identifier: EUPL-1.2
 *
 * A list of what is in a home: one walk over the files of a folder for all `... list` commands. It
 * shows what can be read and tells about the rest.
 */
#ifndef RELAIS_CLI_HOME_LIST_H
#define RELAIS_CLI_HOME_LIST_H

#include "cli/home.h"
#include "cli/output.h"

#include <jansson.h>

enum home_folder { HOME_MEMBERS, HOME_FLOWS };

/* Loads the file of this name and appends what it shows to `rows`. */
typedef relais_status (*home_rows_fn)(const struct invocation *invocation, const struct home *home,
                                      const char *name, json_t *rows, relais_error *error);

/* CODE_FAILED when a file could not be read; the others are shown all the same. */
enum exit_code home_list(struct invocation *invocation, enum home_folder folder, home_rows_fn add,
                         const struct column *columns, size_t column_count);

#endif
