/* SPDX-License-Identifier: EUPL-1.2
 *
 * One block that is handed out from the front. What does not fit gets a single block of its own and
 * is counted all the same; reset then grows the block to what the round needed, so that the same
 * traffic fits next time. Under AddressSanitizer what was handed out is poisoned at reset: whoever
 * keeps a struct for too long is found by any test.
 */
#include "wire/arena.h"

#include <stdint.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

enum {
    ARENA_ALIGN = 16,        /* what malloc promises, so that overflow blocks are no exception */
    ARENA_FIRST = 16 * 1024, /* most commands need less; larger ones grow the block once */
};

struct overflow {
    struct overflow *next;
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

static void poison(void *data, size_t size)
{
#ifdef ARENA_POISONS
    ASAN_POISON_MEMORY_REGION(data, size);
#else
    (void)data;
    (void)size;
#endif
}

static void unpoison(void *data, size_t size)
{
#ifdef ARENA_POISONS
    ASAN_UNPOISON_MEMORY_REGION(data, size);
#else
    (void)data;
    (void)size;
#endif
}

static void *hand_out(void *data, size_t size)
{
    struct wire_arena *arena = data;
    struct overflow *single = NULL;
    size_t rounded = 0;
    void *piece = NULL;

    if (size > arena->limit) { /* before rounding, which could wrap */
        return NULL;
    }
    rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (rounded == 0) {
        rounded = ARENA_ALIGN; /* NULL would read as "no memory" */
    }
    if (arena->used > arena->limit || rounded > arena->limit - arena->used) {
        return NULL;
    }
    /* Once a piece has gone beyond the block, used is beyond it too: no piece is given twice. */
    if (arena->used + rounded <= arena->capacity) {
        piece = arena->block + arena->used;
        unpoison(piece, size);
    } else {
        single = malloc(sizeof *single + rounded);
        if (single == NULL) {
            arena->starved = true;
            return NULL;
        }
        single->next = arena->overflow;
        arena->overflow = single;
        piece = single->data;
    }
    arena->used += rounded;
    return piece;
}

static void take_back(void *data, void *piece)
{
    (void)data; /* reset forgets all at once */
    (void)piece;
}

static void free_overflow(struct wire_arena *arena)
{
    struct overflow *single = arena->overflow;

    while (single != NULL) {
        struct overflow *next = single->next;

        free(single);
        single = next;
    }
    arena->overflow = NULL;
}

bool wire_arena_init(struct wire_arena *arena, size_t limit)
{
    *arena = (struct wire_arena){
        .limit = limit,
        .capacity = limit < ARENA_FIRST ? limit : ARENA_FIRST,
        .allocator = {.alloc = hand_out, .free = take_back, .allocator_data = arena},
    };
    arena->block = malloc(arena->capacity > 0 ? arena->capacity : ARENA_ALIGN);
    if (arena->block == NULL) {
        arena->capacity = 0;
        return false;
    }
    poison(arena->block, arena->capacity);
    return true;
}

void wire_arena_fini(struct wire_arena *arena)
{
    free_overflow(arena);
    free(arena->block);
    *arena = (struct wire_arena){0};
}

void wire_arena_reset(struct wire_arena *arena)
{
    const size_t needed = arena->used;
    unsigned char *larger = NULL;

    free_overflow(arena);
    arena->used = 0;
    arena->starved = false;
    if (needed > arena->capacity) {
        larger = malloc(needed); /* without memory the smaller block goes on serving */
    }
    if (larger != NULL) {
        free(arena->block);
        arena->block = larger;
        arena->capacity = needed;
    }
    poison(arena->block, arena->capacity);
}
