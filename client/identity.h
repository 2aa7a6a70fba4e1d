/* SPDX-License-Identifier: EUPL-1.2
 *
 * The signing key behind a relais_identity, and how a small file with a secret is read. Any thread.
 */
#ifndef RELAIS_CLIENT_IDENTITY_H
#define RELAIS_CLIENT_IDENTITY_H

#include "trust/signing_key.h"

#include <relais/identity.h>
#include <stddef.h>

/* Borrowed. */
const struct signing_key *identity_key(const relais_identity *identity);

/* Reads a file of at most size - 1 bytes into text[size]; the check of its mode and the reading go
 * through one descriptor. RELAIS_KEY_UNREADABLE; with `secret` also when others may read it. */
relais_status identity_read_file(const char *path, bool secret, char *text, size_t size,
                                 relais_error *error);

#endif
