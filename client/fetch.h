/* SPDX-License-Identifier: EUPL-1.2
 *
 * One stored payload on its way from the broker.
 *
 *   1. No more than FETCH_WINDOW_BYTES are asked for and not here.
 *   2. Bytes are written in order, each once, and enter the digest as they are written.
 *   3. What belongs to a lease that has gone is not waited for.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_FETCH_H
#define RELAIS_CLIENT_FETCH_H

#include "client/frames.h"
#include "client/stream.h"
#include "relais/v1/command.pb-c.h"

struct fetch_job {
    struct stream_digest digest;
    relais_delivery *delivery;
    relais_payload_sink sink;
    relais_payload_read_fn read; /* the sink's own, or those of its file */
    relais_payload_write_fn write;
    void *file_context;
    uint64_t size;
    uint64_t asked; /* up to here */
    uint64_t got;
    int64_t due_ms; /* the broker was busy: not before */
    relais_error failure;
    bool failed;
};

/* Asks for what is to be asked for. */
void fetch_flush(relais_client *client, int64_t now_ms);

/* False: the broker breaks the protocol. */
bool fetch_answered(relais_client *client, const Relais__V1__Fetched *fetched,
                    const struct frames_in *in, int64_t now_ms);

#endif
