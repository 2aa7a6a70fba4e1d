/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file key.h
 * Key pairs of clients and brokers: CURVE (X25519), written in Z85 (ZeroMQ RFC 32), 40 characters.
 *
 * A secret key is a file of mode 0600. Its text is two lines, "public: <Z85>" and "secret: <Z85>".
 * A public key is a file with the first of them. All calls: any thread.
 */
#ifndef RELAIS_KEY_H
#define RELAIS_KEY_H

#include <relais/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RELAIS_KEY_CHARACTERS = 40 };

/** Wipe it with relais_key_wipe() when done. */
typedef struct relais_key {
    char public_key[RELAIS_KEY_CHARACTERS + 1];
    char secret_key[RELAIS_KEY_CHARACTERS + 1]; /**< "" when only the public half is known */
} relais_key;

/** Makes a new pair. RELAIS_SYSTEM when the system gives no randomness or libzmq has no CURVE. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_key_new(relais_key *out_key, relais_error *error);

/**
 * Writes the pair to `path` (mode 0600, never over an existing file: RELAIS_ALREADY_EXISTS) and the
 * public half to `path`.pub (mode 0644). Both and their folder are synced to disk.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_key_save(const relais_key *key, const char *path,
                                                           relais_error *error);

/**
 * Reads a secret key. RELAIS_KEY_UNREADABLE when it cannot be read, is not a key, its halves do not
 * belong together, or others may read it (mode wider than 0600); error says which and what to do.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_key_load(const char *path, relais_key *out_key,
                                                           relais_error *error);

/** Reads a public key from a file written by relais_key_save() (either of the two). */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_key_load_public(const char *path,
                                                                  relais_key *out_key,
                                                                  relais_error *error);

/** True when text is 40 characters of Z85 that decode to 32 bytes. */
RELAIS_API bool relais_key_is_public(const char *text);

/** Overwrites the key. NULL is fine. */
RELAIS_API void relais_key_wipe(relais_key *key);

#ifdef __cplusplus
}
#endif
#endif
