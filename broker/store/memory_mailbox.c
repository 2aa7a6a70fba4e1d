/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_mailbox.h"

#include "store/claims.h"
#include "store/memory_content.h"
#include "store/turn.h"

#include <stdlib.h>
#include <string.h>

struct held_message memory_message_share(const struct memory_message *message)
{
    struct held_message held = message->held;
    if (held.envelope_buffer != NULL) {
        (void)buffer_ref(held.envelope_buffer);
    }
    if (held.payload_buffer != NULL) {
        (void)buffer_ref(held.payload_buffer);
    }
    return held;
}

bool memory_message_unref(struct memory_message *message)
{
    if (message->sender != NULL && message->entries > 0) {
        sender_count_entry_out(message->sender);
    }
    if (message->entries > 1) {
        message->entries--;
        return false;
    }
    if (message->sender != NULL) {
        sender_count_out(message->sender, message->bytes);
    }
    memory_content_free(message->content);
    held_message_drop(&message->held);
    free(message);
    return true;
}

static void list_fini(struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        (void)memory_message_unref(list->items[list->first + i].message);
        free(list->items[list->first + i].death);
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}

void memory_mailbox_fini(struct memory_mailbox *mailbox)
{
    for (int i = 0; i < MEMORY_LISTS; i++) {
        list_fini(&mailbox->lists[i]);
    }
    list_fini(&mailbox->dead);
    list_fini(&mailbox->behind);
    free(mailbox->attempts);
}

size_t entry_list_find(const struct entry_list *list, const struct entry_key *key)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_key_compare(&list->items[list->first + middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool list_reserve(struct entry_list *list)
{
    if (list->first + list->count < list->capacity) {
        return true;
    }
    if (list->first > list->count) {
        memmove(list->items, list->items + list->first, list->count * sizeof *list->items);
        list->first = 0;
        return true;
    }
    size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
    struct memory_entry *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

bool entry_list_add(struct entry_list *list, const struct memory_entry *entry)
{
    if (!list_reserve(list)) {
        return false;
    }
    size_t at = entry_list_find(list, &entry->key);
    struct memory_entry *place = list->items + list->first + at;
    memmove(place + 1, place, (list->count - at) * sizeof *place);
    *place = *entry;
    list->count++;
    return true;
}

struct memory_entry *entry_list_at(const struct entry_list *list, size_t index)
{
    return &list->items[list->first + index];
}

void entry_list_remove(struct entry_list *list, size_t index)
{
    if (index == 0) {
        list->first++;
    } else {
        struct memory_entry *entry = entry_list_at(list, index);
        memmove(entry, entry + 1, (list->count - index - 1) * sizeof *entry);
    }
    list->count--;
}

static struct entry_list *list_of(struct memory_mailbox *mailbox, const struct entry_key *key)
{
    if (key->due_ms > 0) {
        return &mailbox->lists[MEMORY_LATER];
    }
    return key->lane < LANE_COUNT ? &mailbox->lists[key->lane] : NULL;
}

bool memory_mailbox_add(struct memory_mailbox *mailbox, const struct memory_entry *entry)
{
    return entry_list_add(list_of(mailbox, &entry->key), entry);
}

struct memory_entry *memory_mailbox_find(struct memory_mailbox *mailbox,
                                         const struct entry_key *key)
{
    struct entry_list *list = list_of(mailbox, key);
    size_t at = list != NULL ? entry_list_find(list, key) : 0;
    if (list == NULL || at >= list->count) {
        return NULL;
    }
    struct memory_entry *entry = &list->items[list->first + at];
    return entry_key_compare(&entry->key, key) == 0 ? entry : NULL;
}

bool memory_mailbox_remove(struct memory_mailbox *mailbox, const struct entry_key *key,
                           struct memory_entry *out_entry)
{
    struct memory_entry *entry = memory_mailbox_find(mailbox, key);
    if (entry == NULL) {
        return false;
    }
    *out_entry = *entry;
    struct entry_list *list = list_of(mailbox, key);
    entry_list_remove(list, (size_t)(entry - (list->items + list->first)));
    return true;
}

static struct memory_entry *first_free(struct entry_list *list, size_t from)
{
    for (size_t i = from; i < list->count; i++) {
        if (!list->items[list->first + i].claimed) {
            return &list->items[list->first + i];
        }
    }
    return NULL;
}

struct memory_entry *memory_mailbox_next(struct memory_mailbox *mailbox, int64_t now_ms)
{
    struct memory_entry *later = first_free(&mailbox->lists[MEMORY_LATER], 0);
    if (later != NULL && later->key.due_ms <= now_ms) {
        return later;
    }
    const enum lane *order = turn_order(mailbox->picks);
    for (int i = 0; i < LANE_COUNT; i++) {
        struct memory_entry *entry = first_free(&mailbox->lists[order[i]], 0);
        if (entry != NULL) {
            return entry;
        }
    }
    return NULL;
}

int64_t memory_mailbox_next_due(struct memory_mailbox *mailbox, int64_t now_ms)
{
    struct entry_list *later = &mailbox->lists[MEMORY_LATER];
    struct entry_key after = {.due_ms = now_ms + 1};
    const struct memory_entry *entry = first_free(later, entry_list_find(later, &after));
    return entry != NULL ? entry->key.due_ms : 0;
}

void memory_mailbox_claim(struct memory_mailbox *mailbox, const struct store_op *op,
                          struct store_result *result)
{
    struct entry_key key = {.mailbox = mailbox->id,
                            .lane = op->append.recipients[0].lane,
                            .sequence = result->append.sequence};
    struct memory_entry *entry = memory_mailbox_find(mailbox, &key);
    entry->claimed = true;
    result->append.claimed = true;
    result->append.message = memory_message_share(entry->message);
}
