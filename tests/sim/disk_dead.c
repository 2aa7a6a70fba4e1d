/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. Dead letters: listed, read, replayed, dropped.
 */
#include "disk_undo.h"

#include <assert.h>

/* Out of the dead ones, noted with what it had died of. */
static bool take_dead(struct disk *disk, const struct store_op *op, struct memory_entry *out_entry)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, op->dead.mailbox);
    struct entry_key key = {.sequence = op->dead.sequence};
    size_t at = entry_list_find(&mailbox->box.dead, &key);
    if (at == mailbox->box.dead.count ||
        entry_list_at(&mailbox->box.dead, at)->key.sequence != key.sequence) {
        return false;
    }
    const struct memory_entry *dead = entry_list_at(&mailbox->box.dead, at);
    struct disk_undo *undo = disk_note_undo(disk, op->kind, op->dead.mailbox);
    undo->death = (struct store_op){.kind = STORE_BURY, .now_ms = dead->death->died_ms};
    undo->death.bury.code = dead->death->code;
    undo->death.bury.attempts = dead->attempts;
    assert(memory_dead_remove(&mailbox->box, key.sequence, out_entry));
    undo->before = *out_entry;
    return true;
}

void disk_dead(struct disk *disk, const struct store_op *op, struct store_result *result)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(
        disk, op->kind == STORE_DEAD_LIST ? op->dead_list.mailbox : op->dead.mailbox);
    struct memory_entry entry;
    result->status = mailbox ? STORE_DONE : STORE_NOT_FOUND;
    if (!mailbox) {
        return;
    }
    if (op->kind == STORE_DEAD_LIST) {
        assert(memory_dead_list(&mailbox->box, op, result));
    } else if (op->kind == STORE_DEAD_READ) {
        assert(memory_dead_read(&mailbox->box, op->dead.sequence, result));
        disk_history_lay(disk, op, result);
    } else if (disk->stuck) {
        result->status = STORE_NO_ROOM;
    } else if (!take_dead(disk, op, &entry)) {
        result->status = STORE_NOT_FOUND;
    } else if (op->kind == STORE_REPLAY) {
        result->replayed_bytes = entry.message->bytes;
        disk_life_of(disk, &entry.key)->on_disk = DISK_WAITING;
        disk_life_of(disk, &entry.key)->replayed = true;
        disk_history_forget(disk, disk_life_of(disk, &entry.key));
        assert(memory_order_add(&mailbox->box, &entry));
    } else {
        disk_life_of(disk, &entry.key)->on_disk = DISK_DROPPED;
        disk_recount_sequence(disk, entry.key.sequence);
    }
}
