/* SPDX-License-Identifier: EUPL-1.2
 *
 * Civil dates that may be known in part, in the four ways that the formats write them.
 */
#ifndef RELAIS_TYPED_DATE_H
#define RELAIS_TYPED_DATE_H

#include "typed/kind.h"

struct verdict date_read(enum kind kind, const char *text, size_t size, bool specimens,
                         struct date *out_date);
void date_print(enum kind kind, const struct date *date, char buffer[KIND_PRINT_BYTES]);

/* "HH:MM:SS" */
bool date_is_time(const char *text, size_t size);

/* A timestamp of ISO 8601: date, T, time, then a fraction and a zone or not. */
struct verdict date_check_timestamp(const char *text, size_t size, bool specimens);

/* True when both are wholly known and `later` is before `earlier`. */
bool date_is_before(const struct date *later, const struct date *earlier);

#endif
