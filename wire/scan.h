/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looks at foreign protobuf bytes before protobuf-c may allocate for them.
 *
 * protobuf-c 1.4.1 has no depth limit (30 KB of nesting overflow the stack) and allocates up to 96
 * times the wire size. The scan walks the bytes along the generated descriptors, allocates nothing,
 * recurses never deeper than limits->depth, and accepts only what unpack can hold in the budget:
 *
 *   1. nesting at most depth;
 *
 *   2. at most `fields` fields in one message, known and unknown together;
 *
 *   3. at most `elements` elements in one repeated field, packed ones counted;
 *
 *   4. at most `unknown` unknown fields in the whole (tolerated: a newer minor version);
 *
 *   5. wire types as declared;
 *
 *   6. a singular field once, one member of a oneof;
 *
 *   7. strings are UTF-8 without NUL (RFC 3629);
 *
 *   8. no group, no field number 0, no number or length longer than it need be (10 and 5 bytes), no
 *   length beyond the end.
 *
 * Pure; any thread.
 */
#ifndef RELAIS_WIRE_SCAN_H
#define RELAIS_WIRE_SCAN_H

#include "wire/bytes.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct wire_limits {
    unsigned depth;    /* 1: no submessage */
    unsigned fields;   /* of one message */
    unsigned elements; /* of one repeated field */
    unsigned unknown;  /* in the whole */
};

/* Where and why a scan said no. `field` is a dotted path of names from the descriptors. */
struct wire_fault {
    const char *what; /* static English text, e.g. "nested too deep" */
    char field[96];   /* "" when the fault is outside any known field */
    size_t offset;    /* bytes from the start */
};

/* True when `input` may be unpacked as `descriptor`; else false and *out_fault says why. */
bool wire_scan(const ProtobufCMessageDescriptor *descriptor, struct bytes input,
               const struct wire_limits *limits, struct wire_fault *out_fault);

/* True when text is UTF-8 as RFC 3629 has it (no surrogates, no overlong forms) without a NUL. */
bool wire_is_text(struct bytes text);

#endif
