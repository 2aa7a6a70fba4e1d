/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message to envelope bytes and back. The rules of docs/protocol.md, "Envelope", are checked
 * here before anything travels, so that a mistake is told at once and by name; the broker checks
 * them again, and what only it knows (members, services, flows, its clock).
 * Pure but for the id that is drawn when there is none; one arena, one thread.
 */
#ifndef RELAIS_CLIENT_ENVELOPE_H
#define RELAIS_CLIENT_ENVELOPE_H

#include "relais/v1/envelope.pb-c.h"
#include "wire/arena.h"
#include "wire/bytes.h"

#include <relais/message.h>

enum {
    ENVELOPE_SOURCE_BYTES = 512,
    ENVELOPE_TYPE_BYTES = 128,
    ENVELOPE_TEXT_BYTES = 1024, /* of each string that has no bound of its own */
};

struct signing_key;

/* Of a sealed message: beside the fields of a message. Borrows. */
struct envelope_seal {
    const uint8_t *wraps; /* SEAL_WRAP_BYTES each, in the order of `to` */
    size_t wrap_count;
    const struct signing_key *key;
};

/* What the sender leaves open. */
struct envelope_defaults {
    const char *id;     /* used when message->id is NULL */
    const char *member; /* for `source`; may be "" */
    int64_t now_ms;
    const uint8_t
        *digest; /* of a payload that is stored apart, and its size; NULL: the message's */
    uint64_t payload_size;
    const struct envelope_seal *seal; /* NULL: neither sealed nor signed */
};

/* RELAIS_OK when the message keeps every rule; else RELAIS_FIELD_MISSING, RELAIS_FIELD_INVALID or
 * RELAIS_TOO_LARGE and error names the field. */
relais_status envelope_check(const relais_message *message, relais_error *error);

/* The envelope of a checked message, packed. The caller frees *out_bytes with free().
 * RELAIS_TOO_LARGE, RELAIS_NO_MEMORY. */
relais_status envelope_pack(const relais_message *message, const struct envelope_defaults *defaults,
                            uint8_t **out_bytes, size_t *out_size, relais_error *error);

/* BLAKE2b-256 of the payload. */
void envelope_digest(struct bytes payload, uint8_t out_digest[RELAIS_DIGEST_BYTES]);

/* How much memory envelope_view() needs for the lists and texts of this envelope. */
size_t envelope_view_bytes(const Relais__V1__Envelope *envelope);

/* Copies everything but the payload into *out_message, whose lists and texts lie in `memory`
 * (envelope_view_bytes() bytes, aligned as malloc does). Absent fields are NULL or 0. */
void envelope_view(const Relais__V1__Envelope *envelope, void *memory, relais_message *out_message);

#endif
