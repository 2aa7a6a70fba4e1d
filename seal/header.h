/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a sealed payload begins with, the same for every recipient: 42 bytes.
 *
 *   0  6  "RLSEAL"
 *   6  2  suite
 *   8  2  flags
 *  10 32  commitment
 *
 *   1. The commitment is derived from the content key, the ten bytes before it, the message's id
 *      and its sender. Nobody without the content key can make one, and nobody at all two content
 *      keys with the same: ChaCha20-Poly1305 alone would let a sender give each recipient another
 *      key under which the same bytes are another letter.
 *
 *   2. The stream's key is derived from the content key and the commitment: a stream opens behind
 *      its own header only.
 *
 *   3. An unknown suite or flag is refused, never skipped.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_SEAL_HEADER_H
#define RELAIS_SEAL_HEADER_H

#include "seal/bytes.h"
#include "seal/status.h"

enum {
    SEAL_CONTENT_KEY_BYTES = 32,
    SEAL_COMMITMENT_BYTES = 32,
    SEAL_STREAM_KEY_BYTES = 32,
    SEAL_HEADER_BYTES = 6 + 2 + 2 + SEAL_COMMITMENT_BYTES,
    SEAL_ID_BYTES = 128,      /* the longest id on the bus */
    SEAL_ADDRESS_BYTES = 127, /* the longest address: "member/service" */
};

enum {
    SEAL_FLAG_ZSTD = 1 << 0,   /* the payload was compressed first */
    SEAL_FLAG_PADDED = 1 << 1, /* the chunks are framed, and zeros may follow the payload */
    SEAL_FLAGS = SEAL_FLAG_ZSTD | SEAL_FLAG_PADDED,
};

/* The message that a payload is sealed for. Borrows. */
struct seal_message {
    const char *id;     /* 1 to SEAL_ID_BYTES */
    const char *sender; /* an address, 1 to SEAL_ADDRESS_BYTES */
};

struct seal_header {
    uint16_t flags;
    uint8_t commitment[SEAL_COMMITMENT_BYTES];
};

/* SEAL_BAD_NAME. */
enum seal_status seal_message_check(const struct seal_message *message) SEAL_MUST_CHECK;
enum seal_status seal_address_check(const char *address) SEAL_MUST_CHECK;

void seal_header_encode(const struct seal_header *header, uint8_t out[SEAL_HEADER_BYTES]);

/* SEAL_NOT_SEALED, SEAL_UNKNOWN_SUITE, SEAL_UNKNOWN_FLAG. */
enum seal_status seal_header_decode(const uint8_t bytes[SEAL_HEADER_BYTES],
                                    struct seal_header *out_header) SEAL_MUST_CHECK;

/* Rules 1 and 2, for a message that has been checked. */
void seal_header_derive(const uint8_t content_key[SEAL_CONTENT_KEY_BYTES], uint16_t flags,
                        const struct seal_message *message,
                        uint8_t out_commitment[SEAL_COMMITMENT_BYTES],
                        uint8_t out_stream_key[SEAL_STREAM_KEY_BYTES]);

#endif
