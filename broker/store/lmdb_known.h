/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the LMDB engine remembers of messages that it has accepted: that they were, and what became
 * of them. Functions that return int do as those of lmdb_store.h. Writer thread.
 */
#ifndef RELAIS_STORE_LMDB_KNOWN_H
#define RELAIS_STORE_LMDB_KNOWN_H

#include "store/lmdb_store.h"
#include "store/record_track.h"

/* lmdb_track.c. What has become of each recipient's copy; track_move() does nothing about one that
 * is not remembered any more. */
int track_begin(struct batch *batch, const struct store_op *op, uint64_t sequence);
int track_move(struct batch *batch, uint64_t sequence, uint32_t mailbox,
               const struct track_record *fields);
/* Deletes up to *most rows of a message, and lowers *most. */
int track_forget(struct batch *batch, uint64_t sequence, size_t *most);
int batch_track(struct batch *batch, const struct store_op *op, struct store_result *result);

/* lmdb_cancel.c */
int batch_cancel(struct batch *batch, const struct store_op *op, struct store_result *result);

/* lmdb_duplicate.c. MDB_NOTFOUND: not known, or (duplicate_find()) not within the window. */
int duplicate_known(struct batch *batch, const char *sender, const char *id,
                    struct duplicate_record *out_known);
int duplicate_find(struct batch *batch, const char *sender, const char *id, int64_t now_ms,
                   uint64_t *out_sequence);
int batch_known(struct batch *batch, const struct store_op *op, struct store_result *result);
int duplicate_remember(struct batch *batch, const struct store_op *op, uint64_t sequence);
/* lmdb_sender.c: one id more or less is remembered of this member. */
void batch_count_known(struct batch *batch, const char *slug, bool more);
int duplicate_prune(struct batch *batch);

#endif
