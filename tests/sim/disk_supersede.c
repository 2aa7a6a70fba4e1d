/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk_undo.h. A message that takes the place of an earlier one: each past recipient gets it,
 * and a copy of the earlier one that waits and nobody has taken goes. All of it is one thing for a
 * crash: it happens between two ops.
 */
#include "disk_undo.h"

#include <assert.h>
#include <stdlib.h>

static bool is_named(const struct disk_op *op, uint32_t mailbox)
{
    for (uint32_t i = 0; i < op->named; i++) {
        if (op->recipients[i].mailbox == mailbox) {
            return true;
        }
    }
    return false;
}

/* Of a recipient of the earlier message; NULL: it was not sent there. */
static struct life *past_life(const struct disk *disk, const struct disk_op *op, uint32_t id)
{
    const struct disk_mailbox *mailbox = disk_mailbox_of(disk, id);
    struct life *life = mailbox ? ledger_life(op->earlier, mailbox->place) : NULL;
    return life && life->on_disk != DISK_NOTHING ? life : NULL;
}

bool disk_supersede_widen(struct disk *disk, struct disk_op *op)
{
    if (!op->earlier || !op->earlier->stored || op->earlier->flow != op->note.message->flow) {
        return false;
    }
    for (uint32_t id = 1; id < disk->mailbox_count; id++) {
        if (past_life(disk, op, id) && !is_named(op, id)) {
            assert(op->op.append.recipient_count < TOWN_PLACES);
            op->recipients[op->op.append.recipient_count++] = (struct store_recipient){
                .mailbox = id, .lane = op->op.append.lane, .due_ms = op->op.append.due_ms};
        }
    }
    return true;
}

static void replace(struct disk *disk, const struct disk_op *op, struct life *life,
                    struct store_replaced *out_replaced)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, out_replaced->mailbox);
    struct memory_entry entry = {0};
    bool behind = false;
    if (life->on_disk != DISK_WAITING ||
        !disk_take_waiting(mailbox, op->earlier->sequence, &entry, &behind)) {
        return;
    }
    struct disk_undo *undo = disk_note_undo(disk, STORE_ACK, out_replaced->mailbox);
    undo->before = entry;
    undo->behind = behind;
    life->on_disk = DISK_SUPERSEDED;
    assert(behind || memory_order_pass(&mailbox->box, entry.order, &out_replaced->turn));
    undo->passed = out_replaced->turn.passed;
    out_replaced->gone = true;
    out_replaced->bytes = ledger_bytes(op->earlier);
}

void disk_supersede(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    struct store_replaced *replaced = calloc(TOWN_PLACES, sizeof *replaced);
    assert(replaced);
    result->append.replaced = replaced;
    for (uint32_t id = 1; id < disk->mailbox_count; id++) {
        struct life *life = past_life(disk, op, id);
        if (life) {
            struct store_replaced *row = &replaced[result->append.replaced_count++];
            row->mailbox = id;
            row->added = !is_named(op, id);
            replace(disk, op, life, row);
        }
    }
    disk_recount(disk, op->earlier);
}
