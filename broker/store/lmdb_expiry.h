/* SPDX-License-Identifier: EUPL-1.2
 *
 * What of the LMDB engine has expired without anybody having taken it: the table `expiry`, which
 * only messages that expire are in, one record each whatever their recipients. Functions that
 * return int do as those of lmdb_store.h. Writer thread.
 */
#ifndef RELAIS_STORE_LMDB_EXPIRY_H
#define RELAIS_STORE_LMDB_EXPIRY_H

#include "store/lmdb_store.h"

/* The message has entries that wait; expires_ms 0: it never expires. Again is no harm. */
int expiry_begin(struct batch *batch, uint64_t sequence, int64_t expires_ms, uint64_t order);
/* It is gone. */
int expiry_end(struct batch *batch, uint64_t sequence, int64_t expires_ms);

int batch_expire(struct batch *batch, const struct store_op *op, struct store_result *result);

#endif
