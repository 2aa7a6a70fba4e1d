/* SPDX-License-Identifier: EUPL-1.2
 *
 * Base64 (RFC 4648, section 4): bytes inside JSON.
 */
#ifndef RELAIS_CLI_BASE64_H
#define RELAIS_CLI_BASE64_H

#include <relais/bytes.h>

/* The text, freed with free(); NULL without memory. */
char *base64_new(relais_bytes bytes);

#endif
