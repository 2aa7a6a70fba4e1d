/* SPDX-License-Identifier: EUPL-1.2
 *
 * Size, scan, unpack. The scan has bounded what unpack can ask for, the arena refuses what it got
 * wrong. Pure; one arena, one thread.
 */
#include "wire/codec.h"

#include <stdint.h>

enum {
    /* Every known field of the largest message beside a full repeated field, with room to spare. */
    KNOWN_FIELDS = 76,
    UNKNOWN_FIELDS = 64, /* docs/protocol.md: what a newer minor version may add */
};

/* ToClient > Answer > DeadLetters > DeadLetter > FailedAttempt is the deepest. */
static const struct wire_limits COMMAND_LIMITS = {
    .depth = 5,
    .fields = WIRE_BATCH_MESSAGES + KNOWN_FIELDS,
    .elements = WIRE_BATCH_MESSAGES,
    .unknown = UNKNOWN_FIELDS,
};

/* Envelope > Extension > Timestamp is the deepest; `to` and `wraps` are the longest. */
static const struct wire_limits ENVELOPE_LIMITS = {
    .depth = 3,
    .fields = 2 * WIRE_RECIPIENTS + WIRE_EXTENSIONS + KNOWN_FIELDS,
    .elements = WIRE_RECIPIENTS,
    .unknown = UNKNOWN_FIELDS,
};

_Static_assert(WIRE_RANGES <= WIRE_BATCH_MESSAGES, "one limit serves ranges and parts");
_Static_assert(WIRE_EXTENSIONS <= WIRE_RECIPIENTS, "one limit serves recipients and extensions");

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes input,
                                size_t most_bytes, const struct wire_limits *limits,
                                struct wire_arena *arena, struct wire_fault *out_fault)
{
    ProtobufCMessage *message = NULL;

    if (input.size > most_bytes) {
        *out_fault = (struct wire_fault){.what = "too large", .offset = most_bytes};
        return NULL;
    }
    if (!wire_scan(descriptor, input, limits, out_fault)) {
        return NULL;
    }
    message = protobuf_c_message_unpack(descriptor, &arena->allocator, input.size, input.data);
    if (message == NULL) {
        *out_fault = (struct wire_fault){.what = "does not fit in memory"};
    }
    return message;
}

Relais__V1__ToBroker *wire_unpack_to_broker(struct bytes frame, struct wire_arena *arena,
                                            struct wire_fault *out_fault)
{
    return (Relais__V1__ToBroker *)unpack(&relais__v1__to_broker__descriptor, frame,
                                          WIRE_COMMAND_BYTES, &COMMAND_LIMITS, arena, out_fault);
}

Relais__V1__ToClient *wire_unpack_to_client(struct bytes frame, struct wire_arena *arena,
                                            struct wire_fault *out_fault)
{
    return (Relais__V1__ToClient *)unpack(&relais__v1__to_client__descriptor, frame,
                                          WIRE_COMMAND_BYTES, &COMMAND_LIMITS, arena, out_fault);
}

Relais__V1__Envelope *wire_unpack_envelope(struct bytes piece, struct wire_arena *arena,
                                           struct wire_fault *out_fault)
{
    return (Relais__V1__Envelope *)unpack(&relais__v1__envelope__descriptor, piece,
                                          WIRE_ENVELOPE_BYTES, &ENVELOPE_LIMITS, arena, out_fault);
}
