/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais_send_payload(): an upload, then its message, until it is accepted.
 */
#include <errno.h>

#include "client/client_state.h"
#include "client/envelope.h"
#include "client/error.h"
#include "client/sealing.h"
#include "client/upload.h"
#include "program/locale.h"

struct sending {
    struct upload_job job;
    relais_client *client;
    const relais_message *message;
    struct stream_patience patience;
    relais_error outcome;
    bool told;
};

static void note_outcome(void *context, const relais_outcome *outcome)
{
    struct sending *sending = context;
    sending->told = true;
    sending->outcome = outcome->error;
    sending->job.pending = NULL;
}

static relais_status check(const relais_client *client, const relais_message *message,
                           const relais_payload_source *source, relais_error *error)
{
    if (client == NULL || message == NULL || source == NULL || client->calling ||
        client->upload != NULL) {
        return error_fill(error, RELAIS_USAGE, "message", NULL, _("a call outside callbacks"));
    }
    if (message->payload.size > 0) {
        return error_fill(error, RELAIS_USAGE, "payload", NULL, _("nothing beside a source"));
    }
    if (source->size == 0) {
        return error_fill(error, RELAIS_USAGE, "source.size", NULL, _("at least one byte"));
    }
    if (message->id == NULL) {
        return error_fill(error, RELAIS_FIELD_MISSING, "id", NULL,
                          _("an id that the same message has when it is sent again"));
    }
    if (sealing_covers(client->sealing, message->flow)) { /* before a byte of it leaves */
        return error_fill(error, RELAIS_NOT_SEALED, "payload", _("in chunks"),
                          _("a payload that travels whole: larger ones cannot be sealed yet"));
    }
    return envelope_check(message, error);
}

/* What the broker's welcome says of it. */
static relais_status check_limit(const relais_client *client, uint64_t size, relais_error *error)
{
    uint64_t most = client->connection.limits.stored_bytes;
    return size <= most
               ? RELAIS_OK
               : error_fill_number(error, RELAIS_TOO_LARGE, "payload", size,
                                   most > 0 ? most : client->connection.limits.payload_bytes);
}

/* The digest catches up with what is on the broker's disk already. */
static bool must_catch_up(const struct upload_job *job)
{
    return job->open && job->digest.bytes < job->next_offset;
}

static relais_status catch_up(struct upload_job *job, relais_error *error)
{
    return stream_digest_read(&job->digest, job->read, job->read_context, job->next_offset)
               ? RELAIS_OK
               : error_fill_errno(error, "payload", errno);
}

static relais_status submit(struct sending *sending, relais_error *error)
{
    struct upload_job *job = &sending->job;
    struct stream_digest digest = job->digest;
    struct stored_payload stored = {
        .size = job->source.size, .upload = job->number, .done = note_outcome, .context = sending};
    stream_digest_end(&digest, stored.digest);
    relais_status status =
        sender_add_stored(sending->client, sending->message, &stored, &job->pending, error);
    return status == RELAIS_WINDOW_FULL ? RELAIS_OK : status; /* again at the next turn */
}

static bool go_on(relais_client *client, const struct upload_job *job)
{
    const relais_payload_source *source = &job->source;
    if (source->progress == NULL) {
        return true;
    }
    client->calling = true;
    bool on = source->progress(source->context, job->durable_bytes, source->size);
    client->calling = false;
    return on;
}

/* One turn. RELAIS_OK: go on, or it is done. */
static relais_status step(struct sending *sending, relais_error *error)
{
    struct upload_job *job = &sending->job;
    bool behind = must_catch_up(job);
    relais_status status = behind ? catch_up(job, error) : RELAIS_OK;
    if (status == RELAIS_OK && !behind && job->pending == NULL &&
        upload_is_whole(sending->client, job)) {
        status = submit(sending, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    status = stream_work(sending->client, &sending->patience, job->durable_bytes, behind);
    if (status == RELAIS_OK && !go_on(sending->client, job)) {
        status = RELAIS_INTERRUPTED;
    }
    return status == RELAIS_OK || sending->told ? RELAIS_OK
                                                : error_fill(error, status, NULL, NULL, NULL);
}

static relais_status run(struct sending *sending, relais_error *error)
{
    struct upload_job *job = &sending->job;
    relais_client *client = sending->client;
    relais_status status = RELAIS_OK;
    while (status == RELAIS_OK && !sending->told && !job->failed) {
        if (client->connection.phase == CONNECTION_READY) {
            status = check_limit(client, job->source.size, error);
        }
        status = status == RELAIS_OK ? step(sending, error) : status;
    }
    if (status != RELAIS_OK) {
        relais_status known =
            job->pending != NULL ? sender_give_up(client, job->pending) : RELAIS_OK;
        return known != RELAIS_OK ? sender_fill_refusal(error, known) : status;
    }
    const relais_error *said = sending->told ? &sending->outcome : &job->failure;
    if (error != NULL) {
        *error = *said;
    }
    if (!sending->told && job->pending != NULL) {
        (void)sender_give_up(client, job->pending);
    }
    return said->status;
}

relais_status relais_send_payload(relais_client *client, const relais_message *message,
                                  const relais_payload_source *source, int timeout_ms,
                                  relais_error *error)
{
    relais_status status = check(client, message, source, error);
    if (status != RELAIS_OK) {
        return status;
    }
    struct sending sending = {.client = client, .message = message};
    struct upload_job *job = &sending.job;
    job->source = *source;
    job->id = message->id;
    job->flow = message->flow;
    job->read = source->read != NULL ? source->read : stream_read_fd;
    job->read_context = source->read != NULL ? source->context : &job->source.fd;
    stream_digest_init(&job->digest);
    stream_patience_init(&sending.patience, timeout_ms);
    client->upload = job;
    status = run(&sending, error);
    client->upload = NULL;
    return status;
}
