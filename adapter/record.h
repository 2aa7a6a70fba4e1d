/* SPDX-License-Identifier: EUPL-1.2
 *
 * The bytes that the state of an adapter keeps: a message as one run of fields, cut into pieces of
 * one size, each with a checksum that belongs to its place.
 *
 *   piece    XXH3-64 of table, key and body (little endian), body
 *   body     of a message: at most RECORD_PIECE_BYTES of its run
 *   run      one byte of layout, then fields: tag (1 byte), size (4 bytes, little endian), bytes.
 *            Texts include their NUL, so that a reader can borrow them.
 *
 *   1. What record_read_message() accepts, record_write_message() gives again byte for byte, but
 * for the order of fields.
 *   2. No byte from outside reaches an assert, and nothing is allocated for it.
 *
 * Pure. Any thread.
 */
#ifndef RELAIS_ADAPTER_RECORD_H
#define RELAIS_ADAPTER_RECORD_H

#include <relais/message.h>
#include <stdbool.h>

enum {
    /* A piece is a node of an LMDB page, never a run of pages of its own: finding such runs in a
     * file that is always half full is what LMDB is slow at. */
    RECORD_PIECE_BYTES = 1900,
    RECORD_CHECKSUM_BYTES = 8,
    RECORD_NODE_BYTES = RECORD_PIECE_BYTES + RECORD_CHECKSUM_BYTES,
};

/* 16 MiB, more than any payload that travels whole, and what goes around it. */
#define RECORD_MESSAGE_BYTES ((size_t)17 * 1024 * 1024)

/* A message that borrows from the run it was read from. */
struct record_message {
    relais_message message;
    const char *to[RELAIS_RECIPIENTS_MAX];
    relais_extension extensions[RELAIS_EXTENSIONS_MAX];
};

/* The run of a message, freed with free(). NULL: no memory, or larger than RECORD_MESSAGE_BYTES
 * (then *out_size is 0). */
unsigned char *record_write_message(const relais_message *message, size_t *out_size);

/* False: not a run. */
bool record_read_message(relais_bytes run, struct record_message *out_message);

/* Writes checksum and body into out_node, which has room; returns its size. */
size_t record_seal(unsigned table, relais_bytes key, relais_bytes body, unsigned char *out_node);

/* The body of a node; false: it is not what was written there. */
bool record_open(unsigned table, relais_bytes key, relais_bytes node, relais_bytes *out_body);

#endif
