/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bump memory. See region.h.
 */
#include "core/region.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 };

struct region_block {
    struct region_block *older;
    size_t capacity;
    size_t used;
    _Alignas(ALIGNMENT) unsigned char data[];
};

static struct region_block *block_new(size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct region_block)) {
        return NULL;
    }
    struct region_block *block = malloc(sizeof *block + capacity);
    if (block) {
        block->older = NULL;
        block->capacity = capacity;
        block->used = 0;
    }
    return block;
}

static void blocks_free(struct region_block *block)
{
    while (block) {
        struct region_block *older = block->older;
        free(block);
        block = older;
    }
}

void *region_alloc(struct region *region, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t need = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct region_block *block = region->blocks;
    if (!block || block->capacity - block->used < need) {
        block = block_new(need > REGION_BLOCK_BYTES ? need : REGION_BLOCK_BYTES);
        if (!block) {
            return NULL;
        }
        block->older = region->blocks;
        region->blocks = block;
    }
    void *piece = block->data + block->used;
    block->used += need;
    region->used += need;
    memset(piece, 0, need);
    return piece;
}

char *region_text(struct region *region, const char *text, size_t size)
{
    char *copy = region_alloc(region, size + 1);
    if (copy && size > 0) {
        memcpy(copy, text, size);
    }
    return copy;
}

void region_reset(struct region *region)
{
    struct region_block *block = region->blocks;
    if (block && block->older) {
        /* Several blocks were needed: next time one that holds as much. */
        size_t keep = region->used < REGION_KEEP_BYTES ? region->used : REGION_KEEP_BYTES;
        blocks_free(block);
        block = block_new(keep);
    } else if (block && block->capacity > REGION_KEEP_BYTES) {
        blocks_free(block);
        block = NULL;
    }
    if (block) {
        block->used = 0;
    }
    region->blocks = block;
    region->used = 0;
}

void region_fini(struct region *region)
{
    blocks_free(region->blocks);
    region->blocks = NULL;
    region->used = 0;
}
