/* SPDX-License-Identifier: EUPL-1.2
 *
 * Stored payloads in the LMDB engine: uploads, and the contents that they become. Functions that
 * return int give what lmdb_store.h says. Writer thread.
 */
#ifndef RELAIS_STORE_LMDB_UPLOAD_H
#define RELAIS_STORE_LMDB_UPLOAD_H

#include "store/lmdb_store.h"

enum { CONTENT_ERASE_SEGMENTS = 64 /* in one batch: 4 MiB go, and nobody waits for it */ };

/* lmdb_upload.c */
int batch_upload_open(struct batch *batch, const struct store_op *op, struct store_result *result);
int batch_upload_chunk(struct batch *batch, const struct store_op *op, struct store_result *result);
/* Takes the whole upload of an append for its message. MDB_NOTFOUND: not there, or not whole. */
int batch_upload_claim(struct batch *batch, const struct store_op *op, uint64_t *out_content);
int batch_upload_prune(struct batch *batch);

/* lmdb_sender.c. An upload of the member, of so many bytes in all. False without memory. */
bool batch_upload_begins(struct batch *batch, const char *slug, uint64_t bytes);
void batch_upload_ends(struct batch *batch, const char *slug, uint64_t bytes);

/* lmdb_content.c */
int content_write(struct batch *batch, uint64_t content, uint64_t offset, struct bytes data);
int content_fetch(struct batch *batch, const struct store_op *op, struct store_result *result);
/* Nobody needs it any more. */
int content_doom(struct batch *batch, uint64_t content);
/* A few segments of what is doomed. */
int content_erase(struct batch *batch);

/* At start, after the senders: what each has begun. */
int lmdb_read_uploads(struct lmdb_store *store, MDB_txn *txn);

#endif
