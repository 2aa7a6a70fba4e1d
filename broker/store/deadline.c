/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/deadline.h"

#include "store/track.h"

#include <stdlib.h>

bool reminded_init(struct reminded *out_reminded, const struct store_op *op)
{
    uint32_t max = op->append.pass.max > 0 ? op->append.pass.max : 1;
    struct store_recipient *recipients = calloc(max, sizeof *recipients);
    *out_reminded =
        (struct reminded){.recipients = recipients, .max = max, .lane = op->append.lane};
    return recipients != NULL;
}

void reminded_fini(struct reminded *reminded)
{
    free(reminded->recipients);
    reminded->recipients = NULL;
}

bool reminded_add(void *context, const struct store_track_row *row)
{
    struct reminded *reminded = context;
    reminded->owing = reminded->owing || track_is_owed(row->state);
    if (!track_is_reminded(row->state)) {
        return true;
    }
    reminded->more = reminded->count == reminded->max;
    if (!reminded->more) {
        reminded->recipients[reminded->count++] =
            (struct store_recipient){.mailbox = row->mailbox, .lane = reminded->lane};
    }
    return !reminded->more;
}

bool reminded_tell(const struct reminded *reminded, struct store_result *result)
{
    struct store_replaced *added = NULL;
    if (reminded->count == 0) {
        return true;
    }
    added = calloc(reminded->count, sizeof *added);
    if (added == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < reminded->count; i++) {
        added[i] =
            (struct store_replaced){.mailbox = reminded->recipients[i].mailbox, .added = true};
    }
    result->append.replaced = added;
    result->append.replaced_count = reminded->count;
    return true;
}

bool reminded_pass(const struct reminded *reminded, struct stored_deadline *deadline, uint8_t step)
{
    uint32_t last = reminded->more ? reminded->recipients[reminded->count - 1].mailbox : 0;
    bool goes_on = step < deadline->remind_count;
    bool nobody = !reminded->owing && stored_deadline_after(deadline, step) == 0;
    return stored_deadline_pass(deadline, step, last) && goes_on && !nobody;
}

void due_count(struct store_due *due, const struct store_track_row *row)
{
    due->totals[row->state]++;
    if (!track_is_owed(row->state)) {
        return;
    }
    due->owing++;
    if (due->count < STORED_DUE_ROWS) {
        due->rows[due->count++] = *row;
    }
}
