/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the broker says in messages of its own about a deadline: envelope and payload. docs/
 * protocol.md, "Deadlines". One thread.
 */
#ifndef RELAIS_CORE_NOTICE_H
#define RELAIS_CORE_NOTICE_H

#include "core/state.h"

/* To a recipient who has not acknowledged. The id is the same for the same step and recipients.
 * False without memory. */
bool notice_remind(struct step *step, const struct store_due *due, uint8_t number,
                   struct store_op *op);

/* To the sender. The same. */
bool notice_missed(struct step *step, const struct store_due *due, struct store_op *op);

#endif
