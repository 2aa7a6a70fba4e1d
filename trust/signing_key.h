/* SPDX-License-Identifier: EUPL-1.2
 *
 * Ed25519 keys with a name, as C2SP's signed notes have them: a member's, to sign what it says, and
 * the regulator's, to sign who is a member.
 *
 *   public   NAME+ID+BASE64      ID: 8 hexadecimal digits; BASE64 of 01 and the 32 bytes
 *   secret   PRIVATE+KEY+NAME+ID+BASE64      of 01 and the 32 bytes of the seed
 *
 *   1. The id of a key is the first 4 bytes of SHA-256(NAME || "\n" || 01 || public key): what is
 *      read is refused unless it says the right one.
 *
 *   2. A secret is in memory of its own (sodium_malloc: locked, guarded, read-only), wiped when it
 *      is freed.
 *
 * Source: https://c2sp.org/signed-note. Any thread; sodium_init() has been called.
 */
#ifndef RELAIS_TRUST_SIGNING_KEY_H
#define RELAIS_TRUST_SIGNING_KEY_H

#include "trust/status.h"
#include "wire/bytes.h"

#include <stdbool.h>

enum {
    SIGNING_NAME_BYTES = 63, /* a member's slug, or the regulator's name in the same grammar */
    SIGNING_POINT_BYTES = 32,
    SIGNING_SEED_BYTES = 32,
    SIGNING_ID_BYTES = 4,
    SIGNATURE_BYTES = 64,
    SIGNING_BASE64_BYTES = 44, /* of 33 bytes */
    SIGNING_PUBLIC_TEXT_BYTES = SIGNING_NAME_BYTES + 1 + 2 * SIGNING_ID_BYTES + 1 +
                                SIGNING_BASE64_BYTES + 1,       /* NUL included */
    SIGNING_SECRET_TEXT_BYTES = 12 + SIGNING_PUBLIC_TEXT_BYTES, /* NUL included */
};

struct signing_public {
    char name[SIGNING_NAME_BYTES + 1];
    uint8_t id[SIGNING_ID_BYTES];
    uint8_t point[SIGNING_POINT_BYTES];
};

struct signing_key;

bool signing_public_equal(const struct signing_public *left, const struct signing_public *right);

void signing_public_encode(const struct signing_public *key,
                           char out_text[SIGNING_PUBLIC_TEXT_BYTES]);

/* TRUST_BAD_KEY, TRUST_BAD_NAME. */
enum trust_status signing_public_decode(struct bytes text,
                                        struct signing_public *out_key) TRUST_MUST_CHECK;

/* A new pair. Gives the key: free it with signing_key_free().
 * TRUST_BAD_NAME, TRUST_NO_MEMORY. */
enum trust_status signing_key_generate(const char *name,
                                       struct signing_key **out_key) TRUST_MUST_CHECK;

/* The pair that belongs to a seed: for tests with fixed keys; else as signing_key_generate(). */
enum trust_status signing_key_from_seed(const char *name, const uint8_t seed[SIGNING_SEED_BYTES],
                                        struct signing_key **out_key) TRUST_MUST_CHECK;

/* Wipes. NULL is fine. */
void signing_key_free(struct signing_key *key);

/* Borrowed, as long as the key lives. */
const struct signing_public *signing_key_public(const struct signing_key *key);

/* The secret as text, without an end of line; the caller wipes it. */
void signing_key_encode(const struct signing_key *key, char out_text[SIGNING_SECRET_TEXT_BYTES]);

/* Gives the key. TRUST_BAD_KEY, TRUST_BAD_NAME, TRUST_NO_MEMORY. */
enum trust_status signing_key_decode(struct bytes text,
                                     struct signing_key **out_key) TRUST_MUST_CHECK;

void signing_key_sign(const struct signing_key *key, struct bytes message,
                      uint8_t out_signature[SIGNATURE_BYTES]);

bool signing_public_verifies(const struct signing_public *key, struct bytes message,
                             const uint8_t signature[SIGNATURE_BYTES]);

#endif
