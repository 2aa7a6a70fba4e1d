/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deadlines for acknowledgement, as every engine sees them: who owes an answer, who is reminded.
 * Pure.
 */
#ifndef RELAIS_STORE_DEADLINE_H
#define RELAIS_STORE_DEADLINE_H

#include "core/stored.h"

/* The recipients of one reminder. */
struct reminded {
    struct store_recipient *recipients;
    uint32_t count;
    uint32_t max;
    uint8_t lane;
    bool more;  /* others are to be reminded in the same step */
    bool owing; /* somebody owes an answer, be it one who cannot be reminded */
};

/* Room for what op->append.pass wants. False without memory: nothing is to be freed. */
bool reminded_init(struct reminded *out_reminded, const struct store_op *op);
void reminded_fini(struct reminded *reminded);

/* Takes one recipient's row (`context` is the struct reminded), in the order of mailboxes. False:
 * no more need come. */
bool reminded_add(void *context, const struct store_track_row *row);

/* They are told to the core as those that nobody had named. False without memory. */
bool reminded_tell(const struct reminded *reminded, struct store_result *result);

/* The step has been done for them. False: the deadline goes, for it was its last step, or nobody
 * owes an answer any more. */
bool reminded_pass(const struct reminded *reminded, struct stored_deadline *deadline, uint8_t step);

/* Counts one recipient's row when the deadline itself is due. */
void due_count(struct store_due *due, const struct store_track_row *row);

#endif
