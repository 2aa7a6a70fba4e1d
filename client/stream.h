/* SPDX-License-Identifier: EUPL-1.2
 *
 * What sending and receiving large payloads share: the digest of bytes that come one after the
 * other, files read and written at an offset, and patience with the other side.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_STREAM_H
#define RELAIS_CLIENT_STREAM_H

#include <relais/payload.h>
#include <sodium.h>
#include <stdbool.h>

enum {
    STREAM_DIGEST_STEP_BYTES = 1024 * 1024, /* read again between two turns: some milliseconds */
    STREAM_SLICE_MS = 100,                  /* between two looks at patience and progress */
};

/* The digest of the first `bytes` bytes. */
struct stream_digest {
    uint64_t bytes;
    /* A crypto_generichash_state as bytes: its alignment of 64 would be that of all that holds it.
     */
    unsigned char state[sizeof(crypto_generichash_state)];
};

void stream_digest_init(struct stream_digest *digest);

/* Bytes that lie at `offset`: what of them is new is added. */
void stream_digest_add(struct stream_digest *digest, uint64_t offset, const void *data,
                       size_t size);
void stream_digest_end(struct stream_digest *digest, uint8_t out_digest[RELAIS_DIGEST_BYTES]);

/* Adds at most STREAM_DIGEST_STEP_BYTES more, up to `end`. False: errno says why. */
bool stream_digest_read(struct stream_digest *digest, relais_payload_read_fn read, void *context,
                        uint64_t end);

/* For an fd: `context` is a pointer to it. */
bool stream_read_fd(void *context, uint64_t offset, void *out, size_t size);
bool stream_write_fd(void *context, uint64_t offset, const void *data, size_t size);

/* When to give up. */
struct stream_patience {
    int64_t timeout_ms; /* < 0: never */
    int64_t active_ms;  /* when something last came of it */
    uint64_t done;      /* bytes, then */
};

void stream_patience_init(struct stream_patience *patience, int timeout_ms);

/* Works for a slice of time at most, or for one turn. RELAIS_OK: go on. */
relais_status stream_work(relais_client *client, struct stream_patience *patience, uint64_t done,
                          bool at_once);

#endif
