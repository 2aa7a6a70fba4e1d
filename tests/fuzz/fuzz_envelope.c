/* SPDX-License-Identifier: EUPL-1.2
 *
 * An envelope, as both ends read it.
 */
#include "tests/fuzz/unpack_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ProtobufCMessage *unpack(struct bytes input, struct wire_arena *arena,
                                struct wire_fault *out_fault)
{
    return (ProtobufCMessage *)wire_unpack_envelope(input, arena, out_fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unpack_check(unpack, data, size);
    return 0;
}
