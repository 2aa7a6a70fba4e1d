/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. What nobody has taken of messages that have expired becomes dead letters, in
 * steps.
 */
#include "disk_undo.h"

#include <assert.h>
#include <stdlib.h>

static void bury(struct disk *disk, const struct disk_op *op, struct disk_mailbox *mailbox,
                 struct memory_entry *entry, bool behind, struct store_expiry *said)
{
    struct store_expired *expired = &said->entries[said->count++];
    struct store_turn turn = {0};
    *expired = (struct store_expired){.mailbox = mailbox->box.id,
                                      .attempts = entry->attempts,
                                      .sequence = entry->key.sequence,
                                      .bytes = entry->message->bytes};
    struct disk_undo *undo = disk_note_undo(disk, STORE_BURY, mailbox->box.id);
    undo->before = *entry;
    undo->behind = behind;
    struct store_op bury = {.kind = STORE_BURY, .now_ms = op->op.now_ms};
    bury.bury.attempts = entry->attempts;
    bury.bury.code = STORED_CODE_EXPIRED;
    bury.bury.reason = "";
    struct life *life = disk_life_of(disk, &entry->key);
    life->on_disk = DISK_DEAD;
    life->dead_code = STORED_CODE_EXPIRED;
    assert(memory_dead_bury(&mailbox->box, entry, &bury));
    assert(behind || memory_order_pass(&mailbox->box, undo->before.order, &turn));
    undo->passed = turn.passed;
    expired->turn = turn;
}

/* Of one list, as long as there is room for it in the step. */
static void expire(struct disk *disk, const struct disk_op *op, struct disk_mailbox *mailbox,
                   struct entry_list *list, struct store_expiry *said)
{
    bool behind = list == &mailbox->box.behind;
    for (size_t at = 0; at < list->count;) {
        struct memory_entry entry = *entry_list_at(list, at);
        int64_t expires_ms = entry.message->expires_ms;
        int64_t look_ms = expires_ms;
        if (expires_ms > 0 && expires_ms <= op->op.now_ms) {
            if (!entry.claimed && said->count < op->op.expire.max_entries) {
                entry_list_remove(list, at);
                entry.key = behind ? entry.place : entry.key;
                bury(disk, op, mailbox, &entry, behind, said);
                at = 0;
                continue;
            }
            look_ms = op->op.now_ms + (entry.claimed ? STORED_EXPIRY_AGAIN_MS : 0);
        }
        if (look_ms > 0 && (said->next_ms == 0 || look_ms < said->next_ms)) {
            said->next_ms = look_ms;
        }
        at++;
    }
}

void disk_expire(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    result->expiry.entries =
        calloc((size_t)op->op.expire.max_entries + 1, sizeof *result->expiry.entries);
    assert(result->expiry.entries);
    if (disk->stuck) {
        result->status = STORE_NO_ROOM;
        return;
    }
    for (size_t id = 1; id < disk->mailbox_count; id++) {
        struct disk_mailbox *mailbox = &disk->mailboxes[id];
        if (mailbox->known) {
            expire(disk, op, mailbox, &mailbox->box.behind, &result->expiry);
            for (int i = 0; i < MEMORY_LISTS; i++) {
                expire(disk, op, mailbox, &mailbox->box.lists[i], &result->expiry);
            }
        }
    }
}
