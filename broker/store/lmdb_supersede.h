/* SPDX-License-Identifier: EUPL-1.2
 *
 * A message that takes the place of an earlier one of the same sender and flow. Functions that
 * return int do as those of lmdb_store.h. Writer thread.
 */
#ifndef RELAIS_STORE_LMDB_SUPERSEDE_H
#define RELAIS_STORE_LMDB_SUPERSEDE_H

#include "store/lmdb_known.h"

/* The earlier message, and where its copies are. */
struct earlier {
    struct duplicate_record known;
    struct store_past *past;
    uint32_t count;
    struct store_recipient *own; /* all recipients of the later one */
};

/* Finds the earlier message of an append and makes every past recipient of it one of the op's, in a
 * list of recipients that supersede_end() frees. MDB_NOTFOUND: there is no such message. */
int supersede_begin(struct batch *batch, struct store_op *op, struct earlier *out_earlier);

/* Takes out each copy that nobody has taken; says in the result what was done to whom. */
int supersede_replace(struct batch *batch, const struct store_op *op, struct earlier *earlier,
                      struct store_result *result);

void supersede_end(struct earlier *earlier);

#endif
