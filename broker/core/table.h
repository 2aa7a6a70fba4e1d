/* SPDX-License-Identifier: EUPL-1.2
 *
 * A hash table of pointers to things that hold their own key. Open addressing, no tombstones, at
 * most half full.
 *
 * Invariants: 1. an item is in it once; 2. the table owns no item; 3. the order of table_next()
 * depends on nothing but what was added and removed. One thread.
 */
#ifndef RELAIS_CORE_TABLE_H
#define RELAIS_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct table {
    struct table_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* Is `item` the one that `key` asks for? */
typedef bool table_same(const void *item, const void *key);

/* FNV-1a, mixed. On disk as well (order.h): it may not change. */
/* Of text: the store keeps some for good, so it never changes. */
uint64_t table_hash_text(const char *text, size_t size);
uint64_t table_hash_number(uint64_t number);

/* NULL: not there. */
void *table_find(const struct table *table, uint64_t hash, table_same *same, const void *key);

/* The item must not be there yet. False without memory, and nothing has changed. */
bool table_add(struct table *table, uint64_t hash, void *item);

/* Not there: nothing. */
void table_remove(struct table *table, uint64_t hash, const void *item);

/* Every item once: start with *cursor 0, NULL at the end. Nothing may be added or removed between
 * two calls. */
void *table_next(const struct table *table, size_t *cursor);

/* The items are left alone. */
void table_fini(struct table *table);

#endif
