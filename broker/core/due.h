/* SPDX-License-Identifier: EUPL-1.2
 *
 * When deferred entries of mailboxes with consumers become due: a heap, the earliest first. One
 * thread.
 */
#ifndef RELAIS_CORE_DUE_H
#define RELAIS_CORE_DUE_H

#include "core/state.h"

/* Puts the mailbox where its next_due_ms and its consumers want it, or takes it out. To be called
 * after every change of either. */
void due_update(struct step *step, struct mailbox *mailbox);

/* The mailbox whose entry is due, taken out with next_due_ms 0. NULL: none is. */
struct mailbox *due_take(struct step *step);

/* The earliest; 0: none. */
int64_t due_first_ms(const struct core *core);

#endif
