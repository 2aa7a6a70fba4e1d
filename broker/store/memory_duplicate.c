/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_duplicate.h"

#include "store/record.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

enum { FIRST_BUCKETS = 1024, LOAD = 2 /* nodes a bucket, before the table doubles */ };

bool memory_duplicates_init(struct memory_duplicates *duplicates)
{
    memset(duplicates, 0, sizeof *duplicates);
    duplicates->bucket_count = FIRST_BUCKETS;
    duplicates->buckets = calloc(FIRST_BUCKETS, sizeof(struct duplicate_node *));
    return duplicates->buckets != NULL;
}

void memory_duplicates_fini(struct memory_duplicates *duplicates)
{
    struct duplicate_node *node = duplicates->oldest;
    while (node != NULL) {
        struct duplicate_node *younger = node->younger;
        free(node);
        node = younger;
    }
    free(duplicates->buckets);
    memset(duplicates, 0, sizeof *duplicates);
}

static struct duplicate_node **bucket_of(const struct memory_duplicates *duplicates,
                                         const void *key, size_t size)
{
    return &duplicates->buckets[XXH3_64bits(key, size) & (duplicates->bucket_count - 1)];
}

const struct duplicate_node *memory_duplicates_find(const struct memory_duplicates *duplicates,
                                                    const char *sender, const char *id)
{
    struct record_key key;
    key_duplicate(&key, sender, id);
    const struct duplicate_node *node = *bucket_of(duplicates, key.data, key.size);
    while (node != NULL &&
           (node->key_size != key.size || memcmp(node->key, key.data, key.size) != 0)) {
        node = node->next;
    }
    return node;
}

/* Without memory the old table stays: slower, not wrong. */
static void grow(struct memory_duplicates *duplicates)
{
    size_t count = duplicates->bucket_count * 2;
    struct duplicate_node **buckets = calloc(count, sizeof(struct duplicate_node *));
    if (buckets == NULL) {
        return;
    }
    free(duplicates->buckets);
    duplicates->buckets = buckets;
    duplicates->bucket_count = count;
    for (struct duplicate_node *node = duplicates->oldest; node != NULL; node = node->younger) {
        if (node->forgotten) {
            continue;
        }
        struct duplicate_node **bucket = bucket_of(duplicates, node->key, node->key_size);
        node->next = *bucket;
        *bucket = node;
    }
}

static void enqueue(struct memory_duplicates *duplicates, struct duplicate_node *node)
{
    node->younger = NULL;
    if (duplicates->youngest != NULL) {
        duplicates->youngest->younger = node;
    } else {
        duplicates->oldest = node;
    }
    duplicates->youngest = node;
}

static void dequeue(struct memory_duplicates *duplicates)
{
    duplicates->oldest = duplicates->oldest->younger;
    if (duplicates->oldest == NULL) {
        duplicates->youngest = NULL;
    }
}

bool memory_duplicates_add(struct memory_duplicates *duplicates, const char *sender, const char *id,
                           const struct duplicate_node *values)
{
    struct record_key key;
    key_duplicate(&key, sender, id);
    struct duplicate_node *node = malloc(sizeof *node + key.size);
    if (node == NULL) {
        return false;
    }
    *node = *values;
    node->younger = NULL;
    node->key_size = key.size;
    memcpy(node->key, key.data, key.size);
    if (duplicates->count / LOAD >= duplicates->bucket_count) {
        grow(duplicates);
    }
    struct duplicate_node **bucket = bucket_of(duplicates, key.data, key.size);
    node->next = *bucket;
    *bucket = node;
    enqueue(duplicates, node);
    duplicates->count++;
    return true;
}

/* Its id is not known any more. */
static void forget_id(struct memory_duplicates *duplicates, struct duplicate_node *node)
{
    if (node->forgotten) {
        return;
    }
    struct duplicate_node **at = bucket_of(duplicates, node->key, node->key_size);
    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    node->forgotten = true;
    duplicates->count--;
}

/* How many ids the sender of a node has: its key begins with the slug, and a zero. */
static uint64_t known_of(const struct memory_duplicates *duplicates, const char *sender)
{
    uint64_t known = 0;
    for (const struct duplicate_node *node = duplicates->oldest; node != NULL;
         node = node->younger) {
        known += !node->forgotten && strcmp(node->key, sender) == 0 ? 1 : 0;
    }
    return known;
}

/* The oldest of who has the most: looked through one by one, for this engine holds little. */
static struct duplicate_node *heaviest(const struct memory_duplicates *duplicates)
{
    struct duplicate_node *found = NULL;
    uint64_t most = 0;
    for (struct duplicate_node *node = duplicates->oldest; node != NULL; node = node->younger) {
        bool same = found != NULL && strcmp(node->key, found->key) == 0;
        uint64_t known = node->forgotten || same ? 0 : known_of(duplicates, node->key);
        if (known > most) {
            most = known;
            found = node;
        }
    }
    return found;
}

void memory_duplicates_prune(struct memory_duplicates *duplicates, struct memory_tracks *tracks,
                             int64_t until_ms, uint64_t max, int64_t now_ms)
{
    struct duplicate_node *node = NULL;
    while ((node = duplicates->oldest) != NULL && node->age_ms <= until_ms) {
        bool held = memory_tracks_hold(tracks, node->sequence);
        dequeue(duplicates);
        if (held) {
            node->age_ms = now_ms;
            enqueue(duplicates, node);
        } else {
            forget_id(duplicates, node);
            memory_tracks_forget(tracks, node->sequence);
            free(node);
        }
    }
    /* Their rows go in time. */
    while (duplicates->count > max) {
        forget_id(duplicates, heaviest(duplicates));
    }
}
