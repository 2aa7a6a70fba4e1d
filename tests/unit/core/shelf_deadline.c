/* SPDX-License-Identifier: EUPL-1.2
 *
 * See shelf_deadline.h.
 */
#include "shelf_deadline.h"

#include <assert.h>
#include <stdlib.h>

enum { REMINDED = sizeof(((struct shelf *)NULL)->reminded) / sizeof(uint32_t) };

void shelf_pass(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    shelf->passes++;
    held_message_drop(&shelf->passed);
    shelf->pass = *op;
    shelf->passed = op->op.append.message;
    result->status = shelf->pass_status;
    if (result->status != STORE_DONE) {
        return;
    }
    shelf->due.sequence = 0; /* it was the only one */
    result->append.replaced = calloc(REMINDED, sizeof *result->append.replaced);
    assert(result->append.replaced);
    for (size_t i = 0; i < REMINDED && shelf->reminded[i] > 0; i++) {
        result->append.replaced[i] =
            (struct store_replaced){.mailbox = shelf->reminded[i], .added = true};
        result->append.replaced_count++;
    }
}

void shelf_due(const struct shelf *shelf, struct store_result *result)
{
    result->due = malloc(sizeof *result->due);
    assert(result->due);
    *result->due = shelf->due;
}
