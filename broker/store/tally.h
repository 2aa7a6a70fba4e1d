/* SPDX-License-Identifier: EUPL-1.2
 *
 * Counts what refers to what in a store's file, and tells where a counter says otherwise: entries
 * of each message against its reference count, messages that nothing refers to, and what each
 * mailbox holds against its record. In windows of sequences, so that memory is bounded whatever the
 * store holds.
 */
#ifndef RELAIS_STORE_TALLY_H
#define RELAIS_STORE_TALLY_H

#include "store/inspection.h"
#include "store/store.h"

/* The tables' trees are in `inspection`. False: without memory, or the disk does not give a page.
 */
bool tally_check(struct inspection *inspection, struct store_report *report);

#endif
