/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 64, ITEMS_MIN = 32 };

void sender_table_fini(struct sender_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->items[i]);
    }
    free(table->items);
    free(table->buckets);
    memset(table, 0, sizeof *table);
}

/* FNV-1a: slugs come from the directory, nobody picks them to collide. */
static uint64_t hash_of(const char *slug)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *slug != '\0'; slug++) {
        hash = (hash ^ (uint8_t)*slug) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Where the slug stands, or would. There is a free bucket. */
static size_t place_of(struct sender *const *buckets, size_t bucket_count, const char *slug)
{
    size_t at = hash_of(slug) & (bucket_count - 1);
    while (buckets[at] != NULL && strcmp(buckets[at]->slug, slug) != 0) {
        at = (at + 1) & (bucket_count - 1);
    }
    return at;
}

struct sender *sender_find(const struct sender_table *table, const char *slug)
{
    return table->bucket_count == 0
               ? NULL
               : table->buckets[place_of(table->buckets, table->bucket_count, slug)];
}

struct sender *sender_numbered(const struct sender_table *table, uint32_t number)
{
    return number > 0 && number <= table->count ? table->items[number - 1] : NULL;
}

static bool grow_buckets(struct sender_table *table)
{
    if ((table->used + 1) * 2 <= table->bucket_count) {
        return true;
    }
    size_t bucket_count = table->bucket_count == 0 ? BUCKETS_MIN : table->bucket_count * 2;
    struct sender **buckets = calloc(bucket_count, sizeof(struct sender *));
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        struct sender *sender = table->items[i];
        if (sender != NULL) {
            buckets[place_of(buckets, bucket_count, sender->slug)] = sender;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = bucket_count;
    return true;
}

/* Room for `number`, with nobody in between. */
static bool grow_items(struct sender_table *table, uint32_t number)
{
    if (number > table->capacity) {
        size_t capacity = table->capacity == 0 ? ITEMS_MIN : table->capacity * 2;
        capacity = capacity < number ? number : capacity;
        struct sender **items = realloc(table->items, capacity * sizeof(struct sender *));
        if (items == NULL) {
            return false;
        }
        table->items = items;
        table->capacity = capacity;
    }
    while (table->count < number) {
        table->items[table->count++] = NULL;
    }
    return true;
}

static struct sender *make(struct sender_table *table, uint32_t number, const char *slug)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL || !grow_buckets(table) || !grow_items(table, number)) {
        free(sender);
        return NULL;
    }
    sender->number = number;
    (void)snprintf(sender->slug, sizeof sender->slug, "%s", slug);
    table->items[number - 1] = sender;
    table->buckets[place_of(table->buckets, table->bucket_count, sender->slug)] = sender;
    table->used++;
    return sender;
}

struct sender *sender_add(struct sender_table *table, const char *slug)
{
    struct sender *sender = sender_find(table, slug);
    if (sender != NULL || table->count >= SENDER_NUMBER_MAX) {
        return sender;
    }
    return make(table, (uint32_t)table->count + 1, slug);
}

bool sender_restore(struct sender_table *table, uint32_t number, const char *slug,
                    const struct store_usage *usage, uint64_t known)
{
    if (number == 0 || number > SENDER_NUMBER_MAX || slug[0] == '\0' ||
        strlen(slug) > SENDER_SLUG_BYTES || sender_numbered(table, number) != NULL ||
        sender_find(table, slug) != NULL) {
        return false;
    }
    struct sender *sender = make(table, number, slug);
    if (sender == NULL) {
        return false;
    }
    sender->usage = *usage;
    sender->committed = *usage;
    sender->known = known;
    sender->committed_known = known;
    return true;
}

/* Of all that is known, what those have who know more than `least`. */
static uint64_t known_above(const struct sender_table *table, uint64_t least, uint64_t *out_most)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < table->count; i++) {
        uint64_t known = table->items[i] != NULL ? table->items[i]->known : 0;
        sum += known > least ? known : 0;
        *out_most = known > *out_most ? known : *out_most;
    }
    return sum;
}

uint64_t sender_heavy(const struct sender_table *table)
{
    enum { PART = 4 }; /* so that every fourth that is looked at can go, or more */
    uint64_t most = 0;
    const uint64_t all = known_above(table, 0, &most);
    uint64_t least = most / 2;
    while (least > 0 && known_above(table, least, &most) < all / PART) {
        least /= 2;
    }
    return least;
}

struct store_usage sender_usage(const struct sender *sender)
{
    struct store_usage usage = {0};
    if (sender != NULL) {
        usage = sender->usage;
        usage.bytes += sender->begun;
    }
    return usage;
}

bool sender_is_over(const struct sender *sender, const struct store_usage *quota, uint64_t bytes,
                    uint64_t uploaded)
{
    struct store_usage usage = sender_usage(sender);
    if (quota->messages > 0 && usage.messages >= quota->messages) {
        return true;
    }
    usage.bytes -= uploaded < sender->begun ? uploaded : sender->begun;
    return quota->bytes > 0 && (bytes > quota->bytes || usage.bytes > quota->bytes - bytes);
}

void sender_upload_begins(struct sender *sender, uint64_t bytes)
{
    sender->begun += bytes;
}

void sender_upload_ends(struct sender *sender, uint64_t bytes)
{
    sender->begun -= bytes < sender->begun ? bytes : sender->begun;
}

void sender_count_in(struct sender *sender, uint64_t bytes)
{
    sender->usage.messages++;
    sender->usage.bytes += bytes;
}

void sender_count_entry_out(struct sender *sender)
{
    struct store_usage *usage = &sender->usage;
    usage->bytes -= usage->bytes > STORED_RECIPIENT_BYTES ? STORED_RECIPIENT_BYTES : usage->bytes;
}

/* Counters never wrap: behind a damaged record the figures may not add up. */
void sender_count_out(struct sender *sender, uint64_t bytes)
{
    struct store_usage *usage = &sender->usage;
    usage->messages -= usage->messages > 0 ? 1 : 0;
    usage->bytes -= bytes < usage->bytes ? bytes : usage->bytes;
}
