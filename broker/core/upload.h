/* SPDX-License-Identifier: EUPL-1.2
 *
 * Uploads: a large payload comes in chunks before its message is submitted. What of it is on disk
 * belongs to the member and the id, and outlives the connection; what is here is this connection's
 * view of it.
 *
 * Transitions: upload_begin() asked -> upload_stored() open -> chunks in order, each acknowledged
 * by UploadState once it is on disk -> upload_end() gone: its message was accepted, or it failed.
 * One thread.
 */
#ifndef RELAIS_CORE_UPLOAD_H
#define RELAIS_CORE_UPLOAD_H

#include "core/refusal.h"
#include "core/state.h"

struct upload {
    struct upload *next;
    uint32_t number; /* the client's, not 0 */
    uint64_t serial; /* ours: a number may be used again */
    uint64_t bytes;  /* of the whole */
    uint64_t durable_bytes;
    uint64_t next_offset; /* of the chunk that is due */
    bool open;            /* the store has said how far it is */
    bool dirty;           /* durable_bytes is to be told */
    char id[NAME_ID_BYTES + 1];
};

void upload_begin(struct step *step, struct session *session, const struct directory_client *client,
                  const Relais__V1__Upload *command);

/* False: *out_refusal says why it cannot be read. */
bool upload_chunk(struct step *step, struct session *session, const struct event *event,
                  const Relais__V1__Chunk *command, struct refusal *out_refusal);

/* The upload that a part of a submit names, whole. NULL: *out_refusal says why not, without a
 * field. */
const struct upload *upload_whole(struct step *step, const struct session *session, uint32_t number,
                                  struct refusal *out_refusal);

/* The store's answer to UPLOAD or CHUNK. */
void upload_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result);

/* Its message was accepted. Not there: nothing. */
void upload_end(struct session *session, uint64_t serial);

/* Says what has gathered. */
void uploads_flush(struct step *step, struct session *session);

void uploads_fini(struct session *session);

/* What a submit is told whose upload the store does not know any more. */
struct refusal upload_unknown(const char *field);

#endif
