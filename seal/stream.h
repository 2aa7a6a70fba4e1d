/* SPDX-License-Identifier: EUPL-1.2
 *
 * The payload in pieces: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) as age v1 uses
 * it. Chunks of 64 KiB in ChaCha20-Poly1305 (RFC 8439), no associated data; the nonce is the number
 * of the chunk in 11 bytes, then 1 for the last chunk and 0 for the others.
 *
 *   1. Every chunk but the last is full; the last is not empty, except that of an empty payload.
 *
 *   2. A chunk opens at its own place, under its own key, and as what it is, last or not: nothing
 *      can be cut off, added, moved or taken from another message.
 *
 *   3. One chunk is in memory, whatever the payload's size.
 *
 *   4. Framed (header.h, flag padded): a chunk's plaintext is its number of payload bytes in four
 *      bytes, those bytes, then zeros. Once a chunk has zeros the later ones have nothing else.
 *
 * A chunk can be sealed and opened by itself: that is how an interrupted download goes on.
 * Any thread, one at a time for a writer or reader.
 */
#ifndef RELAIS_SEAL_STREAM_H
#define RELAIS_SEAL_STREAM_H

#include "seal/bytes.h"
#include "seal/status.h"

#include <stdbool.h>

enum {
    STREAM_KEY_BYTES = 32,
    STREAM_CHUNK_BYTES = 64 * 1024,
    STREAM_TAG_BYTES = 16,
    STREAM_SEALED_BYTES = STREAM_CHUNK_BYTES + STREAM_TAG_BYTES,
    STREAM_FRAME_BYTES = 4,
};

/* 256 TiB: no payload comes near it, and the sizes of all of them fit 64 bits with room. */
#define STREAM_MOST_CHUNKS (UINT64_C(1) << 32)

/* Where a chunk stands. */
struct stream_place {
    uint64_t index; /* from 0 */
    bool last;
};

/* `out` has plaintext.size + STREAM_TAG_BYTES and may be plaintext.data itself. At most
 * STREAM_CHUNK_BYTES. */
void stream_seal_chunk(const uint8_t key[STREAM_KEY_BYTES], struct stream_place place,
                       struct seal_bytes plaintext, uint8_t *out);

/* `out` has sealed.size - STREAM_TAG_BYTES and may be sealed.data itself. SEAL_CUT_SHORT,
 * SEAL_CHUNK_REFUSED; what is in `out` then is nothing. */
enum seal_status stream_open_chunk(const uint8_t key[STREAM_KEY_BYTES], struct stream_place place,
                                   struct seal_bytes sealed, uint8_t *out) SEAL_MUST_CHECK;

/* Seals: put and pad until nothing is taken, drain, and again; then finish and drain. */
struct stream_writer {
    const uint8_t *key; /* borrowed, STREAM_KEY_BYTES */
    uint64_t next;      /* index of the chunk in the buffer */
    bool framed;
    bool finished;
    size_t payload; /* payload bytes in the buffer */
    size_t filled;  /* plaintext bytes in the buffer, frame and zeros included */
    size_t sealed;  /* ciphertext bytes in the buffer; 0 while it holds plaintext */
    size_t drained; /* of these, how many have left */
    uint8_t buffer[STREAM_SEALED_BYTES];
};

void stream_writer_init(struct stream_writer *writer, const uint8_t *key, bool framed);

/* Takes what fits: *out_taken of `bytes`; 0 when the buffer must be drained first.
 * SEAL_TOO_LONG. */
enum seal_status stream_writer_put(struct stream_writer *writer, struct seal_bytes bytes,
                                   size_t *out_taken) SEAL_MUST_CHECK;

/* The same with `zeros` zeros of padding (framed only). */
enum seal_status stream_writer_pad(struct stream_writer *writer, uint64_t zeros,
                                   size_t *out_taken) SEAL_MUST_CHECK;

/* Seals what is held as the last chunk. The buffer has been drained. */
void stream_writer_finish(struct stream_writer *writer);

/* True when nothing is left to drain. */
bool stream_writer_drain(struct stream_writer *writer, struct seal_output *out);

/* Opens: put until nothing is taken, consume the plaintext, and again; then finish, consume. */
struct stream_reader {
    const uint8_t *key; /* borrowed, STREAM_KEY_BYTES */
    uint64_t next;      /* index of the chunk in the buffer */
    bool framed;
    bool zeros;     /* padding has begun */
    size_t held;    /* ciphertext bytes in the buffer */
    size_t opened;  /* end of the payload bytes in the buffer */
    size_t drained; /* begin of those that are left */
    uint8_t buffer[STREAM_SEALED_BYTES];
};

/* Begins at chunk `first`: those before it were opened earlier, by a reader of the same key. */
void stream_reader_init(struct stream_reader *reader, const uint8_t *key, bool framed,
                        uint64_t first);

/* Takes what fits of the ciphertext; 0 when there is plaintext to consume first.
 * SEAL_CHUNK_REFUSED, SEAL_BAD_PADDING, SEAL_TOO_LONG. */
enum seal_status stream_reader_put(struct stream_reader *reader, struct seal_bytes bytes,
                                   size_t *out_taken) SEAL_MUST_CHECK;

/* The ciphertext is at its end: opens what is held as the last chunk. No plaintext is left.
 * SEAL_CUT_SHORT, SEAL_EMPTY_CHUNK and what put returns. */
enum seal_status stream_reader_finish(struct stream_reader *reader) SEAL_MUST_CHECK;

/* Plaintext that has been opened and not been consumed. */
struct seal_bytes stream_reader_plain(const struct stream_reader *reader);
void stream_reader_consume(struct stream_reader *reader, size_t size);

#endif
