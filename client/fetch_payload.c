/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais_fetch_payload(): what is there is read for the digest, the rest is fetched, the whole is
 * compared.
 */
#include <errno.h>
#include <string.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/error.h"
#include "client/fetch.h"
#include "program/locale.h"

uint64_t relais_delivery_stored_bytes(const relais_delivery *delivery)
{
    return delivery->stored_bytes;
}

void relais_payload_known(relais_delivery *delivery)
{
    delivery->verified = true;
}

static relais_status check(const relais_delivery *delivery, const relais_payload_sink *sink,
                           relais_error *error)
{
    const relais_client *client = delivery != NULL ? delivery->consumer->client : NULL;
    if (sink == NULL || client == NULL || client->calling || client->fetch != NULL ||
        delivery->answer != ANSWER_NONE) {
        return error_fill(error, RELAIS_USAGE, "delivery", NULL, _("a call outside callbacks"));
    }
    if (delivery->stored_bytes == 0) {
        return error_fill(error, RELAIS_USAGE, "delivery", NULL,
                          _("a delivery whose payload is stored apart"));
    }
    if (sink->have > delivery->stored_bytes) {
        return error_fill_number(error, RELAIS_USAGE, "sink.have", sink->have,
                                 delivery->stored_bytes);
    }
    return RELAIS_OK;
}

/* A lease that ran out while nothing came of it. */
static bool has_gone(const relais_delivery *delivery)
{
    return delivery->generation != delivery->consumer->generation ||
           (delivery->lease_ms > 0 && clock_monotonic_ms() >= delivery->lease_until_ms);
}

static bool go_on(relais_client *client, const struct fetch_job *job)
{
    const relais_payload_sink *sink = &job->sink;
    if (sink->progress == NULL) {
        return true;
    }
    client->calling = true;
    bool on = sink->progress(sink->context, job->got, job->size);
    client->calling = false;
    return on;
}

static relais_status step(relais_client *client, struct fetch_job *job,
                          struct stream_patience *patience, relais_error *error)
{
    bool behind = job->digest.bytes < job->got;
    if (has_gone(job->delivery)) {
        return error_fill(error, RELAIS_LEASE_LOST, NULL, NULL, NULL);
    }
    if (behind && !stream_digest_read(&job->digest, job->read, job->file_context, job->got)) {
        return error_fill_errno(error, "payload", errno);
    }
    relais_status status = stream_work(client, patience, job->got, behind);
    if (status == RELAIS_OK && !go_on(client, job)) {
        status = RELAIS_INTERRUPTED;
    }
    return status == RELAIS_OK ? status : error_fill(error, status, NULL, NULL, NULL);
}

static relais_status compare(struct fetch_job *job, relais_error *error)
{
    uint8_t digest[RELAIS_DIGEST_BYTES];
    stream_digest_end(&job->digest, digest);
    job->delivery->verified = memcmp(digest, job->delivery->digest, sizeof digest) == 0;
    return job->delivery->verified
               ? RELAIS_OK
               : error_fill(error, RELAIS_DIGEST_MISMATCH, "payload", NULL, NULL);
}

relais_status relais_fetch_payload(relais_delivery *delivery, const relais_payload_sink *sink,
                                   int timeout_ms, relais_error *error)
{
    relais_status status = check(delivery, sink, error);
    if (status != RELAIS_OK) {
        return status;
    }
    relais_client *client = delivery->consumer->client;
    struct stream_patience patience;
    struct fetch_job job = {.delivery = delivery,
                            .sink = *sink,
                            .size = delivery->stored_bytes,
                            .asked = sink->have,
                            .got = sink->have};
    job.read = sink->read != NULL ? sink->read : stream_read_fd;
    job.write = sink->write != NULL ? sink->write : stream_write_fd;
    job.file_context = sink->write != NULL ? sink->context : &job.sink.fd;
    stream_digest_init(&job.digest);
    stream_patience_init(&patience, timeout_ms);
    client->fetch = &job;
    while (status == RELAIS_OK && !job.failed && job.digest.bytes < job.size) {
        status = step(client, &job, &patience, error);
    }
    client->fetch = NULL;
    if (job.failed && error != NULL) {
        *error = job.failure;
    }
    status = job.failed ? job.failure.status : status;
    return status == RELAIS_OK ? compare(&job, error) : status;
}
