/* SPDX-License-Identifier: EUPL-1.2
 *
 * HPKE (RFC 9180), mode base, DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
 * ChaCha20-Poly1305 0x0003. The other modes are left out: who sent a message is what the signed
 * envelope says, and a key that both ends share does not exist here.
 *
 *   1. A point of low order, the sender's or the recipient's, is refused (section 7.1.4).
 *
 *   2. Each sealing uses a fresh ephemeral key from libsodium's random bytes.
 *
 *   3. Secrets on the stack are wiped; a context is wiped by hpke_wipe().
 *
 * Any thread; sodium_init() has been called.
 */
#ifndef RELAIS_SEAL_HPKE_H
#define RELAIS_SEAL_HPKE_H

#include "seal/bytes.h"
#include "seal/status.h"

enum {
    HPKE_PUBLIC_BYTES = 32,
    HPKE_SECRET_BYTES = 32,
    HPKE_ENC_BYTES = 32,
    HPKE_KEY_BYTES = 32,
    HPKE_NONCE_BYTES = 12,
    HPKE_TAG_BYTES = 16,
};

/* One direction: the n-th hpke_seal() is opened by the n-th hpke_open(). */
struct hpke_context {
    uint8_t key[HPKE_KEY_BYTES];
    uint8_t base_nonce[HPKE_NONCE_BYTES];
    uint64_t sequence;
};

/* Borrowed halves of a recipient's pair. */
struct hpke_pair {
    const uint8_t *public_key; /* HPKE_PUBLIC_BYTES */
    const uint8_t *secret_key; /* HPKE_SECRET_BYTES */
};

/* SetupBaseS. SEAL_BAD_PUBLIC_KEY. */
enum seal_status hpke_setup_sender(const uint8_t public_key[HPKE_PUBLIC_BYTES],
                                   struct seal_bytes info, uint8_t out_enc[HPKE_ENC_BYTES],
                                   struct hpke_context *out_context) SEAL_MUST_CHECK;

/* SetupBaseR. SEAL_BAD_PUBLIC_KEY when `enc` is of low order. */
enum seal_status hpke_setup_recipient(const uint8_t enc[HPKE_ENC_BYTES], struct hpke_pair pair,
                                      struct seal_bytes info,
                                      struct hpke_context *out_context) SEAL_MUST_CHECK;

/* `out` has plaintext.size + HPKE_TAG_BYTES. */
void hpke_seal(struct hpke_context *context, struct seal_bytes aad, struct seal_bytes plaintext,
               uint8_t *out);

/* `out` has ciphertext.size - HPKE_TAG_BYTES. SEAL_WRAP_REFUSED; the sequence then stays. */
enum seal_status hpke_open(struct hpke_context *context, struct seal_bytes aad,
                           struct seal_bytes ciphertext, uint8_t *out) SEAL_MUST_CHECK;

void hpke_wipe(struct hpke_context *context);

#endif
