/* SPDX-License-Identifier: EUPL-1.2
 *
 * See memory_order.h.
 */
#include "store/memory_order.h"

static bool has_head(const struct memory_mailbox *mailbox, uint64_t order)
{
    for (int i = 0; i < MEMORY_LISTS; i++) {
        const struct entry_list *list = &mailbox->lists[i];
        for (size_t at = 0; at < list->count; at++) {
            if (entry_list_at(list, at)->order == order) {
                return true;
            }
        }
    }
    return false;
}

bool memory_order_add(struct memory_mailbox *mailbox, const struct memory_entry *entry)
{
    if (entry->order == 0 || !has_head(mailbox, entry->order)) {
        return memory_mailbox_add(mailbox, entry);
    }
    struct memory_entry behind = *entry;
    behind.place = entry->key;
    /* All in one list: by sequence alone. */
    behind.key.lane = 0;
    behind.key.due_ms = 0;
    return entry_list_add(&mailbox->behind, &behind);
}

static void take_out(struct memory_mailbox *mailbox, size_t at, struct memory_entry *out_entry)
{
    *out_entry = *entry_list_at(&mailbox->behind, at);
    out_entry->key = out_entry->place;
    entry_list_remove(&mailbox->behind, at);
}

bool memory_order_pass(struct memory_mailbox *mailbox, uint64_t order, struct store_turn *out_turn)
{
    for (size_t at = 0; order != 0 && at < mailbox->behind.count; at++) {
        if (entry_list_at(&mailbox->behind, at)->order == order) {
            struct memory_entry next;
            take_out(mailbox, at, &next);
            *out_turn = (struct store_turn){.passed = true, .due_ms = next.key.due_ms};
            return memory_mailbox_add(mailbox, &next);
        }
    }
    return true;
}

bool memory_order_remove(struct memory_mailbox *mailbox, uint64_t sequence,
                         struct memory_entry *out_entry)
{
    struct entry_key key = {.mailbox = mailbox->id, .sequence = sequence};
    size_t at = entry_list_find(&mailbox->behind, &key);
    if (at == mailbox->behind.count ||
        entry_list_at(&mailbox->behind, at)->key.sequence != sequence) {
        return false;
    }
    take_out(mailbox, at, out_entry);
    return true;
}
