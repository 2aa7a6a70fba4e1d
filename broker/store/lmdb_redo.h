/* SPDX-License-Identifier: EUPL-1.2
 *
 * The transaction that batches share, and the redo log that makes each of them durable before it is
 * committed. Functions that return int give 0, an MDB_ code or an errno.
 */
#ifndef RELAIS_STORE_LMDB_REDO_H
#define RELAIS_STORE_LMDB_REDO_H

#include "store/lmdb_store.h"

/* On opening: what the log of an earlier life holds is committed, and the log goes. */
bool lmdb_recover(struct lmdb_store *store, struct store_problem *out_problem);
/* A writing transaction is open afterwards. */
int lmdb_begin(struct lmdb_store *store);
/* The transaction is as the log says again. */
int lmdb_roll_back(struct lmdb_store *store);
/* The batch that was just made, into the log; or all that is open, committed. */
int lmdb_make_durable(struct lmdb_store *store);
/* Commits what is open. */
int lmdb_checkpoint(struct lmdb_store *store);
/* When that is due; 0: now; INT64_MAX: nothing is open. */
int64_t lmdb_checkpoint_in_ms(const struct lmdb_store *store);
/* Commits, and the log goes. */
void lmdb_end_log(struct lmdb_store *store);

#endif
