/* SPDX-License-Identifier: EUPL-1.2
 *
 * Mailbox keys in memory, see mailbox_key.h; mailbox_key_file.c has them as text.
 */
#include "seal/mailbox_key.h"

#include <sodium.h>
#include <string.h>

#include "seal/suite.h"

static const char ID_LABEL[] = "relais-seal-1 key id";

struct mailbox_key {
    struct mailbox_public public_half;
    uint8_t id[MAILBOX_KEY_ID_BYTES];
    uint8_t secret[MAILBOX_SECRET_BYTES];
};

static bool validity_is_good(int64_t not_before_ms, int64_t not_after_ms)
{
    return not_before_ms >= 0 && not_before_ms < not_after_ms &&
           not_after_ms - not_before_ms <= MAILBOX_KEY_MOST_MS;
}

void mailbox_public_encode(const struct mailbox_public *key, uint8_t out[MAILBOX_PUBLIC_BYTES])
{
    seal_put_u16(out, SEAL_SUITE_X25519);
    seal_put_u64(out + 2, (uint64_t)key->not_before_ms);
    seal_put_u64(out + 10, (uint64_t)key->not_after_ms);
    memcpy(out + 18, key->point, MAILBOX_POINT_BYTES);
}

enum seal_status mailbox_public_decode(struct seal_bytes bytes, struct mailbox_public *out_key)
{
    uint64_t not_before = 0;
    uint64_t not_after = 0;

    if (bytes.size < 2) {
        return SEAL_BAD_PUBLIC_KEY;
    }
    if (seal_get_u16(bytes.data) != SEAL_SUITE_X25519) {
        return SEAL_UNKNOWN_SUITE;
    }
    if (bytes.size != MAILBOX_PUBLIC_BYTES) {
        return SEAL_BAD_PUBLIC_KEY;
    }
    not_before = seal_get_u64(bytes.data + 2);
    not_after = seal_get_u64(bytes.data + 10);
    if (not_before > INT64_MAX || not_after > INT64_MAX ||
        !validity_is_good((int64_t)not_before, (int64_t)not_after)) {
        return SEAL_BAD_VALIDITY;
    }
    out_key->not_before_ms = (int64_t)not_before;
    out_key->not_after_ms = (int64_t)not_after;
    memcpy(out_key->point, bytes.data + 18, MAILBOX_POINT_BYTES);
    return SEAL_OK;
}

void mailbox_public_id(const struct mailbox_public *key, uint8_t out_id[MAILBOX_KEY_ID_BYTES])
{
    uint8_t record[MAILBOX_PUBLIC_BYTES];
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;

    mailbox_public_encode(key, record);
    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)ID_LABEL, sizeof ID_LABEL - 1);
    (void)crypto_hash_sha256_update(&state, record, sizeof record);
    (void)crypto_hash_sha256_final(&state, digest);
    memcpy(out_id, digest, MAILBOX_KEY_ID_BYTES);
}

bool mailbox_public_is_valid_at(const struct mailbox_public *key, int64_t now_ms)
{
    return key->not_before_ms <= now_ms && now_ms < key->not_after_ms;
}

enum seal_status mailbox_key_from_secret(const uint8_t secret[MAILBOX_SECRET_BYTES],
                                         int64_t not_before_ms, int64_t not_after_ms,
                                         struct mailbox_key **out_key)
{
    struct mailbox_key *key = NULL;

    if (!validity_is_good(not_before_ms, not_after_ms)) {
        return SEAL_BAD_VALIDITY;
    }
    if (sodium_init() < 0) {
        return SEAL_NO_RANDOMNESS;
    }
    key = sodium_malloc(sizeof *key);
    if (key == NULL) {
        return SEAL_NO_MEMORY;
    }
    key->public_half.not_before_ms = not_before_ms;
    key->public_half.not_after_ms = not_after_ms;
    memcpy(key->secret, secret, sizeof key->secret);
    (void)crypto_scalarmult_base(key->public_half.point, key->secret);
    mailbox_public_id(&key->public_half, key->id);
    (void)sodium_mprotect_readonly(key);
    *out_key = key;
    return SEAL_OK;
}

enum seal_status mailbox_key_generate(int64_t not_before_ms, int64_t not_after_ms,
                                      struct mailbox_key **out_key)
{
    uint8_t secret[MAILBOX_SECRET_BYTES];
    enum seal_status status = SEAL_OK;

    if (sodium_init() < 0) {
        return SEAL_NO_RANDOMNESS;
    }
    randombytes_buf(secret, sizeof secret);
    status = mailbox_key_from_secret(secret, not_before_ms, not_after_ms, out_key);
    sodium_memzero(secret, sizeof secret);
    return status;
}

void mailbox_key_free(struct mailbox_key *key)
{
    sodium_free(key); /* makes it writable again and wipes it */
}

const struct mailbox_public *mailbox_key_public(const struct mailbox_key *key)
{
    return &key->public_half;
}

const uint8_t *mailbox_key_id(const struct mailbox_key *key)
{
    return key->id;
}

const uint8_t *mailbox_key_secret(const struct mailbox_key *key)
{
    return key->secret;
}
