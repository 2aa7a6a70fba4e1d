/* SPDX-License-Identifier: EUPL-1.2
 *
 * An envelope, as both ends read it.
 */
#include "tests/fuzz/unpack_check.h"
#include "wire/envelope_field.h"
#include "wire/name.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ProtobufCMessage *unpack(struct bytes input, struct wire_arena *arena,
                                struct wire_fault *out_fault)
{
    return (ProtobufCMessage *)wire_unpack_envelope(input, arena, out_fault);
}

/* What is found without unpacking is what unpacking finds. */
static void find_flow(struct bytes input)
{
    char found[NAME_FLOW_BYTES + 1] = "";
    struct wire_fault fault;
    struct wire_arena arena;
    bool is_there = envelope_find_text(input, ENVELOPE_FIELD_FLOW, found, sizeof found);
    assert(wire_arena_init(&arena, WIRE_ARENA_BYTES));
    const Relais__V1__Envelope *envelope = wire_unpack_envelope(input, &arena, &fault);
    if (envelope && strlen(envelope->flow) <= NAME_FLOW_BYTES) {
        assert(strcmp(envelope->flow, is_there ? found : "") == 0);
    }
    wire_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unpack_check(unpack, data, size);
    find_flow((struct bytes){data, size});
    return 0;
}
