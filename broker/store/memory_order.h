/* SPDX-License-Identifier: EUPL-1.2
 *
 * Order in the memory engine: of the entries of one order, one is in a list of the mailbox, the
 * others are in `behind`. There is no table of heads: the lists are looked through, which makes a
 * check of the LMDB engine's tables out of every test that compares the two.
 */
#ifndef RELAIS_STORE_MEMORY_ORDER_H
#define RELAIS_STORE_MEMORY_ORDER_H

#include "store/memory_mailbox.h"

/* Into the list of its key, or behind another of its order. False without memory. */
bool memory_order_add(struct memory_mailbox *mailbox, const struct memory_entry *entry);

/* An entry of this order has gone for good: the next has its turn. False without memory. */
bool memory_order_pass(struct memory_mailbox *mailbox, uint64_t order, struct store_turn *out_turn);

/* Takes the entry out from behind others; its key is that of its place. False: it is not there. */
bool memory_order_remove(struct memory_mailbox *mailbox, uint64_t sequence,
                         struct memory_entry *out_entry);

#endif
