/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mailbox_table_fini(struct mailbox_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        claims_fini(&table->items[i]->claims);
        free(table->items[i]);
    }
    free(table->items);
    memset(table, 0, sizeof *table);
}

static size_t find(const struct mailbox_table *table, uint32_t id)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct mailbox *mailbox_find(const struct mailbox_table *table, uint32_t id)
{
    size_t at = find(table, id);
    return at < table->count && table->items[at]->id == id ? table->items[at] : NULL;
}

static bool grow(struct mailbox_table *table)
{
    if (table->count < table->capacity) {
        return true;
    }
    size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    struct mailbox **items = realloc(table->items, capacity * sizeof(struct mailbox *));
    if (items == NULL) {
        return false;
    }
    table->items = items;
    table->capacity = capacity;
    return true;
}

struct mailbox *mailbox_add(struct mailbox_table *table, uint32_t id, const char *name)
{
    struct mailbox *mailbox = mailbox_find(table, id);
    if (mailbox == NULL) {
        mailbox = calloc(1, sizeof *mailbox);
        if (mailbox == NULL || !grow(table)) {
            free(mailbox);
            return NULL;
        }
        mailbox->id = id;
        size_t at = find(table, id);
        memmove(table->items + at + 1, table->items + at,
                (table->count - at) * sizeof(struct mailbox *));
        table->items[at] = mailbox;
        table->count++;
    }
    (void)snprintf(mailbox->name, sizeof mailbox->name, "%s", name);
    return mailbox;
}

void mailbox_count_in(struct mailbox *mailbox, uint64_t bytes)
{
    mailbox->counts.waiting++;
    mailbox->counts.waiting_bytes += bytes;
}

/* Counters never wrap: behind a damaged record the figures may not add up. */
void mailbox_count_out(struct mailbox *mailbox, uint64_t bytes)
{
    struct mailbox_counts *counts = &mailbox->counts;
    counts->waiting -= counts->waiting > 0 ? 1 : 0;
    counts->waiting_bytes -= bytes < counts->waiting_bytes ? bytes : counts->waiting_bytes;
}
