/* SPDX-License-Identifier: EUPL-1.2
 *
 * One text of a packed envelope, without unpacking the whole: what a delivery needs to know of its
 * message costs a walk over the fields. Pure; any thread.
 */
#ifndef RELAIS_WIRE_ENVELOPE_FIELD_H
#define RELAIS_WIRE_ENVELOPE_FIELD_H

#include "wire/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENVELOPE_FIELD_FLOW = 21 }; /* envelope.proto */

/* The text of a field of the envelope itself, NUL-terminated. False: it is not there, is longer
 * than `size` - 1 bytes, or the bytes cannot be read as far as it. */
bool envelope_find_text(struct bytes envelope, unsigned field, char *out_text, size_t size);

#endif
