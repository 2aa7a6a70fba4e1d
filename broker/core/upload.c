/* SPDX-License-Identifier: EUPL-1.2
 *
 * See upload.h. A chunk that is with the store holds its frame in memory: they are counted, of one
 * connection and of all.
 */
#include "core/upload.h"

#include "core/limits.h"
#include "core/note.h"
#include "core/quota.h"
#include "core/reply.h"
#include "core/session.h"
#include "core/upload_rules.h"
#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUSY_RETRY_MS = 200,
    STORE_FULL_RETRY_MS = 5000,
};

_Static_assert((int)LIMIT_CHUNK_BYTES % (int)STORED_SEGMENT_BYTES == 0,
               "a chunk fills the segments that it is stored in");
_Static_assert((int)LIMIT_CHUNK_BYTES == (int)WIRE_CHUNK_BYTES, "docs/protocol.md has one number");
_Static_assert((int)LIMIT_UPLOAD_WINDOW_BYTES >= (int)LIMIT_CHUNK_BYTES, "one chunk must fit");

static struct upload *find(const struct session *session, uint32_t number)
{
    struct upload *upload = session->uploads;
    while (upload && upload->number != number) {
        upload = upload->next;
    }
    return upload;
}

static struct upload *find_serial(const struct session *session, uint64_t serial)
{
    struct upload *upload = session->uploads;
    while (upload && upload->serial != serial) {
        upload = upload->next;
    }
    return upload;
}

/* `reason` NULL: it goes on. */
static void say_state(struct step *step, const struct session *session, uint32_t number,
                      uint64_t durable_bytes, const struct refusal *reason)
{
    Relais__V1__Error error;
    Relais__V1__UploadState state = RELAIS__V1__UPLOAD_STATE__INIT;
    state.upload = number;
    state.durable_bytes = durable_bytes;
    state.chunk_bytes = LIMIT_CHUNK_BYTES;
    state.window_bytes = LIMIT_UPLOAD_WINDOW_BYTES;
    if (reason) {
        refusal_to_error(reason, &error);
        state.reason = &error;
    }
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_UPLOAD_STATE;
    command.upload_state = &state;
    reply_send(step, session->connection, &command);
}

void upload_end(struct session *session, uint64_t serial)
{
    struct upload **link = &session->uploads;
    while (*link && (*link)->serial != serial) {
        link = &(*link)->next;
    }
    struct upload *upload = *link;
    if (upload) {
        *link = upload->next;
        session->upload_count--;
        free(upload);
    }
}

void uploads_fini(struct session *session)
{
    while (session->uploads) {
        upload_end(session, session->uploads->serial);
    }
}

/* Over on this connection; what is on disk stays. */
static void fail(struct step *step, struct session *session, const struct upload *upload,
                 const struct refusal *reason)
{
    say_state(step, session, upload->number, upload->durable_bytes, reason);
    upload_end(session, upload->serial);
}

struct refusal upload_unknown(const char *field)
{
    return (struct refusal){.code = RELAIS__V1__CODE__CODE_UNKNOWN_UPLOAD,
                            .field = field,
                            .wrong = "not begun on this connection, or erased",
                            .right = N_("an upload that was begun")};
}

void upload_begin(struct step *step, struct session *session, const struct directory_client *client,
                  const Relais__V1__Upload *command)
{
    struct refusal refusal = {0};
    if (command->upload == 0 || find(session, command->upload)) {
        /* An error, not UploadState: the one that has the number goes on. */
        refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
                                   .field = "upload.upload",
                                   .wrong = refusal_number(step->effects, command->upload),
                                   .right = "not 0 and not in use on this connection"};
        reply_error(step, session->connection, &refusal);
        return;
    }
    if (!upload_check(step, session, client, command, &refusal)) {
        say_state(step, session, command->upload, 0, &refusal);
        return;
    }
    struct upload *upload = calloc(1, sizeof *upload);
    if (!upload) {
        step->effects->failed = true;
        return;
    }
    upload->number = command->upload;
    upload->serial = ++step->core->next_serial;
    upload->bytes = command->payload_bytes;
    memcpy(upload->id, command->id, strlen(command->id));
    upload->next = session->uploads;
    session->uploads = upload;
    session->upload_count++;
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_UPLOAD, &ticket);
    op->upload.sender = effects_text(step->effects, session->member);
    op->upload.id = effects_text(step->effects, upload->id);
    op->upload.bytes = upload->bytes;
    op->upload.most = LIMIT_UPLOADS_OF_MEMBER;
    op->upload.quota = quota_of(step->core, client->member).bytes;
    if (ticket) {
        ticket->connection = session->connection;
        ticket->number = upload->number;
        ticket->consumer = upload->serial;
        step->core->storing++;
    }
}

/* One connection, one member, all of them. */
static bool check_load(struct step *step, const struct session *session, uint64_t size,
                       struct refusal *out_refusal)
{
    uint64_t most = LIMIT_UPLOADING_BYTES;
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_BUSY,
                                    .field = "chunk",
                                    .wrong = "too many bytes on their way to disk",
                                    .retry_after_ms = BUSY_RETRY_MS};
    if (session->chunk_bytes + size > LIMIT_UPLOAD_WINDOW_BYTES) {
        out_refusal->wrong = "too many bytes without an answer";
        most = LIMIT_UPLOAD_WINDOW_BYTES;
    } else if (session->use->chunk_bytes + size > LIMIT_UPLOADING_OF_MEMBER) {
        out_refusal->wrong = "too many bytes of the member on their way to disk";
        most = LIMIT_UPLOADING_OF_MEMBER;
    } else if (step->core->chunk_bytes + size <= LIMIT_UPLOADING_BYTES) {
        return true;
    }
    out_refusal->right = refusal_number(step->effects, most);
    return false;
}

/* What of a chunk can be wrong without the connection being at an end. */
static bool check_chunk(struct step *step, const struct session *session,
                        const struct upload *upload, uint64_t offset, uint64_t size,
                        struct refusal *out_refusal)
{
    uint64_t left = upload->bytes - upload->next_offset;
    uint64_t due = left < LIMIT_CHUNK_BYTES ? left : LIMIT_CHUNK_BYTES;
    struct effects *effects = step->effects;
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID};
    if (!upload->open || offset != upload->next_offset || left == 0) {
        out_refusal->field = "chunk.offset";
        out_refusal->wrong = refusal_number(effects, offset);
        out_refusal->right = upload->open ? refusal_number(effects, upload->next_offset)
                                          : "chunks behind the first upload_state";
        return false;
    }
    if (size != due) {
        out_refusal->field = "chunk body";
        out_refusal->wrong = refusal_number(effects, size);
        out_refusal->right = refusal_number(effects, due);
        return false;
    }
    return check_load(step, session, size, out_refusal);
}

static void store_chunk(struct step *step, struct session *session, struct upload *upload,
                        const struct event *event)
{
    struct bytes body = event->frames.frames[1];
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_CHUNK, &ticket);
    op->chunk.sender = effects_text(step->effects, session->member);
    op->chunk.id = effects_text(step->effects, upload->id);
    op->chunk.offset = upload->next_offset;
    op->chunk.message.payload = body;
    op->chunk.message.payload_buffer = buffer_ref(event->frames.buffers[1]);
    if (ticket) {
        ticket->connection = session->connection;
        ticket->number = upload->number;
        ticket->consumer = upload->serial;
        ticket->bytes = body.size;
        ticket->offset = upload->next_offset;
        step->core->storing++;
        step->core->chunk_bytes += body.size;
        session->chunk_bytes += body.size;
        ticket->use = session->use;
        ticket->use->chunk_bytes += body.size;
        upload->next_offset += body.size;
    }
}

bool upload_chunk(struct step *step, struct session *session, const struct event *event,
                  const Relais__V1__Chunk *command, struct refusal *out_refusal)
{
    struct upload *upload = find(session, command->upload);
    struct refusal refusal = {0};
    if (event->frames.frame_count != 2) {
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_MALFORMED,
                                        .field = "chunk",
                                        .wrong = "none or several frames",
                                        .right = "one frame behind the command"};
        return false;
    }
    if (!upload) {
        refusal = upload_unknown("chunk.upload");
        say_state(step, session, command->upload, 0, &refusal);
    } else if (step->core->draining) {
        /* Else chunks would keep the broker from its end for as long as they come. */
        refusal = session_draining();
        fail(step, session, upload, &refusal);
    } else if (check_chunk(step, session, upload, command->offset, event->frames.frames[1].size,
                           &refusal)) {
        store_chunk(step, session, upload, event);
    } else {
        fail(step, session, upload, &refusal);
    }
    return true;
}

const struct upload *upload_whole(struct step *step, const struct session *session, uint32_t number,
                                  struct refusal *out_refusal)
{
    const struct upload *upload = find(session, number);
    if (!upload) {
        *out_refusal = upload_unknown("");
        out_refusal->wrong = refusal_number(step->effects, number);
        return NULL;
    }
    if (upload->open && upload->durable_bytes == upload->bytes) {
        return upload;
    }
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_INCOMPLETE,
                                    .wrong = refusal_number(step->effects, upload->durable_bytes),
                                    .right = refusal_number(step->effects, upload->bytes)};
    return NULL;
}

/* Why the store did not take it. */
static struct refusal why(struct step *step, const struct ticket *ticket, enum store_status status)
{
    bool begins = ticket->kind == STORE_UPLOAD;
    switch (status) {
    case STORE_NO_ROOM:
        return (struct refusal){.code = RELAIS__V1__CODE__CODE_STORE_FULL,
                                .field = begins ? "upload.payload_bytes" : "chunk",
                                .wrong = "the broker's store is full",
                                .right = N_("the same again later"),
                                .retry_after_ms = STORE_FULL_RETRY_MS};
    case STORE_OVER_QUOTA:
        return (struct refusal){.code = RELAIS__V1__CODE__CODE_OVER_QUOTA,
                                .field = "quota.bytes",
                                .wrong = "with this and other unfinished uploads",
                                .right = N_("the same again later"),
                                .retry_after_ms = STORE_FULL_RETRY_MS};
    case STORE_TOO_MANY:
        return (struct refusal){.code = RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED,
                                .field = "unfinished uploads of the member",
                                .wrong = refusal_number(step->effects, LIMIT_UPLOADS_OF_MEMBER + 1),
                                .right = refusal_number(step->effects, LIMIT_UPLOADS_OF_MEMBER)};
    default:
        return upload_unknown("chunk.upload");
    }
}

static bool is_good(const struct ticket *ticket, const struct store_result *result)
{
    return result->status == STORE_DONE &&
           (ticket->kind == STORE_UPLOAD ||
            result->upload.durable_bytes >= ticket->offset + ticket->bytes);
}

static void advance(const struct ticket *ticket, const struct store_result *result,
                    struct upload *upload)
{
    upload->dirty = true;
    if (ticket->kind == STORE_UPLOAD) {
        upload->open = true;
        upload->durable_bytes = result->upload.durable_bytes;
        upload->next_offset = upload->durable_bytes;
    } else if (upload->durable_bytes < ticket->offset + ticket->bytes) {
        upload->durable_bytes = ticket->offset + ticket->bytes;
    }
}

void upload_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    struct session *session = session_find(step->core, ticket->connection);
    step->core->storing--;
    step->core->chunk_bytes -= ticket->bytes;
    if (ticket->use) {
        ticket->use->chunk_bytes -= ticket->bytes;
    }
    if (!session) {
        return;
    }
    session->chunk_bytes -= ticket->bytes;
    struct upload *upload = session->over ? NULL : find_serial(session, ticket->consumer);
    if (!upload) {
        return;
    }
    if (is_good(ticket, result)) {
        advance(ticket, result, upload);
        session_touch(step->core, session);
        return;
    }
    struct refusal refusal = why(step, ticket, result->status);
    fail(step, session, upload, &refusal);
    struct effect *effect = note(step->effects, NOTE_WARNING, "upload.refused");
    note_number(effect, "connection", session->connection);
    note_text(step->effects, effect, "member", session->member);
    note_text(step->effects, effect, "code", refusal_code_name(refusal.code));
}

void uploads_flush(struct step *step, struct session *session)
{
    for (struct upload *upload = session->uploads; upload; upload = upload->next) {
        if (upload->dirty) {
            upload->dirty = false;
            say_state(step, session, upload->number, upload->durable_bytes, NULL);
        }
    }
}
