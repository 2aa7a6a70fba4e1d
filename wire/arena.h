/* SPDX-License-Identifier: EUPL-1.2
 *
 * The budget for one unpack: an allocator for protobuf-c that hands out of one block and says no
 * beyond its limit. Nothing is freed one by one: wire_arena_reset() forgets all, and the block is
 * used again for the next command, so steady traffic allocates nothing.
 *
 * Invariants: 1. the sum handed out never exceeds `limit`; 2. what is handed out is aligned to 16;
 * 3. a message unpacked here must not be given to protobuf_c_message_free_unpacked();
 * 4. an arena stays where it was initialised: allocator points back at it.
 * One arena belongs to one thread.
 */
#ifndef RELAIS_WIRE_ARENA_H
#define RELAIS_WIRE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct wire_arena {
    unsigned char *block;
    size_t capacity; /* of block; grows up to limit, at reset only */
    size_t used;     /* of this round, what went beyond block included */
    size_t limit;
    bool starved;                 /* the system, not the limit, refused something this round */
    void *overflow;               /* chain of single blocks of this round */
    ProtobufCAllocator allocator; /* pass &arena->allocator to ..._unpack() */
};

/* `limit` bytes is the most that one round may hand out. Returns false without memory. */
bool wire_arena_init(struct wire_arena *arena, size_t limit);
void wire_arena_fini(struct wire_arena *arena);

/* Forgets everything handed out since the last reset. */
void wire_arena_reset(struct wire_arena *arena);

#endif
