/* SPDX-License-Identifier: EUPL-1.2
 *
 * HPKE base mode, see hpke.h. Names as in RFC 9180, sections 4 and 5.
 */
#include "seal/hpke.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "seal/hkdf.h"

_Static_assert(crypto_scalarmult_BYTES == HPKE_PUBLIC_BYTES, "X25519");
_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == HPKE_KEY_BYTES, "Nk");
_Static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == HPKE_NONCE_BYTES, "Nn");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == HPKE_TAG_BYTES, "Nt");

enum {
    SHARED_BYTES = 32,
    KEM_CONTEXT_BYTES = HPKE_ENC_BYTES + HPKE_PUBLIC_BYTES,
    LABEL_PIECES = 5,
};

static const uint8_t KEM_SUITE[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t HPKE_SUITE[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};

#define KEM  ((struct seal_bytes){KEM_SUITE, sizeof KEM_SUITE})
#define HPKE ((struct seal_bytes){HPKE_SUITE, sizeof HPKE_SUITE})

static struct seal_bytes text(const char *label)
{
    return (struct seal_bytes){(const uint8_t *)label, strlen(label)};
}

/* Section 4, with the KEM's or the whole suite's id. */
static void labeled_extract(struct seal_bytes suite, struct seal_bytes salt, const char *label,
                            struct seal_bytes input, uint8_t out_key[HKDF_KEY_BYTES])
{
    const struct seal_bytes pieces[] = {text("HPKE-v1"), suite, text(label), input};

    hkdf_extract(salt, pieces, sizeof pieces / sizeof *pieces, out_key);
}

static void labeled_expand(struct seal_bytes suite, const uint8_t key[HKDF_KEY_BYTES],
                           const char *label, struct seal_bytes info, struct seal_output out)
{
    uint8_t length[2];
    const struct seal_bytes pieces[LABEL_PIECES] = {
        {length, sizeof length}, text("HPKE-v1"), suite, text(label), info};

    seal_put_u16(length, (uint16_t)out.size);
    hkdf_expand(key, pieces, LABEL_PIECES, out.data, out.size);
}

/* Section 4.1: DH, then ExtractAndExpand. crypto_scalarmult() refuses points of low order. */
static enum seal_status agree(const uint8_t secret_key[HPKE_SECRET_BYTES],
                              const uint8_t public_key[HPKE_PUBLIC_BYTES],
                              const uint8_t kem_context[KEM_CONTEXT_BYTES],
                              uint8_t out_shared[SHARED_BYTES])
{
    uint8_t point[crypto_scalarmult_BYTES];
    uint8_t eae_prk[HKDF_KEY_BYTES];

    if (crypto_scalarmult(point, secret_key, public_key) != 0 ||
        sodium_is_zero(point, sizeof point)) {
        sodium_memzero(point, sizeof point);
        return SEAL_BAD_PUBLIC_KEY;
    }
    labeled_extract(KEM, (struct seal_bytes){0}, "eae_prk",
                    (struct seal_bytes){point, sizeof point}, eae_prk);
    labeled_expand(KEM, eae_prk, "shared_secret",
                   (struct seal_bytes){kem_context, KEM_CONTEXT_BYTES},
                   (struct seal_output){.data = out_shared, .size = SHARED_BYTES});
    sodium_memzero(point, sizeof point);
    sodium_memzero(eae_prk, sizeof eae_prk);
    return SEAL_OK;
}

/* Section 5.1, KeySchedule for mode_base: no PSK, no PSK id. */
static void key_schedule(const uint8_t shared[SHARED_BYTES], struct seal_bytes info,
                         struct hpke_context *out_context)
{
    uint8_t context[1 + 2 * HKDF_KEY_BYTES] = {0}; /* the mode, psk_id_hash, info_hash */
    const struct seal_bytes whole = {context, sizeof context};
    uint8_t secret[HKDF_KEY_BYTES];

    labeled_extract(HPKE, (struct seal_bytes){0}, "psk_id_hash", (struct seal_bytes){0},
                    context + 1);
    labeled_extract(HPKE, (struct seal_bytes){0}, "info_hash", info, context + 1 + HKDF_KEY_BYTES);
    labeled_extract(HPKE, (struct seal_bytes){shared, SHARED_BYTES}, "secret",
                    (struct seal_bytes){0}, secret);
    labeled_expand(HPKE, secret, "key", whole,
                   (struct seal_output){.data = out_context->key, .size = HPKE_KEY_BYTES});
    labeled_expand(HPKE, secret, "base_nonce", whole,
                   (struct seal_output){.data = out_context->base_nonce, .size = HPKE_NONCE_BYTES});
    out_context->sequence = 0;
    sodium_memzero(secret, sizeof secret);
}

enum seal_status hpke_setup_sender(const uint8_t public_key[HPKE_PUBLIC_BYTES],
                                   struct seal_bytes info, uint8_t out_enc[HPKE_ENC_BYTES],
                                   struct hpke_context *out_context)
{
    uint8_t ephemeral[HPKE_SECRET_BYTES];
    uint8_t kem_context[KEM_CONTEXT_BYTES];
    uint8_t shared[SHARED_BYTES];
    enum seal_status status = SEAL_OK;

    randombytes_buf(ephemeral, sizeof ephemeral);
    (void)crypto_scalarmult_base(kem_context, ephemeral);
    memcpy(kem_context + HPKE_PUBLIC_BYTES, public_key, HPKE_PUBLIC_BYTES);
    status = agree(ephemeral, public_key, kem_context, shared);
    if (status == SEAL_OK) {
        memcpy(out_enc, kem_context, HPKE_ENC_BYTES);
        key_schedule(shared, info, out_context);
    }
    sodium_memzero(ephemeral, sizeof ephemeral);
    sodium_memzero(shared, sizeof shared);
    return status;
}

enum seal_status hpke_setup_recipient(const uint8_t enc[HPKE_ENC_BYTES], struct hpke_pair pair,
                                      struct seal_bytes info, struct hpke_context *out_context)
{
    uint8_t kem_context[KEM_CONTEXT_BYTES];
    uint8_t shared[SHARED_BYTES];
    enum seal_status status = SEAL_OK;

    memcpy(kem_context, enc, HPKE_ENC_BYTES);
    memcpy(kem_context + HPKE_ENC_BYTES, pair.public_key, HPKE_PUBLIC_BYTES);
    status = agree(pair.secret_key, enc, kem_context, shared);
    if (status == SEAL_OK) {
        key_schedule(shared, info, out_context);
    }
    sodium_memzero(shared, sizeof shared);
    return status;
}

/* Section 5.2: the base nonce with the sequence number in its last eight bytes. */
static void next_nonce(const struct hpke_context *context, uint8_t out_nonce[HPKE_NONCE_BYTES])
{
    uint8_t sequence[8];

    assert(context->sequence != UINT64_MAX); /* no use of ours comes near it */
    seal_put_u64(sequence, context->sequence);
    memcpy(out_nonce, context->base_nonce, HPKE_NONCE_BYTES);
    for (size_t i = 0; i < sizeof sequence; i++) {
        out_nonce[HPKE_NONCE_BYTES - sizeof sequence + i] ^= sequence[i];
    }
}

void hpke_seal(struct hpke_context *context, struct seal_bytes aad, struct seal_bytes plaintext,
               uint8_t *out)
{
    uint8_t nonce[HPKE_NONCE_BYTES];

    next_nonce(context, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext.data, plaintext.size,
                                                    aad.data, aad.size, NULL, nonce, context->key);
    context->sequence++;
}

enum seal_status hpke_open(struct hpke_context *context, struct seal_bytes aad,
                           struct seal_bytes ciphertext, uint8_t *out)
{
    uint8_t nonce[HPKE_NONCE_BYTES];

    next_nonce(context, nonce);
    if (ciphertext.size < HPKE_TAG_BYTES ||
        crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ciphertext.data, ciphertext.size,
                                                  aad.data, aad.size, nonce, context->key) != 0) {
        return SEAL_WRAP_REFUSED;
    }
    context->sequence++;
    return SEAL_OK;
}

void hpke_wipe(struct hpke_context *context)
{
    sodium_memzero(context, sizeof *context);
}
