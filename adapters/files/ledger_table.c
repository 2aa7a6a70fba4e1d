/* SPDX-License-Identifier: EUPL-1.2
 *
 * The ledger's entries in memory: linear probing, at most half full, deletion by moving back what
 * follows (Knuth, The Art of Computer Programming, 6.4, algorithm R).
 */
#include "adapters/files/ledger_table.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES_MIN = 1024 };

void ledger_table_fini(struct ledger_table *table)
{
    free(table->places);
    *table = (struct ledger_table){0};
}

static size_t home_of(const struct ledger_table *table, const unsigned char *key)
{
    uint64_t start = 0;
    memcpy(&start, key, sizeof start);
    return (size_t)start & (table->place_count - 1);
}

/* Where the key is, or the free place where it would be. The table is never full. */
static size_t place_of(const struct ledger_table *table, const unsigned char *key)
{
    size_t place = home_of(table, key);
    while (table->places[place].mark != LEDGER_NONE &&
           memcmp(table->places[place].key, key, LEDGER_KEY_BYTES) != 0) {
        place = (place + 1) & (table->place_count - 1);
    }
    return place;
}

struct ledger_entry *ledger_table_find(const struct ledger_table *table,
                                       const unsigned char key[LEDGER_KEY_BYTES])
{
    if (table->count == 0) {
        return NULL;
    }
    struct ledger_entry *entry = &table->places[place_of(table, key)];
    return entry->mark == LEDGER_NONE ? NULL : entry;
}

static bool grow(struct ledger_table *table)
{
    size_t count = table->place_count == 0 ? PLACES_MIN : table->place_count * 2;
    struct ledger_table larger = {.places = calloc(count, sizeof *larger.places),
                                  .place_count = count,
                                  .count = table->count};
    if (!larger.places) {
        return false;
    }
    for (size_t i = 0; i < table->place_count; i++) {
        if (table->places[i].mark != LEDGER_NONE) {
            larger.places[place_of(&larger, table->places[i].key)] = table->places[i];
        }
    }
    free(table->places);
    *table = larger;
    return true;
}

bool ledger_table_put(struct ledger_table *table, const struct ledger_entry *entry)
{
    if (table->count * 2 >= table->place_count && !grow(table)) {
        return false;
    }
    struct ledger_entry *place = &table->places[place_of(table, entry->key)];
    table->count += place->mark == LEDGER_NONE;
    *place = *entry;
    return true;
}

void ledger_table_remove(struct ledger_table *table, const unsigned char key[LEDGER_KEY_BYTES])
{
    if (!ledger_table_find(table, key)) {
        return;
    }
    size_t mask = table->place_count - 1;
    size_t hole = place_of(table, key);
    for (size_t next = (hole + 1) & mask; table->places[next].mark != LEDGER_NONE;
         next = (next + 1) & mask) {
        size_t home = home_of(table, table->places[next].key);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            table->places[hole] = table->places[next];
            hole = next;
        }
    }
    table->places[hole].mark = LEDGER_NONE;
    table->count--;
}
