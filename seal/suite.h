/* SPDX-License-Identifier: EUPL-1.2
 *
 * The suites: how a content key is wrapped and a payload sealed, as one number in every key, wrap
 * and header. A number is never given again. Names in the labels of derivations belong to a suite.
 */
#ifndef RELAIS_SEAL_SUITE_H
#define RELAIS_SEAL_SUITE_H

enum {
    SEAL_SUITE_X25519 = 1, /* HPKE base: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305;
                              the payload in STREAM chunks of ChaCha20-Poly1305 */
    SEAL_SUITE_XWING = 2,  /* reserved: the same with X-Wing (X25519 and ML-KEM-768) as KEM */
};

#endif
