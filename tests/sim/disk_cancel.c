/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. A message that is withdrawn: each copy that waits and nobody has taken becomes a
 * dead letter.
 */
#include "disk_undo.h"

#include <assert.h>
#include <stdlib.h>

bool disk_take_waiting(struct disk_mailbox *mailbox, uint64_t sequence,
                       struct memory_entry *out_entry, bool *out_behind)
{
    for (int i = 0; i < MEMORY_LISTS; i++) {
        struct entry_list *list = &mailbox->box.lists[i];
        for (size_t k = 0; k < list->count; k++) {
            const struct memory_entry *entry = entry_list_at(list, k);
            if (entry->key.sequence == sequence) {
                *out_entry = *entry;
                if (!entry->claimed) {
                    entry_list_remove(list, k);
                }
                return !out_entry->claimed;
            }
        }
    }
    *out_behind = memory_order_remove(&mailbox->box, sequence, out_entry);
    return *out_behind;
}

static void withdraw(struct disk *disk, const struct disk_op *op, uint32_t id, struct life *life,
                     struct store_result *result)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, id);
    struct memory_entry entry = {0};
    struct store_turn turn = {0};
    bool behind = false;
    if (!disk_take_waiting(mailbox, op->tracked->sequence, &entry, &behind)) {
        result->cancel.too_late++;
        return;
    }
    struct disk_undo *undo = disk_note_undo(disk, STORE_BURY, id);
    undo->before = entry;
    undo->behind = behind;
    struct store_op bury = {.kind = STORE_BURY, .now_ms = op->op.now_ms};
    bury.bury.attempts = entry.attempts;
    bury.bury.code = life->dead_code = STORED_CODE_CANCELLED;
    bury.bury.reason = "";
    life->on_disk = DISK_DEAD;
    assert(memory_dead_bury(&mailbox->box, &entry, &bury));
    assert(behind || memory_order_pass(&mailbox->box, undo->before.order, &turn));
    undo->passed = turn.passed;
    result->cancel.withdrawn++;
    result->cancel.bytes = ledger_bytes(op->tracked);
    result->cancel.mailboxes[result->cancel.count++] = id;
}

void disk_cancel(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    if (!op->tracked || !op->tracked->stored) {
        result->status = STORE_NOT_FOUND;
        return;
    }
    result->cancel.mailboxes = calloc(TOWN_PLACES, sizeof *result->cancel.mailboxes);
    assert(result->cancel.mailboxes);
    for (uint32_t id = 1; id < disk->mailbox_count; id++) {
        const struct disk_mailbox *mailbox = disk_mailbox_of(disk, id);
        struct life *life = mailbox ? ledger_life(op->tracked, mailbox->place) : NULL;
        if (life && life->on_disk == DISK_WAITING) {
            withdraw(disk, op, id, life, result);
        } else if (life) {
            result->cancel.too_late += life->on_disk == DISK_ACKED;
            result->cancel.withdrawn +=
                life->on_disk == DISK_DEAD && life->dead_code == STORED_CODE_CANCELLED;
        }
    }
}
