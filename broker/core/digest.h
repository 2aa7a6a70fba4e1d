/* SPDX-License-Identifier: EUPL-1.2
 *
 * The digest of a payload that the broker makes itself: BLAKE2b-256 without a key (RFC 7693). What
 * members send is never digested here. Pure; any thread.
 */
#ifndef RELAIS_CORE_DIGEST_H
#define RELAIS_CORE_DIGEST_H

#include "wire/bytes.h"

enum { DIGEST_BYTES = 32 };

void digest_of(struct bytes data, uint8_t out_digest[DIGEST_BYTES]);

#endif
