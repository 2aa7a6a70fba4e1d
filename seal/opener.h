/* SPDX-License-Identifier: EUPL-1.2
 *
 * Opens one sealed payload, in a stream:
 *
 *   open_begin   header, wrap and key in; from here on it is known that the message is for us
 *   open_update  ciphertext in, payload out, as far as both buffers go; repeat
 *   open_end     no more ciphertext: the rest, until it is done; repeat
 *   open_free
 *
 * Every byte that comes out has been verified to be the sender's at this place; that it is all of
 * them is known when open_end() is done. Until then the payload belongs in a file under another
 * name. Memory: some 70 KiB, for a compressed payload at most 9 MiB more.
 *
 * One thread at a time. No clock: a key that has expired opens what was sealed while it was valid.
 */
#ifndef RELAIS_SEAL_OPENER_H
#define RELAIS_SEAL_OPENER_H

#include "seal/wrap.h"

#include <stdbool.h>

struct opener;

/* What to open. Borrows for the call. The names come from the envelope, whose signature the caller
 * has checked. */
struct open_request {
    struct seal_message message;
    const char *recipient; /* our address, as the sender wrote it */
    const uint8_t *header; /* SEAL_HEADER_BYTES: the payload's first */
    struct seal_bytes wrap;
    const struct mailbox_key *key;
    uint64_t most_bytes;  /* refuse to let out more */
    uint64_t first_chunk; /* 0; more when the chunks before it were opened earlier */
};

/* Gives an opener: free it with open_free().
 * SEAL_BAD_NAME, SEAL_NOT_SEALED, SEAL_UNKNOWN_SUITE, SEAL_UNKNOWN_FLAG, SEAL_BAD_WRAP,
 * SEAL_OTHER_KEY, SEAL_WRAP_REFUSED, SEAL_OTHER_CONTENT_KEY, SEAL_NOT_SEEKABLE, SEAL_TOO_LONG,
 * SEAL_NO_MEMORY, SEAL_NO_RANDOMNESS. */
enum seal_status open_begin(const struct open_request *request,
                            struct opener **out_opener) SEAL_MUST_CHECK;

/* Either all of `in` is used, or `out` is full: then again with a fresh `out` and the rest.
 * SEAL_CHUNK_REFUSED, SEAL_BAD_PADDING, SEAL_BAD_COMPRESSION, SEAL_TOO_LARGE, SEAL_TOO_LONG,
 * SEAL_OVER; after any the opener can only be freed, and what came out belongs nowhere. */
enum seal_status open_update(struct opener *opener, struct seal_input *in,
                             struct seal_output *out) SEAL_MUST_CHECK;

/* *out_done is true when everything is out and the payload is whole, else `out` is full: again.
 * SEAL_CUT_SHORT, SEAL_EMPTY_CHUNK and what open_update() returns. */
enum seal_status open_end(struct opener *opener, struct seal_output *out,
                          bool *out_done) SEAL_MUST_CHECK;

/* Payload bytes in a full chunk of this payload: chunk n begins at n times that. */
uint64_t open_chunk_bytes(const struct opener *opener);

/* Wipes keys and payload bytes. NULL is fine. */
void open_free(struct opener *opener);

#endif
