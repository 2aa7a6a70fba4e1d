/* SPDX-License-Identifier: EUPL-1.2
 *
 * What must hold for any bytes that are given to one of the wire's unpack functions.
 */
#ifndef RELAIS_TESTS_FUZZ_UNPACK_CHECK_H
#define RELAIS_TESTS_FUZZ_UNPACK_CHECK_H

#include "wire/codec.h"

typedef ProtobufCMessage *unpack_function(struct bytes input, struct wire_arena *arena,
                                          struct wire_fault *out_fault);

/* Aborts when a promise is broken:
 *   1. a refusal has a reason, a field path that ends, and an offset within the input;
 *   2. what the scan accepts fits the budget: only the scan refuses;
 *   3. what was read packs, and reads and packs again to the same bytes. */
void unpack_check(unpack_function *unpack, const uint8_t *data, size_t size);

#endif
