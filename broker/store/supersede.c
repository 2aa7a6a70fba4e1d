/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/supersede.h"

#include <stdlib.h>
#include <string.h>

/* At most 64 addresses are named beside `supersedes`: looked through one by one. */
static bool is_named(const struct store_op *op, uint32_t named, uint32_t mailbox)
{
    for (uint32_t i = 0; i < named; i++) {
        if (op->append.recipients[i].mailbox == mailbox) {
            return true;
        }
    }
    return false;
}

struct store_recipient *supersede_widen(struct store_op *op, struct store_past *past,
                                        uint32_t count)
{
    uint32_t named = op->append.recipient_count;
    struct store_recipient *all = calloc((size_t)named + count + 1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    if (named > 0) {
        memcpy(all, op->append.recipients, named * sizeof *all);
    }
    op->append.recipients = all;
    for (uint32_t i = 0; i < count; i++) {
        past[i].added = !is_named(op, named, past[i].place.mailbox);
        if (past[i].added) {
            all[op->append.recipient_count++] =
                (struct store_recipient){.mailbox = past[i].place.mailbox,
                                         .lane = op->append.lane,
                                         .due_ms = op->append.due_ms};
        }
    }
    return all;
}
