/* SPDX-License-Identifier: EUPL-1.2
 *
 * A payload sealed for one recipient, whole in memory, and opened again: what most tests do.
 */
#ifndef RELAIS_TESTS_UNIT_SEAL_LETTER_H
#define RELAIS_TESTS_UNIT_SEAL_LETTER_H

#include "seal/opener.h"
#include "seal/sealer.h"

#define LETTER_ID        "0197a2b4-0001"
#define LETTER_SENDER    "dila/notices"
#define LETTER_RECIPIENT "commune-76540/etat-civil"

#define LETTER_FROM_MS  INT64_C(1795392000000)
#define LETTER_UNTIL_MS (LETTER_FROM_MS + MAILBOX_KEY_WEEK_MS)

/* How big the pieces are that go in and come out. */
struct letter_steps {
    size_t in;
    size_t out;
};

struct letter {
    uint8_t *sealed; /* header and chunks */
    size_t size;
    uint8_t wrap[SEAL_WRAP_BYTES];
};

/* A run of bytes of its own. */
struct letter_bytes {
    uint8_t *data;
    size_t size;
};

struct mailbox_key *letter_key(uint8_t seed);

/* Seals `size` bytes for `key`; letter_free() ends it. */
struct letter letter_seal(const struct mailbox_key *key, const struct seal_request *options,
                          struct seal_bytes payload, struct letter_steps steps);
void letter_free(struct letter *letter);

/* The request that opens it; tests change what they want to. */
struct open_request letter_request(const struct letter *letter, const struct mailbox_key *key);

/* Opens what follows the header. On success *out_payload is the caller's to free;
 * NULL: nobody wants it. */
enum seal_status letter_open(const struct open_request *request, struct seal_bytes chunks,
                             struct letter_steps steps, struct letter_bytes *out_payload);

/* The chunks of a letter. */
struct seal_bytes letter_chunks(const struct letter *letter);

/* Letter with one recipient, opened with the right key in one go: OK or why not. */
enum seal_status letter_try(const struct letter *letter, const struct mailbox_key *key);

#endif
