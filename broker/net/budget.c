/* SPDX-License-Identifier: EUPL-1.2
 *
 * See budget.h. A walk over all connections, but only while too much is unsent: some 100 us with
 * 10,000 of them.
 */
#include "net/budget.h"

#include <string.h>

static size_t unsent_of(const struct connection *connection)
{
    return atomic_load_explicit(&connection->outflow->bytes, memory_order_relaxed);
}

/* What is found in a walk: `to` is weighed with the `size` bytes that it is to get. */
struct scales {
    const struct connection *to;
    size_t size;
    size_t all;                  /* what those hold that are not cut, without `size` */
    size_t most;                 /* of one key */
    struct connection *heaviest; /* the heaviest connection of that key */
};

static size_t weight_of(struct scales *scales, const struct connection *one)
{
    return (one->cut ? 0 : unsent_of(one)) + (one == scales->to ? scales->size : 0);
}

/* All connections of the key of `first`, from `first` on: those before it in the bucket have other
 * keys. */
static void weigh_key(struct scales *scales, struct connection *first)
{
    size_t sum = 0;
    size_t most = 0;
    struct connection *heaviest = NULL;
    for (struct connection *one = first; one != NULL; one = one->next_by_key) {
        size_t weight = strcmp(one->key, first->key) == 0 ? weight_of(scales, one) : 0;
        sum += weight;
        if (weight > most) {
            most = weight;
            heaviest = one;
        }
    }
    if (sum > scales->most) {
        scales->most = sum;
        scales->heaviest = heaviest;
    }
}

static bool is_first_of_key(const struct connection *bucket, const struct connection *connection)
{
    while (strcmp(bucket->key, connection->key) != 0) {
        bucket = bucket->next_by_key;
    }
    return bucket == connection;
}

static void weigh(const struct connection_table *table, struct scales *scales)
{
    scales->all = 0;
    scales->most = 0;
    scales->heaviest = NULL;
    for (size_t i = 0; i < KEY_BUCKETS; i++) {
        for (struct connection *one = table->key_buckets[i]; one != NULL; one = one->next_by_key) {
            scales->all += one->cut ? 0 : unsent_of(one);
            if (is_first_of_key(table->key_buckets[i], one)) {
                weigh_key(scales, one);
            }
        }
    }
}

bool budget_make_room(struct budget *budget, const struct connection_table *table,
                      struct endings *endings, const struct connection *to, size_t size)
{
    struct scales scales = {.to = to, .size = size};
    if (budget->bytes == 0 ||
        atomic_load_explicit(budget->unsent, memory_order_relaxed) + size <= budget->bytes) {
        return true;
    }
    for (;;) {
        weigh(table, &scales);
        if (scales.all + size <= budget->bytes || scales.heaviest == NULL) {
            return true;
        }
        budget->evicted++;
        if (scales.heaviest == to) {
            return false;
        }
        endings_cut_at_once(endings, scales.heaviest);
    }
}
