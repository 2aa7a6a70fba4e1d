/* SPDX-License-Identifier: EUPL-1.2
 *
 * The two tables of connection.h.
 */
#include "net/connection.h"

#include "net/descriptor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void connection_table_fini(struct connection_table *table)
{
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        struct connection *connection = table->buckets[i];
        while (connection != NULL) {
            struct connection *next = connection->next_by_number;
            outflow_unref(connection->outflow);
            free(connection);
            connection = next;
        }
        table->buckets[i] = NULL;
    }
    free(table->slots);
    table->slots = NULL;
    table->slot_count = 0;
}

static bool slots_grow(struct connection_table *table, size_t wanted)
{
    size_t count = table->slot_count == 0 ? 64 : table->slot_count;
    while (count < wanted) {
        count *= 2;
    }
    struct descriptor_slot *slots = realloc(table->slots, count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots + table->slot_count, 0, (count - table->slot_count) * sizeof *slots);
    table->slots = slots;
    table->slot_count = count;
    return true;
}

static struct descriptor_slot *slot_of(const struct connection_table *table, int descriptor)
{
    if (descriptor < 0 || (size_t)descriptor >= table->slot_count) {
        return NULL;
    }
    return &table->slots[descriptor];
}

bool connection_table_accept(struct connection_table *table, int descriptor, uint64_t moment,
                             int64_t now_ms)
{
    if (descriptor < 0) {
        return true;
    }
    if ((size_t)descriptor >= table->slot_count && !slots_grow(table, (size_t)descriptor + 1)) {
        return false;
    }
    struct descriptor_slot *slot = &table->slots[descriptor];
    assert(slot->connection == NULL);
    table->open_count += slot->accepted == 0 ? 1 : 0;
    table->turned_away_count -= slot->turned_away ? 1 : 0;
    *slot = (struct descriptor_slot){
        .accepted = moment,
        .cookie = descriptor_cookie(descriptor),
        .accepted_ms = now_ms,
    };
    return true;
}

struct connection *connection_table_release(struct connection_table *table, int descriptor)
{
    struct descriptor_slot *slot = slot_of(table, descriptor);
    if (slot == NULL || slot->accepted == 0) {
        return NULL;
    }
    struct connection *connection = slot->connection;
    table->turned_away_count -= slot->turned_away ? 1 : 0;
    *slot = (struct descriptor_slot){0};
    table->open_count--;
    return connection;
}

void connection_table_turn_away(struct connection_table *table, int descriptor)
{
    struct descriptor_slot *slot = slot_of(table, descriptor);
    if (slot != NULL && slot->accepted != 0 && !slot->turned_away) {
        descriptor_shutdown(descriptor, slot->cookie);
        slot->turned_away = true;
        table->turned_away_count++;
    }
}

void connection_table_turn_newest_away(struct connection_table *table)
{
    if (table->turned_away_count > 0) {
        return; /* one is going already */
    }
    size_t newest = 0;
    for (size_t i = 1; i < table->slot_count; i++) {
        newest = table->slots[i].accepted > table->slots[newest].accepted ? i : newest;
    }
    connection_table_turn_away(table, (int)newest);
}

void connection_table_turn_all_away(struct connection_table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        connection_table_turn_away(table, (int)i);
    }
}

bool connection_table_flushed(const struct connection_table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct descriptor_slot *slot = &table->slots[i];
        if (slot->accepted != 0 && !descriptor_flushed((int)i, slot->cookie)) {
            return false;
        }
    }
    return true;
}

struct connection *connection_table_find(const struct connection_table *table, uint64_t number)
{
    struct connection *connection = table->buckets[number % CONNECTION_BUCKETS];
    while (connection != NULL && connection->number != number) {
        connection = connection->next_by_number;
    }
    return connection;
}

struct connection *connection_table_add(struct connection_table *table, uint64_t number,
                                        int descriptor, atomic_size_t *unsent_total)
{
    struct descriptor_slot *slot = slot_of(table, descriptor);
    if (slot == NULL || slot->accepted == 0 || slot->accepted > number ||
        slot->connection != NULL) {
        return NULL;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return NULL;
    }
    connection->outflow = outflow_new(unsent_total);
    if (connection->outflow == NULL) {
        free(connection);
        return NULL;
    }
    connection->number = number;
    connection->descriptor = descriptor;
    connection->cookie = slot->cookie;
    connection->holds = HOLD_DESCRIPTOR;
    slot->connection = connection;
    struct connection **bucket = &table->buckets[number % CONNECTION_BUCKETS];
    connection->next_by_number = *bucket;
    *bucket = connection;
    table->count++;
    return connection;
}

/* FNV-1a. Keys are registered by an operator: nobody chooses them for their bucket. */
static struct connection **key_bucket(struct connection_table *table, const char *key)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *key != '\0'; key++) {
        hash = (hash ^ (unsigned char)*key) * UINT32_C(16777619);
    }
    return &table->key_buckets[hash % KEY_BUCKETS];
}

size_t connection_table_name(struct connection_table *table, struct connection *connection,
                             const char *key)
{
    memcpy(connection->key, key, sizeof connection->key);
    struct connection **bucket = key_bucket(table, key);
    connection->next_by_key = *bucket;
    *bucket = connection;
    size_t open = 0;
    for (const struct connection *at = *bucket; at != NULL; at = at->next_by_key) {
        bool lives = (at->holds & HOLD_DESCRIPTOR) != 0 && !at->cut;
        open += lives && strcmp(at->key, key) == 0 ? 1 : 0;
    }
    return open;
}

static void key_forget(struct connection_table *table, const struct connection *connection)
{
    struct connection **link = key_bucket(table, connection->key);
    while (*link != NULL && *link != connection) {
        link = &(*link)->next_by_key;
    }
    if (*link != NULL) {
        *link = connection->next_by_key;
    }
}

void connection_table_drop(struct connection_table *table, struct connection *connection,
                           enum connection_hold hold)
{
    connection->holds &= ~(unsigned)hold;
    if (connection->holds != 0) {
        return;
    }
    struct connection **link = &table->buckets[connection->number % CONNECTION_BUCKETS];
    while (*link != connection) {
        link = &(*link)->next_by_number;
    }
    *link = connection->next_by_number;
    key_forget(table, connection);
    table->count--;
    outflow_unref(connection->outflow);
    free(connection);
}
