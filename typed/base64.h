/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes in JSON (RFC 4648, section 4, with padding).
 */
#ifndef RELAIS_TYPED_BASE64_H
#define RELAIS_TYPED_BASE64_H

#include "typed/text.h"

void base64_append(struct text *out, const uint8_t *data, size_t size);

/* Appends the bytes; false: not base64. Memory: out->state. */
bool base64_read(const char *text, size_t size, struct text *out);

#endif
