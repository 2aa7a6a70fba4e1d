/* SPDX-License-Identifier: EUPL-1.2
 *
 * The failed attempts of entries in the LMDB engine. Writer thread; results as in lmdb_store.h.
 */
#ifndef RELAIS_STORE_LMDB_ATTEMPT_H
#define RELAIS_STORE_LMDB_ATTEMPT_H

#include "store/lmdb_store.h"

/* A failed attempt is kept (NULL: there was none), all of an entry are forgotten,
 * or read into its dead letter. */
int attempt_keep(struct batch *batch, const struct entry_key *entry,
                 const struct stored_attempt *attempt);
int attempts_forget(struct batch *batch, const struct dead_key *name);
int attempts_read(struct batch *batch, const struct dead_key *name, struct store_dead *out_dead);

#endif
