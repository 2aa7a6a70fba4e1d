/* SPDX-License-Identifier: EUPL-1.2
 *
 * See heap.h. A block that a shared library made never meets these functions: such libraries free
 * what is theirs themselves.
 */
#include "heap.h"

#include <stdint.h>
#include <string.h>

struct block {
    size_t size;
    size_t is_core;
};

_Static_assert(sizeof(struct block) == 16, "what follows is aligned as malloc promises");

static bool inside;
static size_t core_bytes;

/* NOLINTBEGIN(cert-dcl51-cpp): the linker's names for --wrap */
void *__real_malloc(size_t size);
void __real_free(void *data);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *data);
/* NOLINTEND(cert-dcl51-cpp) */

void heap_inside(bool is_core)
{
    inside = is_core;
}

void heap_hand_over(void *data)
{
    struct block *block = data ? (struct block *)data - 1 : NULL;
    if (block && block->is_core) {
        core_bytes -= block->size;
        block->is_core = false;
    }
}

size_t heap_core_bytes(void)
{
    return core_bytes;
}

void *__wrap_malloc(size_t size)
{
    struct block *block = __real_malloc(sizeof *block + size);
    if (!block) {
        return NULL;
    }
    *block = (struct block){.size = size, .is_core = inside};
    core_bytes += inside ? size : 0;
    return block + 1;
}

void __wrap_free(void *data)
{
    if (data) {
        struct block *block = (struct block *)data - 1;
        core_bytes -= block->is_core ? block->size : 0;
        __real_free(block);
    }
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *data = __wrap_malloc(count * size);
    if (data) {
        memset(data, 0, count * size);
    }
    return data;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *data = __wrap_malloc(size);
    if (data && old) {
        size_t kept = ((struct block *)old - 1)->size;
        memcpy(data, old, kept < size ? kept : size);
        __wrap_free(old);
    }
    return data;
}
