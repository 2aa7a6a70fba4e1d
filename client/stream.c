/* SPDX-License-Identifier: EUPL-1.2
 *
 * See stream.h.
 */
#include "client/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client_state.h"
#include "client/clock.h"

void stream_digest_init(struct stream_digest *digest)
{
    digest->bytes = 0;
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, RELAIS_DIGEST_BYTES);
    memcpy(digest->state, &state, sizeof state);
}

void stream_digest_add(struct stream_digest *digest, uint64_t offset, const void *data, size_t size)
{
    if (offset > digest->bytes || offset + size <= digest->bytes) {
        return;
    }
    size_t known = (size_t)(digest->bytes - offset);
    crypto_generichash_state state;
    memcpy(&state, digest->state, sizeof state);
    (void)crypto_generichash_update(&state, (const unsigned char *)data + known, size - known);
    memcpy(digest->state, &state, sizeof state);
    digest->bytes = offset + size;
}

void stream_digest_end(struct stream_digest *digest, uint8_t out_digest[RELAIS_DIGEST_BYTES])
{
    crypto_generichash_state state;
    memcpy(&state, digest->state, sizeof state);
    (void)crypto_generichash_final(&state, out_digest, RELAIS_DIGEST_BYTES);
}

bool stream_digest_read(struct stream_digest *digest, relais_payload_read_fn read, void *context,
                        uint64_t end)
{
    uint64_t left = end - digest->bytes;
    size_t size = left < STREAM_DIGEST_STEP_BYTES ? (size_t)left : STREAM_DIGEST_STEP_BYTES;
    unsigned char *data = malloc(size > 0 ? size : 1);
    bool fine = data != NULL && read(context, digest->bytes, data, size);
    if (fine) {
        stream_digest_add(digest, digest->bytes, data, size);
    }
    free(data);
    return fine;
}

bool stream_read_fd(void *context, uint64_t offset, void *out, size_t size)
{
    const int fd = *(const int *)context;
    char *at = out;
    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? ENODATA : errno; /* it was longer before */
            return false;
        }
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

bool stream_write_fd(void *context, uint64_t offset, const void *data, size_t size)
{
    const int fd = *(const int *)context;
    const char *at = data;
    while (size > 0) {
        ssize_t put = pwrite(fd, at, size, (off_t)offset);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            errno = put == 0 ? ENOSPC : errno;
            return false;
        }
        at += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return true;
}

void stream_patience_init(struct stream_patience *patience, int timeout_ms)
{
    *patience =
        (struct stream_patience){.timeout_ms = timeout_ms, .active_ms = clock_monotonic_ms()};
}

relais_status stream_work(relais_client *client, struct stream_patience *patience, uint64_t done,
                          bool at_once)
{
    int64_t now_ms = clock_monotonic_ms();
    if (done != patience->done || at_once) {
        patience->done = done;
        patience->active_ms = now_ms;
    }
    if (patience->timeout_ms >= 0 && now_ms - patience->active_ms > patience->timeout_ms) {
        return RELAIS_TIMED_OUT;
    }
    relais_status status =
        client_work(client, at_once ? now_ms : now_ms + STREAM_SLICE_MS, NULL, 0);
    return status == RELAIS_TIMED_OUT ? RELAIS_OK : status;
}
