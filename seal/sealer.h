/* SPDX-License-Identifier: EUPL-1.2
 *
 * Seals one payload for any number of recipients, in a stream:
 *
 *   seal_begin   a fresh content key; the header is there
 *   seal_wrap    once a recipient, at any time before seal_free
 *   seal_update  payload in, ciphertext out, as far as both buffers go; repeat
 *   seal_end     the rest, until it is done; repeat
 *   seal_free
 *
 * The sealed payload is the header, then all that came out. Each wrap travels with its recipient's
 * delivery alone. Memory: some 70 KiB, with compression some 2 MiB, whatever the payload's size.
 *
 * One thread at a time; seal_wrap() may run in several at once while nothing else does. No clock,
 * no disk, no network. Sealing says nothing about who sealed: the signed envelope does.
 */
#ifndef RELAIS_SEAL_SEALER_H
#define RELAIS_SEAL_SEALER_H

#include "seal/wrap.h"

#include <stdbool.h>

struct sealer;

/* What to seal. Borrows. */
struct seal_request {
    struct seal_message message;
    bool compress; /* off unless asked for: what a payload shrinks to says something about it */
    bool pad;      /* hides the size but for its magnitude (padding.h) */
};

/* For whom. Borrows. */
struct seal_recipient {
    const char *address;
    const struct mailbox_public *key;
    int64_t now_ms; /* the key must be valid now */
};

/* Gives a sealer: free it with seal_free(). Copies the names.
 * SEAL_BAD_NAME, SEAL_NO_MEMORY, SEAL_NO_RANDOMNESS. */
enum seal_status seal_begin(const struct seal_request *request,
                            struct sealer **out_sealer) SEAL_MUST_CHECK;

/* SEAL_HEADER_BYTES, borrowed as long as the sealer lives. */
const uint8_t *seal_header(const struct sealer *sealer);

/* SEAL_BAD_NAME, SEAL_KEY_NOT_VALID_NOW, SEAL_BAD_PUBLIC_KEY. */
enum seal_status seal_wrap(const struct sealer *sealer, const struct seal_recipient *recipient,
                           uint8_t out_wrap[SEAL_WRAP_BYTES]) SEAL_MUST_CHECK;

/* Either all of `in` is used, or `out` is full: then again with a fresh `out` and the rest.
 * SEAL_TOO_LONG, SEAL_NO_MEMORY, SEAL_OVER; after any the sealer can only be freed. */
enum seal_status seal_update(struct sealer *sealer, struct seal_input *in,
                             struct seal_output *out) SEAL_MUST_CHECK;

/* No more input. *out_done is true when everything is out, else `out` is full: again. */
enum seal_status seal_end(struct sealer *sealer, struct seal_output *out,
                          bool *out_done) SEAL_MUST_CHECK;

/* Wipes keys and payload bytes. NULL is fine. */
void seal_free(struct sealer *sealer);

#endif
