/* SPDX-License-Identifier: EUPL-1.2
 *
 * Filling in a relais_error: texts are cut at a whole UTF-8 character and control characters are
 * replaced, so that what comes from outside can be shown. `error` may be NULL everywhere.
 * Any thread.
 */
#ifndef RELAIS_CLIENT_ERROR_H
#define RELAIS_CLIENT_ERROR_H

#include "relais/v1/command.pb-c.h"

#include <relais/status.h>
#include <stddef.h>

/* Fills *error; a NULL text is "". Returns status, so that a caller can return it in turn. */
relais_status error_fill(relais_error *error, relais_status status, const char *field,
                         const char *wrong, const char *right);

/* The same for a failed system call: wrong is "path: what errno says" or what errno says. */
relais_status error_fill_errno(relais_error *error, const char *field, int number);

/* The same where a number was found that a limit forbids. */
relais_status error_fill_number(relais_error *error, relais_status status, const char *field,
                                uint64_t wrong, uint64_t limit);

/* What the broker said. A code that is not one of the broker's is RELAIS_MALFORMED. */
relais_status error_from_wire(relais_error *error, const Relais__V1__Error *said);

/* Copies text for people: cut to size, control characters replaced by "?". NULL is "". */
void error_copy_text(char *out_text, size_t size, const char *text);

#endif
