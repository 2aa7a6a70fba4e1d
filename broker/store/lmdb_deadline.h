/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deadlines for acknowledgement in the LMDB engine: see core/stored_deadline.h. Functions that
 * return int give what lmdb_store.h says. Writer thread.
 */
#ifndef RELAIS_STORE_LMDB_DEADLINE_H
#define RELAIS_STORE_LMDB_DEADLINE_H

#include "store/lmdb_store.h"

/* Of an append that has one. */
int deadline_begin(struct batch *batch, const struct store_op *op, uint64_t sequence);

/* An append that is what a step of a deadline says: with the step, or not at all.
 * STORE_NOT_FOUND: that step was done before. */
int batch_pass(struct batch *batch, const struct store_op *op, struct store_result *result);

int batch_due(struct batch *batch, const struct store_op *op, struct store_result *result);

#endif
