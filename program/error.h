/* SPDX-License-Identifier: EUPL-1.2
 *
 * Fills in a relais_error: what was wrong, the field, what would be right. Texts are cut to size at
 * a character's boundary. Any thread.
 */
#ifndef RELAIS_PROGRAM_ERROR_H
#define RELAIS_PROGRAM_ERROR_H

#include <relais/status.h>

/* Writes *error (NULL is fine) and returns `status`. `field` and `right` may be NULL; `wrong` is a
 * format. */
relais_status error_set(relais_error *error, relais_status status, const char *field,
                        const char *right, const char *wrong, ...)
    __attribute__((format(printf, 5, 6)));

/* Replaces error->field. */
void error_set_field(relais_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* error_set(RELAIS_SYSTEM) with the system's words for `number` and nothing to advise. */
relais_status error_set_errno(relais_error *error, const char *field, int number);

#endif
