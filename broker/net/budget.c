/* SPDX-License-Identifier: EUPL-1.2
 *
 * See budget.h. A walk over all connections, but only while too much is unsent: some 100 us with
 * 10,000 of them.
 */
#include "net/budget.h"

static size_t unsent_of(const struct connection *connection)
{
    return atomic_load_explicit(&connection->outflow->bytes, memory_order_relaxed);
}

/* What those hold that are not cut; the one with the most, `to` with what it is to get. */
static size_t weigh(const struct connection_table *table, const struct connection *to, size_t size,
                    struct connection **out_heaviest)
{
    size_t all = 0;
    size_t most = 0;
    *out_heaviest = NULL;
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        for (struct connection *one = table->buckets[i]; one != NULL; one = one->next_by_number) {
            size_t weight = one->cut ? 0 : unsent_of(one);
            all += weight;
            weight += one == to ? size : 0;
            if (weight > most) {
                most = weight;
                *out_heaviest = one;
            }
        }
    }
    return all;
}

bool budget_make_room(struct budget *budget, const struct connection_table *table,
                      struct endings *endings, const struct connection *to, size_t size)
{
    struct connection *heaviest = NULL;
    if (budget->bytes == 0 ||
        atomic_load_explicit(budget->unsent, memory_order_relaxed) + size <= budget->bytes) {
        return true;
    }
    while (weigh(table, to, size, &heaviest) + size > budget->bytes && heaviest != NULL) {
        budget->evicted++;
        if (heaviest == to) {
            return false;
        }
        endings_cut_at_once(endings, heaviest);
    }
    return true;
}
