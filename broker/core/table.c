/* SPDX-License-Identifier: EUPL-1.2
 *
 * Linear probing with removal by shifting back (Knuth, TAOCP 3, 6.4, algorithm R). See table.h.
 */
#include "core/table.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

/* FNV-1a, then mixed: names differ in their last digits, which FNV alone leaves in the low bits. */
uint64_t table_hash_text(const char *text, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
    return table_hash_number(hash);
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
uint64_t table_hash_number(uint64_t number)
{
    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

void *table_find(const struct table *table, uint64_t hash, table_same *same, const void *key)
{
    if (table->capacity == 0) {
        return NULL;
    }
    size_t mask = table->capacity - 1;
    for (size_t i = (size_t)hash & mask; table->slots[i].item; i = (i + 1) & mask) {
        if (table->slots[i].hash == hash && same(table->slots[i].item, key)) {
            return table->slots[i].item;
        }
    }
    return NULL;
}

static void place(struct table *table, uint64_t hash, void *item)
{
    size_t mask = table->capacity - 1;
    size_t i = (size_t)hash & mask;
    while (table->slots[i].item) {
        i = (i + 1) & mask;
    }
    table->slots[i].hash = hash;
    table->slots[i].item = item;
}

static bool grow(struct table *table)
{
    struct table bigger = {.capacity = table->capacity ? table->capacity * 2 : CAPACITY_FIRST,
                           .count = table->count};
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].item) {
            place(&bigger, table->slots[i].hash, table->slots[i].item);
        }
    }
    free(table->slots);
    *table = bigger;
    return true;
}

bool table_add(struct table *table, uint64_t hash, void *item)
{
    if ((table->count + 1) * 2 > table->capacity && !grow(table)) {
        return false;
    }
    place(table, hash, item);
    table->count++;
    return true;
}

/* Fills the hole with whatever behind it may stand there, until a free slot ends the run. */
static void close_hole(struct table *table, size_t hole)
{
    size_t mask = table->capacity - 1;
    for (size_t i = (hole + 1) & mask; table->slots[i].item; i = (i + 1) & mask) {
        size_t home = (size_t)table->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].item = NULL;
}

void table_remove(struct table *table, uint64_t hash, const void *item)
{
    if (table->capacity == 0) {
        return;
    }
    size_t mask = table->capacity - 1;
    for (size_t i = (size_t)hash & mask; table->slots[i].item; i = (i + 1) & mask) {
        if (table->slots[i].item == item) {
            close_hole(table, i);
            table->count--;
            return;
        }
    }
}

void *table_next(const struct table *table, size_t *cursor)
{
    while (*cursor < table->capacity) {
        void *item = table->slots[(*cursor)++].item;
        if (item) {
            return item;
        }
    }
    return NULL;
}

void table_fini(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}
