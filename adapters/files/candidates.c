/* SPDX-License-Identifier: EUPL-1.2
 *
 * The files that are on their way: see candidates.h. A hash table with chains, and two lists.
 */
#include "adapters/files/candidates.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 65536 };

bool candidates_init(struct candidates *set, void *owner)
{
    *set = (struct candidates){.bucket_count = BUCKETS, .owner = owner};
    set->buckets = calloc(BUCKETS, sizeof(struct candidate *));
    return set->buckets != NULL;
}

void candidates_fini(struct candidates *set)
{
    for (size_t i = 0; set->buckets && i < set->bucket_count; i++) {
        while (set->buckets[i]) {
            struct candidate *first = set->buckets[i];
            set->buckets[i] = first->chain;
            free(first);
        }
    }
    free(set->buckets);
    *set = (struct candidates){0};
}

/* FNV-1a. Who can write into the folder can make collisions, and gains nothing but our time. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261U;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    }
    return hash;
}

struct candidate *candidates_find(const struct candidates *set, const char *name)
{
    uint32_t hash = hash_of(name);
    struct candidate *at = set->buckets[hash % set->bucket_count];
    while (at && (at->hash != hash || strcmp(at->name, name) != 0)) {
        at = at->chain;
    }
    return at;
}

static struct candidate_list *list_of(struct candidates *set, const struct candidate *candidate)
{
    return candidate->state == CANDIDATE_WAITING ? &set->waiting : &set->ready;
}

static void unlist(struct candidates *set, struct candidate *candidate)
{
    if (candidate->state == CANDIDATE_FLYING) {
        set->flying--;
        set->flying_bytes -= candidate->mark.size;
        return;
    }
    struct candidate_list *list = list_of(set, candidate);
    if (candidate->previous) {
        candidate->previous->next = candidate->next;
    } else {
        list->first = candidate->next;
    }
    if (candidate->next) {
        candidate->next->previous = candidate->previous;
    } else {
        list->last = candidate->previous;
    }
    candidate->next = candidate->previous = NULL;
}

static void enlist(struct candidates *set, struct candidate *candidate, enum candidate_state state)
{
    candidate->state = state;
    if (state == CANDIDATE_FLYING) {
        set->flying++;
        set->flying_bytes += candidate->mark.size;
        return;
    }
    struct candidate_list *list = list_of(set, candidate);
    candidate->previous = list->last;
    if (list->last) {
        list->last->next = candidate;
    } else {
        list->first = candidate;
    }
    list->last = candidate;
}

struct candidate *candidates_add(struct candidates *set, const char *name)
{
    size_t bytes = strlen(name) + 1;
    if (set->count >= CANDIDATES_MAX) {
        return NULL;
    }
    struct candidate *candidate = calloc(1, sizeof *candidate + bytes);
    if (!candidate) {
        return NULL;
    }
    memcpy(candidate->name, name, bytes);
    candidate->hash = hash_of(name);
    candidate->owner = set->owner;
    struct candidate **bucket = &set->buckets[candidate->hash % set->bucket_count];
    candidate->chain = *bucket;
    *bucket = candidate;
    set->count++;
    enlist(set, candidate, CANDIDATE_READY);
    return candidate;
}

void candidates_wait(struct candidates *set, struct candidate *candidate, int64_t due_ms)
{
    unlist(set, candidate);
    candidate->due_ms = due_ms;
    enlist(set, candidate, CANDIDATE_WAITING);
}

void candidates_make_ready(struct candidates *set, struct candidate *candidate)
{
    unlist(set, candidate);
    enlist(set, candidate, CANDIDATE_READY);
}

void candidates_fly(struct candidates *set, struct candidate *candidate)
{
    unlist(set, candidate);
    enlist(set, candidate, CANDIDATE_FLYING);
}

void candidates_remove(struct candidates *set, struct candidate *candidate)
{
    unlist(set, candidate);
    struct candidate **link = &set->buckets[candidate->hash % set->bucket_count];
    while (*link != candidate) {
        link = &(*link)->chain;
    }
    *link = candidate->chain;
    set->count--;
    free(candidate);
}

void candidates_sweep(struct candidates *set, uint32_t scan)
{
    struct candidate *const heads[] = {set->waiting.first, set->ready.first};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (struct candidate *at = heads[i], *next = NULL; at; at = next) {
            next = at->next;
            if (at->seen != scan) {
                candidates_remove(set, at);
            }
        }
    }
}
