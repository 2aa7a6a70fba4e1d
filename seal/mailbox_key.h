/* SPDX-License-Identifier: EUPL-1.2
 *
 * The key that a mailbox is sealed for: an X25519 pair that lives a week. Its public half is
 * published and signed (the directory does that); its secret half is destroyed once nothing can be
 * waiting for it any more. That is the forward secrecy that a bus with queues can have.
 *
 *   1. A secret is in memory of its own (sodium_malloc: locked, guarded, read-only), wiped when it
 *      is freed.
 *
 *   2. The id of a key is a digest of its whole public record: point, suite and validity.
 *
 *   3. Secrets are compared in constant time.
 *
 * The file that mailbox_key_write() gives belongs in a file of mode 0600: the caller's duty.
 * Any thread; a key may be used by several at once.
 */
#ifndef RELAIS_SEAL_MAILBOX_KEY_H
#define RELAIS_SEAL_MAILBOX_KEY_H

#include "seal/bytes.h"
#include "seal/status.h"

#include <stdbool.h>

enum {
    MAILBOX_POINT_BYTES = 32,
    MAILBOX_SECRET_BYTES = 32,
    MAILBOX_PUBLIC_BYTES = 2 + 8 + 8 + MAILBOX_POINT_BYTES,
    MAILBOX_KEY_ID_BYTES = 16,     /* 128 bits: nobody finds a second record with an id */
    MAILBOX_KEY_FILE_BYTES = 4096, /* some 300 of our own, and room for comments */
};

#define MAILBOX_KEY_WEEK_MS INT64_C(604800000)

/* A week, and room for a rhythm of a month: a key that lives on is no forward secrecy. */
#define MAILBOX_KEY_MOST_MS (INT64_C(31) * 24 * 3600 * 1000)

/* What is published. Valid from not_before_ms on and before not_after_ms (Unix time). */
struct mailbox_public {
    int64_t not_before_ms;
    int64_t not_after_ms;
    uint8_t point[MAILBOX_POINT_BYTES];
};

/* The record's bytes: what the directory signs and what the id is a digest of. */
void mailbox_public_encode(const struct mailbox_public *key, uint8_t out[MAILBOX_PUBLIC_BYTES]);

/* SEAL_BAD_PUBLIC_KEY, SEAL_UNKNOWN_SUITE, SEAL_BAD_VALIDITY. A point of low order is not found
 * here but by whoever seals for it. */
enum seal_status mailbox_public_decode(struct seal_bytes bytes,
                                       struct mailbox_public *out_key) SEAL_MUST_CHECK;

void mailbox_public_id(const struct mailbox_public *key, uint8_t out_id[MAILBOX_KEY_ID_BYTES]);
bool mailbox_public_is_valid_at(const struct mailbox_public *key, int64_t now_ms);

struct mailbox_key;

/* A new pair, valid as said. Gives the key: free it with mailbox_key_free().
 * SEAL_BAD_VALIDITY, SEAL_NO_MEMORY, SEAL_NO_RANDOMNESS. */
enum seal_status mailbox_key_generate(int64_t not_before_ms, int64_t not_after_ms,
                                      struct mailbox_key **out_key) SEAL_MUST_CHECK;

/* Wipes. NULL is fine. */
void mailbox_key_free(struct mailbox_key *key);

/* Borrowed, as long as the key lives. */
const struct mailbox_public *mailbox_key_public(const struct mailbox_key *key);
const uint8_t *mailbox_key_id(const struct mailbox_key *key);
const uint8_t *mailbox_key_secret(const struct mailbox_key *key);

/* The key as a file: text of at most `out->size` bytes. False when it does not fit;
 * MAILBOX_KEY_FILE_BYTES always do. The caller wipes them. */
bool mailbox_key_write(const struct mailbox_key *key, struct seal_output *out) SEAL_MUST_CHECK;

/* Reads such a file; lines that begin with "#" are skipped. Gives the key.
 * SEAL_BAD_KEY_FILE, SEAL_UNKNOWN_SUITE, SEAL_BAD_VALIDITY, SEAL_NO_MEMORY, SEAL_NO_RANDOMNESS. */
enum seal_status mailbox_key_read(struct seal_bytes file,
                                  struct mailbox_key **out_key) SEAL_MUST_CHECK;

/* The pair that belongs to a secret. For mailbox_key_read() and tests with fixed keys; else as
 * mailbox_key_generate(). */
enum seal_status mailbox_key_from_secret(const uint8_t secret[MAILBOX_SECRET_BYTES],
                                         int64_t not_before_ms, int64_t not_after_ms,
                                         struct mailbox_key **out_key) SEAL_MUST_CHECK;

#endif
