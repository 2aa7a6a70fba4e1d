/* SPDX-License-Identifier: EUPL-1.2
 *
 * HKDF-SHA256, see hkdf.h. Wipes what it leaves on the stack.
 */
#include "seal/hkdf.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(crypto_auth_hmacsha256_BYTES == HKDF_KEY_BYTES, "the hash is SHA-256");

static void update(crypto_auth_hmacsha256_state *state, const struct seal_bytes *pieces,
                   size_t piece_count)
{
    for (size_t i = 0; i < piece_count; i++) {
        if (pieces[i].size > 0) {
            (void)crypto_auth_hmacsha256_update(state, pieces[i].data, pieces[i].size);
        }
    }
}

void hkdf_extract(struct seal_bytes salt, const struct seal_bytes *pieces, size_t piece_count,
                  uint8_t out_key[HKDF_KEY_BYTES])
{
    static const uint8_t none[HKDF_KEY_BYTES];
    crypto_auth_hmacsha256_state state;

    if (salt.size == 0) {
        salt = (struct seal_bytes){none, sizeof none};
    }
    (void)crypto_auth_hmacsha256_init(&state, salt.data, salt.size);
    update(&state, pieces, piece_count);
    (void)crypto_auth_hmacsha256_final(&state, out_key);
    sodium_memzero(&state, sizeof state);
}

void hkdf_expand(const uint8_t key[HKDF_KEY_BYTES], const struct seal_bytes *pieces,
                 size_t piece_count, uint8_t *out, size_t size)
{
    crypto_auth_hmacsha256_state state;
    uint8_t block[HKDF_KEY_BYTES];
    uint8_t counter = 0;

    assert(size <= HKDF_MOST_BYTES);
    for (size_t at = 0; at < size; at += HKDF_KEY_BYTES) {
        const size_t rest = size - at;

        (void)crypto_auth_hmacsha256_init(&state, key, HKDF_KEY_BYTES);
        if (counter > 0) {
            (void)crypto_auth_hmacsha256_update(&state, block, sizeof block);
        }
        update(&state, pieces, piece_count);
        counter++;
        (void)crypto_auth_hmacsha256_update(&state, &counter, 1);
        (void)crypto_auth_hmacsha256_final(&state, block);
        memcpy(out + at, block, rest < sizeof block ? rest : sizeof block);
    }
    sodium_memzero(&state, sizeof state);
    sodium_memzero(block, sizeof block);
}
