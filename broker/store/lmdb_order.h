/* SPDX-License-Identifier: EUPL-1.2
 *
 * The order of entries in the LMDB engine. Writer thread; results as in lmdb_store.h.
 */
#ifndef RELAIS_STORE_LMDB_ORDER_H
#define RELAIS_STORE_LMDB_ORDER_H

#include "store/lmdb_store.h"

/* An entry goes where it belongs, behind others of its order if there are some. */
int order_admit(struct batch *batch, struct mailbox *mailbox, const struct entry_key *entry,
                const struct entry_record *fields);
/* The head of an order has gone for good. *out_turn is left alone when nothing follows. */
int order_pass(struct batch *batch, struct mailbox *mailbox, uint64_t order,
               struct store_turn *out_turn);
/* Takes an entry out from behind others. MDB_NOTFOUND: it is not there. */
int order_remove(struct batch *batch, struct mailbox *mailbox, uint64_t order, uint64_t sequence,
                 struct entry_record *out_entry);
/* The same, and it is a dead letter: nobody's turn changes. Lane, order and bytes of *dead are
 * filled in. MDB_NOTFOUND: it is not there, or its record is broken. */
int order_bury(struct batch *batch, struct mailbox *mailbox, const struct entry_key *entry,
               uint64_t order, struct dead_record *dead);
/* The order of an entry whose own record is broken; 0: none that is known. */
int order_find(struct batch *batch, uint32_t mailbox, uint64_t sequence, uint64_t *out_order);
/* Nothing of the mailbox is in a lane or waits for its time: the first of each order is put there,
 * and what is behind is counted anew. */
int order_mend(struct batch *batch, struct mailbox *mailbox);

#endif
