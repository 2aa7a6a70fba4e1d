/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file identity.h
 * Signing keys (Ed25519): a member's, by which it signs what it sends and publishes, and the
 * regulator's, by which it says who is a member. Since 1.2.
 *
 * A public key is one line, "NAME+ID+BASE64", the verifier key of C2SP's signed notes; NAME is the
 * member's slug. A secret key is a file of mode 0600 with one line, "PRIVATE+KEY+NAME+ID+BASE64";
 * beside it lies FILE.pub. All calls: any thread.
 */
#ifndef RELAIS_IDENTITY_H
#define RELAIS_IDENTITY_H

#include <relais/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RELAIS_IDENTITY_TEXT_BYTES = 120 }; /**< of a public key, NUL included */

/** A signing key with its secret half, in locked memory; relais_identity_free() wipes it. */
typedef struct relais_identity relais_identity;

/** Makes a new pair; `name` is a slug. RELAIS_FIELD_INVALID, RELAIS_NO_MEMORY, RELAIS_SYSTEM. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_identity_new(const char *name,
                                                               relais_identity **out_identity,
                                                               relais_error *error);

/**
 * Writes the pair to `path` (mode 0600, never over an existing file: RELAIS_ALREADY_EXISTS) and the
 * public half to `path`.pub (mode 0644), both synced. RELAIS_SYSTEM, RELAIS_USAGE.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_identity_save(const relais_identity *identity,
                                                                const char *path,
                                                                relais_error *error);

/** Reads a secret key. RELAIS_KEY_UNREADABLE when it cannot be read, is none, or others may read it
 * (mode wider than 0600); error says which and what to do. RELAIS_NO_MEMORY. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_identity_load(const char *path,
                                                                relais_identity **out_identity,
                                                                relais_error *error);

/** Reads a public key from either of the two files. RELAIS_KEY_UNREADABLE. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_identity_load_public(
    const char *path, char out_public[RELAIS_IDENTITY_TEXT_BYTES], relais_error *error);

/** Writes the public half as one line, without an end of line. */
RELAIS_API void relais_identity_public(const relais_identity *identity,
                                       char out_public[RELAIS_IDENTITY_TEXT_BYTES]);

/** True when text is a public key as relais_identity_public() writes it, of this name (NULL: any).
 */
RELAIS_API bool relais_identity_is_public(const char *text, const char *name);

/** Wipes. NULL is fine. */
RELAIS_API void relais_identity_free(relais_identity *identity);

#ifdef __cplusplus
}
#endif
#endif
