/* SPDX-License-Identifier: EUPL-1.2
 *
 * See submit.h.
 */
#include "core/submit.h"

#include "core/envelope_rules.h"
#include "core/expiry.h"
#include "core/handover.h"
#include "core/known.h"
#include "core/limits.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/order.h"
#include "core/pace.h"
#include "core/quota.h"
#include "core/recipients.h"
#include "core/remind.h"
#include "core/reply.h"
#include "core/session.h"
#include "core/supersede.h"
#include "core/upload.h"
#include "wire/body.h"
#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUSY_RETRY_MS = 200,  /* some commits later */
    OVERHEAD_BYTES = 512, /* what an empty message costs while it is on its way to disk */
    CODE_BITS = 32,
    FULL_NOTE_MS = 60000,
};

/* One submit on its way. */
struct submission {
    struct step *step;
    struct session *session;
    const struct directory_client *client;
    const struct event *event;
    struct body_reader body;
    struct reply_refused refused;
    struct quota quota;
    uint64_t taken_bytes; /* of the messages that went to the store */
};

/* One message of it. */
struct piece {
    size_t part;
    struct bytes envelope, payload;
    size_t envelope_frame, payload_frame;
    uint64_t cost;
    const char *id;              /* of one that is refused, but may have been accepted; or NULL */
    const struct upload *upload; /* that holds its payload; NULL: it is in the body */
};

static bool broken(struct refusal *out_refusal, const char *field, const char *wrong,
                   const char *right)
{
    *out_refusal = (struct refusal){
        .code = RELAIS__V1__CODE__CODE_MALFORMED, .field = field, .wrong = wrong, .right = right};
    return false;
}

static bool next_piece(struct body_reader *body, const Relais__V1__Part *part,
                       struct piece *out_piece)
{
    return body_reader_next(body, part->envelope_bytes, &out_piece->envelope,
                            &out_piece->envelope_frame) &&
           body_reader_next(body, part->payload_bytes, &out_piece->payload,
                            &out_piece->payload_frame);
}

static void body_begin(const struct event *event, struct body_reader *out_body)
{
    body_reader_init(out_body, event->frames.frames + 1, event->frames.frame_count - 1);
}

/* The whole before any of it: a body that does not fit harms no message. */
static bool check_shape(struct step *step, const struct session *session, const struct event *event,
                        const Relais__V1__Submit *submit, struct refusal *out_refusal)
{
    struct body_reader body;
    struct piece piece = {0};
    uint64_t bytes = 0;
    if (submit->first_number != session->next_number) {
        broken(out_refusal, "submit.first_number",
               refusal_number(step->effects, submit->first_number),
               refusal_number(step->effects, session->next_number));
        out_refusal->code = RELAIS__V1__CODE__CODE_FIELD_INVALID;
        return false;
    }
    if (submit->n_parts == 0 || submit->n_parts > WIRE_BATCH_MESSAGES) {
        return broken(out_refusal, "submit.parts", refusal_number(step->effects, submit->n_parts),
                      "1 to 1024 messages");
    }
    body_begin(event, &body);
    for (size_t i = 0; i < submit->n_parts; i++) {
        if (!next_piece(&body, submit->parts[i], &piece)) {
            return broken(out_refusal, envelope_part_field(step->effects, i, ""), "not in the body",
                          "envelope and payload, each within one frame");
        }
        bytes += (uint64_t)piece.envelope.size + piece.payload.size;
    }
    if (!body_reader_done(&body)) {
        return broken(out_refusal, "submit.parts", "bytes left over", "parts for all of the body");
    }
    if (submit->n_parts > 1 && bytes > LIMIT_BATCH_BYTES) {
        return broken(out_refusal, "submit.parts", refusal_number(step->effects, bytes),
                      refusal_number(step->effects, LIMIT_BATCH_BYTES));
    }
    return true;
}

static bool busy(const struct submission *submission, size_t part, const char *wrong,
                 uint64_t right, struct refusal *out_refusal)
{
    struct effects *effects = submission->step->effects;
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_BUSY,
                                    .field = envelope_part_field(effects, part, ""),
                                    .wrong = wrong,
                                    .right = refusal_number(effects, right),
                                    .retry_after_ms = BUSY_RETRY_MS};
    return false;
}

/* Back-pressure in messages and bytes. */
static bool check_load(const struct submission *submission, const struct piece *piece,
                       struct refusal *out_refusal)
{
    const struct core *core = submission->step->core;
    const struct session *session = submission->session;
    if (session->window_messages >= LIMIT_WINDOW_MESSAGES) {
        return busy(submission, piece->part, "too many messages without an answer",
                    LIMIT_WINDOW_MESSAGES, out_refusal);
    }
    if (session->window_messages > 0 && session->window_bytes + piece->cost > LIMIT_WINDOW_BYTES) {
        return busy(submission, piece->part, "too many bytes without an answer", LIMIT_WINDOW_BYTES,
                    out_refusal);
    }
    if (!quota_storing_allows(core, session->use, piece->cost)) {
        return busy(submission, piece->part, "too many bytes on their way to disk",
                    core->settings.storing_bytes, out_refusal);
    }
    return true;
}

/* What is checked before a byte of the envelope is looked at. */
static bool check_admission(const struct submission *submission, const struct piece *piece,
                            struct refusal *out_refusal)
{
    const struct core *core = submission->step->core;
    if ((submission->client->roles & ROLE_MAY_SEND) == 0) {
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_ROLE_MISSING,
                                        .field = "client.roles",
                                        .wrong = "without send",
                                        .right = N_("a client with the role send")};
        return false;
    }
    if (core->draining) {
        *out_refusal = session_draining();
        return false;
    }
    return check_load(submission, piece, out_refusal) &&
           quota_pass(submission->step, submission->session->use, &submission->quota, out_refusal);
}

/* Subscribers may be many: what they cost counts as bytes on their way to disk. */
static bool check_fan_out(const struct submission *submission, struct piece *piece,
                          const Relais__V1__Envelope *envelope, struct refusal *out_refusal)
{
    const struct directory *directory = submission->step->core->directory;
    uint64_t cost = recipients_cost(directory, directory_flow(directory, envelope->flow), envelope);
    if (cost == 0) {
        return true;
    }
    piece->cost += cost;
    if (!check_load(submission, piece, out_refusal)) {
        quota_return(submission->session->use, &submission->quota);
        return false;
    }
    return true;
}

/* What it would take of the store, whatever else its sender has there. */
static bool check_quota(const struct submission *submission, const struct piece *piece,
                        const Relais__V1__Envelope *envelope, struct refusal *out_refusal)
{
    const struct directory *directory = submission->step->core->directory;
    uint32_t count = recipients_of(directory, directory_flow(directory, envelope->flow), envelope);
    uint64_t bytes = (uint64_t)piece->envelope.size + piece->payload.size +
                     (piece->upload ? piece->upload->bytes : 0) +
                     (uint64_t)count * STORED_RECIPIENT_BYTES;
    return quota_fits(submission->step, submission->session->use, &submission->quota, bytes,
                      out_refusal);
}

/* Answers wait in a private mailbox for a client that asked: more than it can have asked for are
 * not that, whoever sends them. */
static bool check_private(const struct submission *submission, const struct piece *piece,
                          const Relais__V1__Envelope *envelope, struct refusal *out_refusal)
{
    for (size_t i = 0; i < envelope->n_to; i++) {
        const struct mailbox *mailbox = mailbox_known(submission->step->core, envelope->to[i]);
        if (mailbox && mailbox_is_crammed(mailbox)) {
            quota_return(submission->session->use, &submission->quota);
            return busy(submission, piece->part, "too much waits in a private mailbox",
                        LIMIT_PRIVATE_WAITING, out_refusal);
        }
    }
    return true;
}

static bool check_sizes(const struct submission *submission, const struct piece *piece,
                        struct refusal *out_refusal)
{
    struct effects *effects = submission->step->effects;
    uint32_t most = submission->step->core->settings.payload_bytes;
    bool envelope = piece->envelope.size > WIRE_ENVELOPE_BYTES;
    if (!envelope && piece->payload.size <= most) {
        return true;
    }
    *out_refusal = (struct refusal){
        .code = RELAIS__V1__CODE__CODE_TOO_LARGE,
        .field = envelope_part_field(effects, piece->part,
                                     envelope ? ".envelope_bytes" : ".payload_bytes"),
        .wrong = refusal_number(effects, envelope ? piece->envelope.size : piece->payload.size),
        .right = refusal_number(effects, envelope ? WIRE_ENVELOPE_BYTES : most),
    };
    return false;
}

/* The upload that a part names. */
static bool find_upload(const struct submission *submission, const Relais__V1__Part *part,
                        struct piece *piece, struct refusal *out_refusal)
{
    struct effects *effects = submission->step->effects;
    if (part->upload == 0) {
        return true;
    }
    if (part->payload_bytes > 0) {
        *out_refusal = (struct refusal){
            .code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
            .field = envelope_part_field(effects, piece->part, ".payload_bytes"),
            .wrong = refusal_number(effects, part->payload_bytes),
            .right = "0 beside an upload",
        };
        return false;
    }
    piece->upload = upload_whole(submission->step, submission->session, part->upload, out_refusal);
    if (!piece->upload) {
        out_refusal->field = envelope_part_field(effects, piece->part, ".upload");
    }
    return piece->upload != NULL;
}

/* An upload belongs to the id that it was begun for. */
static bool check_upload_id(const struct submission *submission, const struct piece *piece,
                            const Relais__V1__Envelope *envelope, struct refusal *out_refusal)
{
    struct effects *effects = submission->step->effects;
    if (!piece->upload || strcmp(piece->upload->id, envelope->id) == 0) {
        return true;
    }
    *out_refusal = (struct refusal){
        .code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
        .field = envelope_part_field(effects, piece->part, ".envelope.id"),
        .wrong = refusal_wrong(effects, envelope->id),
        .right = effects_text(effects, piece->upload->id),
    };
    return false;
}

/* NULL: *out_refusal says why. The envelope lives until the next one is read. */
static const Relais__V1__Envelope *read_envelope(const struct submission *submission,
                                                 struct piece *piece, struct refusal *out_refusal)
{
    struct effects *effects = submission->step->effects;
    struct wire_arena *arena = &submission->step->core->envelope_arena;
    struct wire_fault fault = {0};
    wire_arena_reset(arena);
    Relais__V1__Envelope *envelope = wire_unpack_envelope(piece->envelope, arena, &fault);
    if (!envelope && arena->starved) {
        busy(submission, piece->part, "no memory", 0, out_refusal);
        return NULL;
    }
    if (!envelope) {
        const char *tail =
            refusal_join(effects, ".envelope", fault.field[0] ? "." : "", fault.field);
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
                                        .field = envelope_part_field(effects, piece->part, tail),
                                        .wrong = fault.what,
                                        .right = "a packed relais.v1.Envelope"};
        return NULL;
    }
    struct envelope_subject subject = {.step = submission->step,
                                       .client = submission->client,
                                       .part = piece->part,
                                       .payload_bytes = piece->upload ? piece->upload->bytes
                                                                      : piece->payload.size,
                                       .stored = piece->upload != NULL,
                                       .envelope = envelope};
    if (envelope_check(&subject, out_refusal)) {
        return envelope;
    }
    piece->id = known_may_be(out_refusal->code) ? envelope->id : NULL;
    return NULL;
}

static struct held_message hold(const struct event *event, const struct piece *piece)
{
    struct buffer *const *buffers = event->frames.buffers + 1;
    struct held_message message = {.envelope = piece->envelope};
    message.envelope_buffer = buffer_ref(buffers[piece->envelope_frame]);
    if (piece->payload.size > 0) {
        message.payload = piece->payload;
        message.payload_buffer = buffer_ref(buffers[piece->payload_frame]);
    }
    return message;
}

static void trace_submitted(const struct submission *submission, const struct ticket *ticket,
                            const Relais__V1__Envelope *envelope)
{
    struct effects *effects = submission->step->effects;
    if (submission->step->core->settings.trace) {
        struct effect *effect = note(effects, NOTE_DEBUG, "message.submitted");
        note_text(effects, effect, "id", envelope->id);
        note_text(effects, effect, "member", submission->session->member);
        note_text(effects, effect, "flow", envelope->flow);
        note_number(effect, "bytes", ticket->bytes);
        note_number(effect, "connection", ticket->connection);
        note_number(effect, "number", ticket->number);
    }
}

static void trace_accepted(struct step *step, const struct ticket *ticket,
                           const struct store_result *result)
{
    if (step->core->settings.trace) {
        struct effect *effect = note(step->effects, NOTE_DEBUG, "message.accepted");
        note_number(effect, "connection", ticket->connection);
        note_number(effect, "number", ticket->number);
        note_number(effect, "sequence", result->append.sequence);
        note_number(effect, "known", result->append.duplicate ? 1 : 0);
    }
}

static void count_in(struct submission *submission, struct ticket *ticket,
                     const struct piece *piece)
{
    ticket->connection = submission->session->connection;
    ticket->number = submission->session->next_number + piece->part;
    ticket->bytes = (uint64_t)piece->envelope.size + piece->payload.size;
    ticket->cost = piece->cost;
    if (piece->upload) {
        ticket->stored_bytes = piece->upload->bytes;
        ticket->consumer = piece->upload->serial;
    }
    ticket->use = submission->session->use;
    quota_storing_begins(submission->step->core, submission->session, ticket);
    submission->taken_bytes += ticket->bytes;
}

/* To the store. False without memory: *out_refusal says so. */
static bool append(struct submission *submission, const struct piece *piece,
                   const Relais__V1__Envelope *envelope, struct refusal *out_refusal)
{
    struct step *step = submission->step;
    struct recipients recipients = {0};
    int64_t due_ms = envelope->not_before_ms > step->now.wall_ms ? envelope->not_before_ms : 0;
    if (!recipients_find(step, envelope, &recipients)) {
        return busy(submission, piece->part, "no memory", 0, out_refusal);
    }
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_APPEND, &ticket);
    op->append.sender =
        effects_text(step->effects, directory_member_slug(submission->client->member));
    op->append.id = effects_text(step->effects, envelope->id);
    op->append.message = hold(submission->event, piece);
    op->append.recipients = recipients_lay(step, envelope, &recipients, due_ms);
    op->append.recipient_count = recipients.count;
    op->append.expires_ms = envelope->expires_at_ms;
    op->append.flow = directory_flow_hash(envelope->flow);
    op->append.quota = (struct store_usage){.messages = submission->quota.messages,
                                            .bytes = submission->quota.bytes};
    op->append.order = order_of(op->append.sender, envelope->ordering_key);
    op->append.stored_bytes = piece->upload ? piece->upload->bytes : 0;
    op->append.lane = recipients_lane(envelope);
    op->append.due_ms = due_ms;
    op->append.deadline = remind_lay(step, op->append.sender, envelope, due_ms);
    if (envelope->supersedes[0] != '\0') {
        op->append.supersedes = effects_text(step->effects, envelope->supersedes);
    }
    if (!ticket) {
        free(recipients.many);
        return true; /* effects->failed is set */
    }
    ticket->mailbox = recipients.one;
    ticket->mailboxes = recipients.many;
    ticket->mailbox_count = recipients.count;
    ticket->due_ms = due_ms;
    count_in(submission, ticket, piece);
    handover_ask(step, ticket, op);
    expiry_expect(step->core, op->append.expires_ms);
    trace_submitted(submission, ticket, envelope);
    return true;
}

void submit_note_refused(struct step *step, struct session *session, const struct refusal *refusal)
{
    uint32_t bit = 1U << ((unsigned)refusal->code % CODE_BITS);
    if ((session->noted & bit) == 0) {
        session->noted |= bit;
        struct effect *effect = note(step->effects, NOTE_WARNING, "submit.refused");
        note_number(effect, "connection", session->connection);
        note_text(step->effects, effect, "member", session->member);
        note_text(step->effects, effect, "code", refusal_code_name(refusal->code));
    }
}

/* False: it is refused at once. */
static bool ask(const struct submission *submission, const struct piece *piece,
                const struct refusal *refusal)
{
    const struct known_question question = {.number =
                                                submission->session->next_number + piece->part,
                                            .id = piece->id,
                                            .refusal = refusal,
                                            .upload = piece->upload ? piece->upload->serial : 0};
    return piece->id && known_ask(submission->step, submission->session, &question);
}

static void take_part(struct submission *submission, const Relais__V1__Part *part, size_t i)
{
    struct piece piece = {.part = i};
    struct refusal refusal = {0};
    next_piece(&submission->body, part, &piece); /* check_shape() has seen it */
    piece.cost = (uint64_t)piece.envelope.size + piece.payload.size + OVERHEAD_BYTES;
    if (check_admission(submission, &piece, &refusal) &&
        check_sizes(submission, &piece, &refusal) &&
        find_upload(submission, part, &piece, &refusal)) {
        const Relais__V1__Envelope *envelope = read_envelope(submission, &piece, &refusal);
        if (envelope && check_quota(submission, &piece, envelope, &refusal) &&
            check_private(submission, &piece, envelope, &refusal) &&
            check_fan_out(submission, &piece, envelope, &refusal) &&
            check_upload_id(submission, &piece, envelope, &refusal) &&
            append(submission, &piece, envelope, &refusal)) {
            return;
        }
    }
    if (ask(submission, &piece, &refusal)) {
        return;
    }
    reply_refused_add(&submission->refused, submission->session->next_number + i, &refusal);
    submit_note_refused(submission->step, submission->session, &refusal);
}

/* A message keeps its whole frame in memory, also what was refused beside it; the windows count
 * only what was taken. So a body of which less than half was taken is let go. `first`: the first
 * effect of this submit. */
static void let_body_go(const struct submission *submission, size_t first)
{
    struct effects *effects = submission->step->effects;
    uint64_t body_bytes = 0;
    for (size_t i = 1; i < submission->event->frames.frame_count; i++) {
        body_bytes += submission->event->frames.frames[i].size;
    }
    if (submission->taken_bytes >= body_bytes / 2) {
        return;
    }
    for (size_t i = first; i < effects->count; i++) {
        struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_STORE && effect->store.kind == STORE_APPEND) {
            (void)held_message_own(&effect->store.append.message);
        }
    }
}

bool submit_take(struct step *step, struct session *session, const struct directory_client *client,
                 const struct event *event, const Relais__V1__Submit *submit,
                 struct refusal *out_refusal)
{
    if (!check_shape(step, session, event, submit, out_refusal)) {
        return false;
    }
    struct submission submission = {
        .step = step, .session = session, .client = client, .event = event};
    submission.quota = quota_of(step->core, client->member);
    submission.refused = (struct reply_refused){.step = step, .connection = session->connection};
    body_begin(event, &submission.body);
    size_t first_effect = step->effects->count;
    for (size_t i = 0; i < submit->n_parts; i++) {
        take_part(&submission, submit->parts[i], i);
    }
    let_body_go(&submission, first_effect);
    reply_refused_end(&submission.refused);
    session->next_number += submit->n_parts;
    return true;
}

static void stored_in(struct step *step, const struct ticket *ticket, struct store_result *result)
{
    for (uint32_t i = 0; i < ticket->mailbox_count; i++) {
        struct mailbox *mailbox = ticket->mailboxes ? ticket->mailboxes[i] : ticket->mailbox;
        mailbox_count_append(step->core, mailbox, ticket->bytes + ticket->stored_bytes);
        if (result->append.claimed) {
            handover_give(step, ticket, result);
        } else {
            mailbox_expect(step, mailbox, ticket->due_ms);
        }
    }
}

/* Once a minute at most: senders ask again every few seconds. */
static void note_full(struct step *step, const struct ticket *ticket)
{
    struct core *core = step->core;
    if (core->full_noted_ms != 0 && step->now.mono_ms - core->full_noted_ms < FULL_NOTE_MS) {
        return;
    }
    core->full_noted_ms = step->now.mono_ms;
    struct effect *effect = note(step->effects, NOTE_ERROR, "store.full");
    note_number(effect, "connection", ticket->connection);
    note_number(effect, "bytes", ticket->bytes);
    note_text(step->effects, effect, "expected",
              "room on the store's disk beyond store.reserve_mb, or in store.map_size_mb: messages "
              "that are acknowledged give room back");
}

/* The store has not the upload that the core knew: it was begun anew elsewhere, or was erased. */
static void refuse_upload(struct step *step, const struct session *session, uint64_t number)
{
    struct reply_refused refused = {.step = step, .connection = session->connection};
    struct refusal refusal = upload_unknown("submit.parts.upload");
    reply_refused_add(&refused, number, &refusal);
    reply_refused_end(&refused);
}

/* False: it is not for something that it refers to. */
static bool refuse_unknown(struct step *step, const struct session *session,
                           const struct ticket *ticket, enum store_status status)
{
    if (status == STORE_NOT_FOUND && ticket->stored_bytes > 0) {
        refuse_upload(step, session, ticket->number);
        return true;
    }
    if (status == STORE_UNKNOWN_EARLIER) {
        supersede_refuse(step, session, ticket->number);
        return true;
    }
    return false;
}

void submit_stored(struct step *step, const struct ticket *ticket, struct store_result *result)
{
    struct core *core = step->core;
    struct session *session = session_find(core, ticket->connection);
    bool good = result->status == STORE_DONE;
    quota_storing_ends(core, session, ticket);
    handover_end(step, ticket);
    if (good && result->append.duplicate) {
        core->totals.duplicates++;
    } else if (good) {
        stored_in(step, ticket, result);
        supersede_stored(step, ticket, result);
    }
    if (good) {
        core->totals.accepted++;
        trace_accepted(step, ticket, result);
    } else if (result->status == STORE_NO_ROOM) {
        note_full(step, ticket);
    }
    free(ticket->mailboxes);
    if (!session || session->over) {
        return;
    }
    session_touch(core, session);
    if (result->status == STORE_OVER_QUOTA) {
        quota_over(step, session, ticket->number, result);
        return;
    }
    session->use->over = good ? 0 : session->use->over;
    if (good) {
        upload_end(session, ticket->consumer);
    } else if (refuse_unknown(step, session, ticket, result->status)) {
        return;
    }
    if (good) {
        pace_note(step, session, ticket->mailbox);
    }
    if (!ranges_add(good ? &session->accepted : &session->full, ticket->number)) {
        step->effects->failed = true;
    }
}
