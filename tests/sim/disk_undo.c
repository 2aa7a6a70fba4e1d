/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. What was written is taken back, the last first, so that each finds the store as
 * it had left it.
 */
#include "disk_undo.h"

#include <assert.h>

/* The entry of an order that is not behind others, out of its list. */
static bool take_head(struct memory_mailbox *box, uint64_t order, struct memory_entry *out_head)
{
    for (int i = 0; i < MEMORY_LISTS; i++) {
        for (size_t at = 0; at < box->lists[i].count; at++) {
            const struct memory_entry *entry = entry_list_at(&box->lists[i], at);
            if (entry->order == order) {
                *out_head = *entry;
                entry_list_remove(&box->lists[i], at);
                out_head->claimed = false;
                return true;
            }
        }
    }
    return false;
}

static void undo_append(struct disk *disk, const struct disk_undo *undo)
{
    struct message *message = undo->message;
    message->stored = false;
    for (size_t id = 0; id < disk->mailbox_count; id++) {
        struct disk_mailbox *mailbox = &disk->mailboxes[id];
        struct life *life = mailbox->known ? ledger_life(message, mailbox->place) : NULL;
        if (!life) {
            continue;
        }
        struct entry_key key = {.mailbox = (uint32_t)id,
                                .lane = message->lane,
                                .due_ms = 0,
                                .sequence = undo->sequence};
        struct memory_entry entry;
        if (!memory_order_remove(&mailbox->box, key.sequence, &entry) &&
            !memory_mailbox_remove(&mailbox->box, &key, &entry)) {
            key.due_ms = message->not_before_ms;
            assert(memory_mailbox_remove(&mailbox->box, &key, &entry));
        }
        life->on_disk = DISK_NOTHING;
        memory_message_unref(entry.message);
    }
    disk_recount(disk, message);
    message->place_count = message->named_count;
}

static void bury_again(struct disk *disk, const struct disk_undo *undo)
{
    struct memory_entry entry = undo->before;
    struct life *life = disk_life_of(disk, &entry.key);
    life->on_disk = DISK_DEAD;
    life->dead_code = undo->death.bury.code;
    life->history_first = undo->kind == STORE_REPLAY ? undo->history_first : life->history_first;
    disk_recount_sequence(disk, entry.key.sequence);
    assert(memory_dead_bury(&disk->mailboxes[undo->mailbox].box, &entry, &undo->death));
}

void disk_undo_one(struct disk *disk, const struct disk_undo *undo)
{
    struct disk_mailbox *mailbox = &disk->mailboxes[undo->mailbox];
    struct memory_entry gone;
    switch (undo->kind) {
    case STORE_MAILBOX:
        mailbox->known = false;
        return;
    case STORE_APPEND:
        undo_append(disk, undo);
        return;
    case STORE_DEFER:
        assert(memory_mailbox_remove(&mailbox->box, &undo->after, &gone));
        break;
    case STORE_BURY:
        assert(memory_dead_remove(&mailbox->box, undo->before.key.sequence, &gone));
        break;
    case STORE_REPLAY:
        assert(memory_order_remove(&mailbox->box, undo->before.key.sequence, &gone) ||
               memory_mailbox_remove(&mailbox->box, &undo->before.key, &gone));
        bury_again(disk, undo);
        return;
    case STORE_DROP:
        bury_again(disk, undo);
        return;
    default:
        break;
    }
    struct life *life = disk_life_of(disk, &undo->before.key);
    life->on_disk = DISK_WAITING;
    life->history_count -= undo->failed;
    disk_recount_sequence(disk, undo->before.key.sequence);
    bool passed = undo->passed && take_head(&mailbox->box, undo->before.order, &gone);
    assert(undo->behind ? memory_order_add(&mailbox->box, &undo->before)
                        : memory_mailbox_add(&mailbox->box, &undo->before));
    assert(!passed || memory_order_add(&mailbox->box, &gone));
}
