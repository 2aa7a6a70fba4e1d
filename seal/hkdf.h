/* SPDX-License-Identifier: EUPL-1.2
 *
 * HKDF-SHA256 (RFC 5869) over libsodium's HMAC: libsodium 1.0.18 has none of its own.
 * Inputs may come in pieces, as if they stood one behind the other.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_SEAL_HKDF_H
#define RELAIS_SEAL_HKDF_H

#include "seal/bytes.h"

enum {
    HKDF_KEY_BYTES = 32,        /* the hash's length */
    HKDF_MOST_BYTES = 255 * 32, /* what one expansion can give (section 2.3) */
};

/* Section 2.2. An empty salt is one of 32 zero bytes. */
void hkdf_extract(struct seal_bytes salt, const struct seal_bytes *pieces, size_t piece_count,
                  uint8_t out_key[HKDF_KEY_BYTES]);

/* Section 2.3. `size` is at most HKDF_MOST_BYTES: our own lengths, never foreign ones. */
void hkdf_expand(const uint8_t key[HKDF_KEY_BYTES], const struct seal_bytes *pieces,
                 size_t piece_count, uint8_t *out, size_t size);

#endif
