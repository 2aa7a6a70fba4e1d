/* SPDX-License-Identifier: EUPL-1.2
 *
 * The bytes of a message follow from its id, so that whoever receives it can tell whether they are
 * its own.
 */
#ifndef RELAIS_TESTS_CHAOS_KILLS_CONTENT_H
#define RELAIS_TESTS_CHAOS_KILLS_CONTENT_H

#include <relais/bytes.h>
#include <stdbool.h>

enum { CONTENT_BYTES_MOST = 150000 };

/* Valid until the next call. Small ones for the most part, some of several segments. */
relais_bytes content_of(const char *id);

bool content_is(const char *id, relais_bytes payload);

#endif
