/* SPDX-License-Identifier: EUPL-1.2
 *
 * Foreign bytes to generated structs, in the only order that is safe: size, scan, unpack with a
 * budget. The limits of each message are here and nowhere else; docs/protocol.md quotes them.
 * The structs live in the arena until its next reset. Pure; one arena, one thread.
 */
#ifndef RELAIS_WIRE_CODEC_H
#define RELAIS_WIRE_CODEC_H

#include "relais/v1/command.pb-c.h"
#include "relais/v1/envelope.pb-c.h"
#include "wire/arena.h"
#include "wire/bytes.h"
#include "wire/scan.h"

enum {
    WIRE_COMMAND_BYTES = 64 * 1024, /* a command frame: 4,096 parts take 40 KiB */
    WIRE_ENVELOPE_BYTES = 16 * 1024,
    WIRE_BATCH_MESSAGES = 1024, /* parts of one Submit or Deliver */
    WIRE_RANGES = 1024,         /* ranges of one Ack, Nack, Accepted or Settled */
    WIRE_RECIPIENTS = 64,       /* envelope.to */
    WIRE_EXTENSIONS = 32,
    WIRE_CHUNK_BYTES = 262044,     /* of a payload in one Fetched, and in one Chunk */
    WIRE_ARENA_BYTES = 512 * 1024, /* budget of one unpack */
};

/* What a client said. NULL: malformed, and *out_fault says where. */
Relais__V1__ToBroker *wire_unpack_to_broker(struct bytes frame, struct wire_arena *arena,
                                            struct wire_fault *out_fault);

/* What the broker said. NULL: malformed, and *out_fault says where. */
Relais__V1__ToClient *wire_unpack_to_client(struct bytes frame, struct wire_arena *arena,
                                            struct wire_fault *out_fault);

/* An envelope. NULL: malformed, and *out_fault says where. Field rules are checked elsewhere. */
Relais__V1__Envelope *wire_unpack_envelope(struct bytes piece, struct wire_arena *arena,
                                           struct wire_fault *out_fault);

#endif
