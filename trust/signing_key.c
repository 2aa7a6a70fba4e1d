/* SPDX-License-Identifier: EUPL-1.2
 *
 * See signing_key.h. Every buffer that held a secret is wiped, whatever the outcome.
 */
#include "trust/signing_key.h"

#include "wire/name.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    ALGORITHM = 1, /* Ed25519, as C2SP's signed notes number it */
    BODY_BYTES = 1 + SIGNING_POINT_BYTES,
};

static const char SECRET_LABEL[] = "PRIVATE+KEY+";

struct signing_key {
    struct signing_public public_half;
    uint8_t seed[SIGNING_SEED_BYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

static void set_id(struct signing_public *key)
{
    static const uint8_t separator[2] = {'\n', ALGORITHM};
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)key->name, strlen(key->name));
    (void)crypto_hash_sha256_update(&state, separator, sizeof separator);
    (void)crypto_hash_sha256_update(&state, key->point, SIGNING_POINT_BYTES);
    (void)crypto_hash_sha256_final(&state, digest);
    memcpy(key->id, digest, SIGNING_ID_BYTES);
}

bool signing_public_equal(const struct signing_public *left, const struct signing_public *right)
{
    return strcmp(left->name, right->name) == 0 &&
           memcmp(left->point, right->point, SIGNING_POINT_BYTES) == 0;
}

/* "NAME+ID+BASE64" of a body of 33 bytes; out_text has SIGNING_PUBLIC_TEXT_BYTES. */
static void encode(const struct signing_public *key, const uint8_t *thirty_two, char *out_text)
{
    uint8_t body[BODY_BYTES] = {ALGORITHM};
    char base64[SIGNING_BASE64_BYTES + 1];
    char id[2 * SIGNING_ID_BYTES + 1];

    memcpy(body + 1, thirty_two, BODY_BYTES - 1);
    (void)sodium_bin2base64(base64, sizeof base64, body, sizeof body,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_bin2hex(id, sizeof id, key->id, SIGNING_ID_BYTES);
    (void)snprintf(out_text, SIGNING_PUBLIC_TEXT_BYTES, "%s+%s+%s", key->name, id, base64);
    sodium_memzero(body, sizeof body);
    sodium_memzero(base64, sizeof base64);
}

/* The parts of "NAME+ID+BASE64". The id is not compared yet. */
struct parts {
    char name[SIGNING_NAME_BYTES + 1];
    uint8_t id[SIGNING_ID_BYTES];
    uint8_t body[BODY_BYTES];
};

static bool same_id(const struct parts *parts, const char *text)
{
    char again[2 * SIGNING_ID_BYTES + 1];

    (void)sodium_bin2hex(again, sizeof again, parts->id, SIGNING_ID_BYTES);
    return memcmp(again, text, sizeof again - 1) == 0; /* capitals are refused */
}

static bool same_base64(const struct parts *parts, const char *text)
{
    char again[SIGNING_BASE64_BYTES + 1];
    bool same = false;

    (void)sodium_bin2base64(again, sizeof again, parts->body, BODY_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    same = sodium_memcmp(again, text, SIGNING_BASE64_BYTES) == 0;
    sodium_memzero(again, sizeof again);
    return same;
}

static enum trust_status split(struct bytes text, struct parts *out_parts)
{
    const size_t tail = 1 + 2 * SIGNING_ID_BYTES + 1 + SIGNING_BASE64_BYTES;
    const char *at = (const char *)text.data;
    size_t size = 0;

    if (text.size <= tail) {
        return TRUST_BAD_KEY;
    }
    if (text.size - tail > SIGNING_NAME_BYTES) {
        return TRUST_BAD_NAME;
    }
    memcpy(out_parts->name, at, text.size - tail);
    out_parts->name[text.size - tail] = '\0';
    at += text.size - tail;
    if (at[0] != '+' || at[1 + 2 * SIGNING_ID_BYTES] != '+') {
        return TRUST_BAD_KEY;
    }
    if (strlen(out_parts->name) != text.size - tail || !name_is_slug(out_parts->name)) {
        return TRUST_BAD_NAME;
    }
    if (sodium_hex2bin(out_parts->id, SIGNING_ID_BYTES, at + 1, (size_t)2 * SIGNING_ID_BYTES, NULL,
                       &size, NULL) != 0 ||
        size != SIGNING_ID_BYTES || !same_id(out_parts, at + 1)) {
        return TRUST_BAD_KEY;
    }
    at += 2 + 2 * SIGNING_ID_BYTES;
    if (sodium_base642bin(out_parts->body, BODY_BYTES, at, SIGNING_BASE64_BYTES, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size != BODY_BYTES || out_parts->body[0] != ALGORITHM || !same_base64(out_parts, at)) {
        return TRUST_BAD_KEY;
    }
    return TRUST_OK;
}

void signing_public_encode(const struct signing_public *key,
                           char out_text[SIGNING_PUBLIC_TEXT_BYTES])
{
    encode(key, key->point, out_text);
}

enum trust_status signing_public_decode(struct bytes text, struct signing_public *out_key)
{
    struct signing_public key;
    struct parts parts;
    enum trust_status status = split(text, &parts);

    if (status != TRUST_OK) {
        return status;
    }
    memset(&key, 0, sizeof key);
    memcpy(key.name, parts.name, sizeof key.name);
    memcpy(key.point, parts.body + 1, SIGNING_POINT_BYTES);
    set_id(&key);
    if (memcmp(key.id, parts.id, SIGNING_ID_BYTES) != 0) {
        return TRUST_BAD_KEY;
    }
    *out_key = key;
    return TRUST_OK;
}

enum trust_status signing_key_from_seed(const char *name, const uint8_t seed[SIGNING_SEED_BYTES],
                                        struct signing_key **out_key)
{
    struct signing_key *key = NULL;

    if (!name_is_slug(name)) {
        return TRUST_BAD_NAME;
    }
    key = sodium_malloc(sizeof *key);
    if (key == NULL) {
        return TRUST_NO_MEMORY;
    }
    memset(key, 0, sizeof *key);
    memcpy(key->public_half.name, name, strlen(name) + 1);
    memcpy(key->seed, seed, SIGNING_SEED_BYTES);
    (void)crypto_sign_seed_keypair(key->public_half.point, key->secret, seed);
    set_id(&key->public_half);
    (void)sodium_mprotect_readonly(key);
    *out_key = key;
    return TRUST_OK;
}

enum trust_status signing_key_generate(const char *name, struct signing_key **out_key)
{
    uint8_t seed[SIGNING_SEED_BYTES];
    enum trust_status status = TRUST_OK;

    randombytes_buf(seed, sizeof seed);
    status = signing_key_from_seed(name, seed, out_key);
    sodium_memzero(seed, sizeof seed);
    return status;
}

void signing_key_free(struct signing_key *key)
{
    sodium_free(key); /* wipes */
}

const struct signing_public *signing_key_public(const struct signing_key *key)
{
    return &key->public_half;
}

void signing_key_encode(const struct signing_key *key, char out_text[SIGNING_SECRET_TEXT_BYTES])
{
    memcpy(out_text, SECRET_LABEL, sizeof SECRET_LABEL - 1);
    encode(&key->public_half, key->seed, out_text + sizeof SECRET_LABEL - 1);
}

enum trust_status signing_key_decode(struct bytes text, struct signing_key **out_key)
{
    const size_t label = sizeof SECRET_LABEL - 1;
    struct parts parts = {.name = ""};
    struct signing_key *key = NULL;
    enum trust_status status = TRUST_BAD_KEY;

    if (text.size > label && memcmp(text.data, SECRET_LABEL, label) == 0) {
        status = split((struct bytes){text.data + label, text.size - label}, &parts);
    }
    if (status == TRUST_OK) {
        status = signing_key_from_seed(parts.name, parts.body + 1, &key);
    }
    if (status == TRUST_OK && memcmp(key->public_half.id, parts.id, SIGNING_ID_BYTES) != 0) {
        signing_key_free(key);
        status = TRUST_BAD_KEY;
    }
    if (status == TRUST_OK) {
        *out_key = key;
    }
    sodium_memzero(&parts, sizeof parts);
    return status;
}

void signing_key_sign(const struct signing_key *key, struct bytes message,
                      uint8_t out_signature[SIGNATURE_BYTES])
{
    (void)crypto_sign_detached(out_signature, NULL, message.data, message.size, key->secret);
}

bool signing_public_verifies(const struct signing_public *key, struct bytes message,
                             const uint8_t signature[SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(signature, message.data, message.size, key->point) == 0;
}
