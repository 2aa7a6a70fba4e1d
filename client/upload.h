/* SPDX-License-Identifier: EUPL-1.2
 *
 * One large payload on its way to the broker.
 *
 *   TO BEGIN --Upload said--> BEGUN --UploadState--> OPEN --chunks--> WHOLE --Submit--> accepted
 *   any --line lost, or over for now--> TO BEGIN, when `due_ms` has come
 *   any --a reason for good, or the source cannot be read--> failed
 *
 *   1. No more than the broker's window is on its way; nothing is sent before it was asked for.
 *   2. Each byte enters the digest once, in order, also when it is sent twice.
 *   3. Its message is submitted on connections alone that know the upload to be whole.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_UPLOAD_H
#define RELAIS_CLIENT_UPLOAD_H

#include "client/stream.h"
#include "relais/v1/command.pb-c.h"

struct pending;

struct upload_job {
    struct stream_digest digest; /* first: it has the widest alignment */
    relais_payload_source source;
    relais_payload_read_fn read; /* the source's own, or that of its file */
    void *read_context;
    const char *id;
    const char *flow;
    uint64_t begun_at; /* connection.welcomes when Upload was said; 0: to begin */
    uint64_t durable_bytes;
    uint64_t next_offset;
    uint32_t chunk_bytes;
    uint32_t window_bytes;
    int64_t due_ms;          /* to begin: not before */
    struct pending *pending; /* its message; NULL: not submitted yet, or answered */
    uint32_t number;
    relais_error failure;
    bool open;
    bool failed;
};

/* Says what is to be said. */
void upload_flush(relais_client *client, int64_t now_ms);

/* False: the broker breaks the protocol. */
bool upload_state(relais_client *client, const Relais__V1__UploadState *state, int64_t now_ms);

/* The broker does not know it (any more): it begins again. */
void upload_begin_again(relais_client *client, int64_t due_ms);

/* The broker knows no such command. */
void upload_unknown_command(relais_client *client, const Relais__V1__Error *said);

/* Every byte is on the broker's disk, and this connection knows it. */
bool upload_is_whole(const relais_client *client, const struct upload_job *job);

#endif
