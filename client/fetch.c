/* SPDX-License-Identifier: EUPL-1.2
 *
 * See fetch.h.
 */
#include "client/fetch.h"

#include <errno.h>
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "wire/codec.h"

enum {
    FETCH_WINDOW_BYTES = 4 * WIRE_CHUNK_BYTES,
    AGAIN_MS = 100,
};

static bool is_held(const relais_delivery *delivery)
{
    return delivery->generation == delivery->consumer->generation;
}

static void fail(relais_client *client, struct fetch_job *job)
{
    job->failed = true;
    client->happened = true;
}

/* The broker grants the lease anew, also of what it sent behind and nobody has looked at. */
static void renew(struct fetch_job *job, int64_t now_ms)
{
    relais_delivery *fetched = job->delivery;
    for (relais_delivery *one = fetched->consumer->ready.first; one != NULL; one = one->next) {
        if (one->lease_until_ms > now_ms && one->lease_until_ms < now_ms + one->lease_ms) {
            one->lease_until_ms = now_ms + one->lease_ms;
        }
    }
    if (fetched->lease_until_ms < now_ms + fetched->lease_ms) {
        fetched->lease_until_ms = now_ms + fetched->lease_ms;
    }
}

static bool say_fetch(relais_client *client, struct fetch_job *job, size_t size)
{
    Relais__V1__Fetch fetch = RELAIS__V1__FETCH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    fetch.consumer = job->delivery->consumer->number;
    fetch.tag = job->delivery->tag;
    fetch.offset = job->asked;
    fetch.bytes = (uint32_t)size;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_FETCH;
    command.fetch = &fetch;
    return client_say(client, &command, NULL, 0);
}

void fetch_flush(relais_client *client, int64_t now_ms)
{
    struct fetch_job *job = client->fetch;
    if (job == NULL || job->failed || now_ms < job->due_ms || !is_held(job->delivery) ||
        job->digest.bytes < job->got) {
        return;
    }
    while (job->asked < job->size && job->asked - job->got < FETCH_WINDOW_BYTES) {
        uint64_t left = job->size - job->asked;
        size_t size = left < WIRE_CHUNK_BYTES ? (size_t)left : WIRE_CHUNK_BYTES;
        if (!say_fetch(client, job, size)) {
            return;
        }
        job->asked += size;
        renew(job, now_ms);
    }
}

static void refused(relais_client *client, struct fetch_job *job, const Relais__V1__Error *reason,
                    int64_t now_ms)
{
    relais_error error;
    (void)error_from_wire(&error, reason);
    if (error.retry_after_ms > 0) {
        job->asked = job->got;
        job->due_ms = now_ms + (error.retry_after_ms > AGAIN_MS ? error.retry_after_ms : AGAIN_MS);
        return;
    }
    if (error.status == RELAIS_UNKNOWN_DELIVERY || error.status == RELAIS_UNKNOWN_CONSUMER) {
        (void)error_fill(&error, RELAIS_LEASE_LOST, NULL, NULL, NULL);
    }
    job->failure = error;
    fail(client, job);
}

static void keep(relais_client *client, struct fetch_job *job, struct bytes data)
{
    client->calling = true;
    bool fine = job->write(job->file_context, job->got, data.data, data.size);
    client->calling = false;
    if (!fine) {
        (void)error_fill_errno(&job->failure, "payload", errno);
        fail(client, job);
        return;
    }
    stream_digest_add(&job->digest, job->got, data.data, data.size);
    job->got += data.size;
    client->happened = true;
}

bool fetch_answered(relais_client *client, const Relais__V1__Fetched *fetched,
                    const struct frames_in *in, int64_t now_ms)
{
    struct fetch_job *job = client->fetch;
    if (job == NULL || job->failed || !is_held(job->delivery) ||
        fetched->consumer != job->delivery->consumer->number ||
        fetched->tag != job->delivery->tag) {
        return true; /* nobody waits for it any more */
    }
    if (fetched->reason != NULL) {
        refused(client, job, fetched->reason, now_ms);
        return true;
    }
    uint64_t left = job->size - job->got;
    size_t size = left < WIRE_CHUNK_BYTES ? (size_t)left : WIRE_CHUNK_BYTES;
    if (fetched->offset != job->got) {
        return true; /* asked for before the broker was busy, and again since */
    }
    if (in->count != 2 || in->bytes[1].size != size || job->asked < job->got + size) {
        return false;
    }
    keep(client, job, in->bytes[1]);
    return true;
}
