/* SPDX-License-Identifier: EUPL-1.2
 *
 * See upload.h.
 */
#include "client/upload.h"

#include <errno.h>
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"

enum {
    AGAIN_MS = 200,                     /* where the broker names no time */
    CHUNK_BYTES_MAX = 16 * 1024 * 1024, /* far beyond what brokers ask for: one is in memory */
};

bool upload_is_whole(const relais_client *client, const struct upload_job *job)
{
    return job->open && job->begun_at == client->connection.welcomes &&
           job->durable_bytes == job->source.size;
}

void upload_begin_again(relais_client *client, int64_t due_ms)
{
    struct upload_job *job = client->upload;
    if (job != NULL) {
        job->begun_at = 0;
        job->open = false;
        job->due_ms = due_ms;
    }
}

static void fail(relais_client *client, struct upload_job *job)
{
    job->failed = true;
    job->open = false;
    client->happened = true;
}

void upload_unknown_command(relais_client *client, const Relais__V1__Error *said)
{
    struct upload_job *job = client->upload;
    if (job != NULL && !job->open) {
        (void)error_from_wire(&job->failure, said);
        fail(client, job);
    }
}

static void say_upload(relais_client *client, struct upload_job *job)
{
    Relais__V1__Upload upload = RELAIS__V1__UPLOAD__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    upload.upload = ++client->last_upload;
    upload.id = (char *)(uintptr_t)job->id;
    upload.flow = (char *)(uintptr_t)job->flow;
    upload.payload_bytes = job->source.size;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_UPLOAD;
    command.upload = &upload;
    if (client_say(client, &command, NULL, 0)) {
        job->number = upload.upload;
        job->begun_at = client->connection.welcomes;
        job->open = false;
    }
}

/* Reads the next chunk into a frame. */
static bool read_chunk(relais_client *client, struct upload_job *job, size_t size,
                       zmq_msg_t *out_frame)
{
    if (zmq_msg_init_size(out_frame, size) != 0) {
        (void)error_fill(&job->failure, RELAIS_NO_MEMORY, NULL, NULL, NULL);
        fail(client, job);
        return false;
    }
    client->calling = true;
    bool fine = job->read(job->read_context, job->next_offset, zmq_msg_data(out_frame), size);
    client->calling = false;
    if (!fine) {
        (void)error_fill_errno(&job->failure, "payload", errno);
        (void)zmq_msg_close(out_frame);
        fail(client, job);
    }
    return fine;
}

/* False: no more now. */
static bool send_chunk(relais_client *client, struct upload_job *job, size_t size)
{
    zmq_msg_t frame;
    Relais__V1__Chunk chunk = RELAIS__V1__CHUNK__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    if (client->connection.blocked || !read_chunk(client, job, size, &frame)) {
        return false;
    }
    stream_digest_add(&job->digest, job->next_offset, zmq_msg_data(&frame), size);
    chunk.upload = job->number;
    chunk.offset = job->next_offset;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CHUNK;
    command.chunk = &chunk;
    bool sent = client_say(client, &command, &frame, 1);
    (void)zmq_msg_close(&frame);
    job->next_offset += sent ? size : 0;
    return sent;
}

static void send_chunks(relais_client *client, struct upload_job *job)
{
    bool more = true;
    while (more && job->open && job->next_offset < job->source.size &&
           job->digest.bytes >= job->next_offset) {
        uint64_t left = job->source.size - job->next_offset;
        size_t size = left < job->chunk_bytes ? (size_t)left : job->chunk_bytes;
        uint64_t under_way = job->next_offset - job->durable_bytes;
        more = (under_way == 0 || under_way + size <= job->window_bytes) &&
               send_chunk(client, job, size);
    }
}

void upload_flush(relais_client *client, int64_t now_ms)
{
    struct upload_job *job = client->upload;
    if (job == NULL || job->failed) {
        return;
    }
    if (job->begun_at == client->connection.welcomes) {
        send_chunks(client, job);
    } else if (now_ms >= job->due_ms) {
        say_upload(client, job);
    }
}

/* Over on this connection. */
static void ended(relais_client *client, struct upload_job *job, const Relais__V1__Error *reason,
                  int64_t now_ms)
{
    relais_error error;
    (void)error_from_wire(&error, reason);
    if (error.retry_after_ms > 0 || error.status == RELAIS_UNKNOWN_UPLOAD) {
        upload_begin_again(client,
                           now_ms + (error.retry_after_ms > 0 ? error.retry_after_ms : AGAIN_MS));
        return;
    }
    job->failure = error;
    fail(client, job);
}

bool upload_state(relais_client *client, const Relais__V1__UploadState *state, int64_t now_ms)
{
    struct upload_job *job = client->upload;
    if (job == NULL || state->upload != job->number ||
        job->begun_at != client->connection.welcomes) {
        return true; /* of one that is over */
    }
    if (state->reason != NULL) {
        ended(client, job, state->reason, now_ms);
        return true;
    }
    uint64_t most = job->open ? job->next_offset : job->source.size;
    uint64_t least = job->open ? job->durable_bytes : 0;
    if (state->chunk_bytes == 0 || state->chunk_bytes > CHUNK_BYTES_MAX ||
        state->durable_bytes < least || state->durable_bytes > most) {
        return false;
    }
    if (!job->open) {
        job->open = true;
        job->next_offset = state->durable_bytes;
        job->chunk_bytes = state->chunk_bytes;
        job->window_bytes = state->window_bytes;
    }
    job->durable_bytes = state->durable_bytes;
    client->happened = true;
    if (job->pending != NULL && upload_is_whole(client, job)) {
        sender_wake_stored(&client->sender, job->pending, job->number);
    }
    return true;
}
