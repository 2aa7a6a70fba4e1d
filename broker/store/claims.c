/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/claims.h"

#include <stdlib.h>
#include <string.h>

void claims_fini(struct claims *claims)
{
    free(claims->items);
    memset(claims, 0, sizeof *claims);
}

int entry_key_compare(const struct entry_key *left, const struct entry_key *right)
{
    if (left->due_ms != right->due_ms) {
        return left->due_ms < right->due_ms ? -1 : 1;
    }
    if (left->lane != right->lane) {
        return left->lane < right->lane ? -1 : 1;
    }
    if (left->sequence != right->sequence) {
        return left->sequence < right->sequence ? -1 : 1;
    }
    return 0;
}

/* Index of the first claim that is not before `key`. */
static size_t find(const struct claims *claims, const struct entry_key *key)
{
    size_t low = 0;
    size_t high = claims->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_key_compare(&claims->items[middle], key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool claims_has(const struct claims *claims, const struct entry_key *key)
{
    size_t at = find(claims, key);
    return at < claims->count && entry_key_compare(&claims->items[at], key) == 0;
}

bool claims_add(struct claims *claims, const struct entry_key *key)
{
    if (claims->count == claims->capacity) {
        size_t capacity = claims->capacity == 0 ? 16 : claims->capacity * 2;
        struct entry_key *items = realloc(claims->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        claims->items = items;
        claims->capacity = capacity;
    }
    size_t at = find(claims, key);
    if (at < claims->count && entry_key_compare(&claims->items[at], key) == 0) {
        return true;
    }
    memmove(claims->items + at + 1, claims->items + at,
            (claims->count - at) * sizeof *claims->items);
    claims->items[at] = *key;
    claims->count++;
    return true;
}

bool claims_drop(struct claims *claims, const struct entry_key *key)
{
    size_t at = find(claims, key);
    if (at >= claims->count || entry_key_compare(&claims->items[at], key) != 0) {
        return false;
    }
    claims->count--;
    memmove(claims->items + at, claims->items + at + 1,
            (claims->count - at) * sizeof *claims->items);
    return true;
}

void claims_lower(struct claims *claims, const struct entry_key *key)
{
    if (key->due_ms > 0) {
        if (entry_key_compare(key, &claims->later_hint) < 0) {
            claims->later_hint = *key;
        }
    } else if (key->lane < LANE_COUNT && key->sequence < claims->lane_hint[key->lane]) {
        claims->lane_hint[key->lane] = key->sequence;
    }
}
