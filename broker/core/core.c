/* SPDX-License-Identifier: EUPL-1.2
 *
 * One event in, effects out: finds out who speaks and hands the event to the file that knows it.
 * See core.h; what is kept is told in state.h.
 *
 *   frames   hello, goodbye   session.c, welcome.c    stored  append            submit.c
 *            submit           submit.c                        take, mailbox     mailbox.c
 *            attach, credit,                                  ack, defer, bury  entry.c
 *            detach           consumer.c              time    leases, due       lease.c, mailbox.c
 *            ack, nack,
 *            extend           answer.c
 *            query            query.c, usage.c                dead letters      dead.c
 *            manage           dead.c                          usage             usage.c
 *            upload, chunk    upload.c                        uploads, chunks   upload.c
 *            fetch            fetch.c                         fetched           fetch.c
 *                                                             deadlines         remind.c
 *                                                             expired           expiry.c
 *                                                             known             known.c
 */
#include "core/core.h"

#include "core/ahead.h"
#include "core/answer.h"
#include "core/cancel.h"
#include "core/consumer.h"
#include "core/dead.h"
#include "core/deadline.h"
#include "core/due.h"
#include "core/expiry.h"
#include "core/fetch.h"
#include "core/known.h"
#include "core/limits.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/pace.h"
#include "core/pressure.h"
#include "core/query.h"
#include "core/quota.h"
#include "core/remind.h"
#include "core/reply.h"
#include "core/session.h"
#include "core/stored_message.h"
#include "core/submit.h"
#include "core/track.h"
#include "core/upkeep.h"
#include "core/upload.h"
#include "core/usage.h"
#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEASE_MS = 120 * 1000, /* one message of 1 MiB on a line of 70 kbit/s */
    ATTEMPTS = 10,
    RETRY_MS = 1000,
    BUSY_RETRY_MS = 1000,
    DUE_LOOK_MS = 60 * 1000, /* the wall clock may have been set forward while we slept */
};

void core_settings_init(struct core_settings *settings)
{
    *settings = (struct core_settings){
        .payload_bytes = LIMIT_PAYLOAD_BYTES,
        .lease_ms = LEASE_MS,
        .attempts = ATTEMPTS,
        .retry_ms = RETRY_MS,
        .connections = LIMIT_CONNECTIONS,
        .connections_per_key = LIMIT_CONNECTIONS_PER_KEY,
        .storing_bytes = LIMIT_STORING_BYTES,
        .stored_bytes = UINT32_MAX,
        .sending_bytes = LIMIT_SENDING_BYTES,
        .seed = 1,
        .software = "relaisd",
    };
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t core_random(struct core *core)
{
    core->random += UINT64_C(0x9e3779b97f4a7c15);
    return table_hash_number(core->random);
}

struct store_op *core_op(struct step *step, enum store_op_kind kind, struct ticket **out_ticket)
{
    struct effects *effects = step->effects;
    struct ticket *ticket = out_ticket ? ticket_new(&step->core->tickets, kind) : NULL;
    if (out_ticket) {
        *out_ticket = ticket;
        effects->failed = effects->failed || !ticket;
    }
    struct store_op *op = &effects_add(effects, EFFECT_STORE)->store;
    op->kind = kind;
    op->ticket = ticket ? ticket->id : 0;
    op->now_ms = step->now.wall_ms;
    return op;
}

static bool restore(struct core *core, const struct stored_mailbox *mailboxes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!mailbox_restore(core, &mailboxes[i])) {
            return false;
        }
    }
    return true;
}

struct core *core_new(const struct core_settings *settings, struct directory *directory,
                      const struct stored_mailbox *mailboxes, size_t mailbox_count)
{
    struct core *core = calloc(1, sizeof *core);
    if (!core) {
        directory_free(directory);
        return NULL;
    }
    core->directory = directory;
    core->settings = *settings;
    core->settings.software = NULL;
    memcpy(core->software, settings->software, strnlen(settings->software, SOFTWARE_BYTES));
    core->random = settings->seed;
    core->next_mailbox = 1;
    tickets_init(&core->tickets);
    if (!wire_arena_init(&core->command_arena, WIRE_ARENA_BYTES) ||
        !wire_arena_init(&core->envelope_arena, WIRE_ARENA_BYTES) ||
        !restore(core, mailboxes, mailbox_count)) {
        core_free(core);
        return NULL;
    }
    return core;
}

/* The effects of ending everything go nowhere: the store's claims end with the process. */
static void sessions_end(struct core *core)
{
    struct effects effects;
    effects_init(&effects);
    effects.failed = true;
    struct step step = {.core = core, .effects = &effects};
    struct session *session = NULL;
    size_t cursor = 0;
    while ((session = table_next(&core->sessions, &cursor))) {
        consumers_drop(&step, session, false);
        uploads_fini(session);
        ranges_fini(&session->accepted);
        ranges_fini(&session->full);
        for (int i = 0; i < OVER_COUNT; i++) {
            ranges_fini(&session->over_quota[i].numbers);
        }
    }
    effects_fini(&effects);
}

void core_free(struct core *core)
{
    if (!core) {
        return;
    }
    sessions_end(core);
    sessions_fini(core);
    quota_fini(core);
    mailboxes_fini(core);
    deadlines_fini(core);
    tickets_fini(&core->tickets);
    wire_arena_fini(&core->command_arena);
    wire_arena_fini(&core->envelope_arena);
    directory_free(core->directory);
    free(core);
}

/* What may be said once Hello has been. False: *out_refusal says why it cannot be read. */
static bool obey(struct step *step, struct session *session, const struct directory_client *client,
                 const struct event *event, const Relais__V1__ToBroker *command,
                 struct refusal *out_refusal)
{
    switch (command->command_case) {
    case RELAIS__V1__TO_BROKER__COMMAND_HELLO:
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
                                        .field = "hello",
                                        .wrong = "said again",
                                        .right = "once in a connection"};
        return false;
    case RELAIS__V1__TO_BROKER__COMMAND_SUBMIT:
        return submit_take(step, session, client, event, command->submit, out_refusal);
    case RELAIS__V1__TO_BROKER__COMMAND_ATTACH:
        consumer_attach(step, session, client, command->attach);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_CREDIT:
        consumer_credit(step, session, command->credit);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_DETACH:
        consumer_detach(step, session, command->detach);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_ACK:
        answer_ack(step, session, command->ack);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_NACK:
        answer_nack(step, session, command->nack);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_EXTEND:
        answer_extend(step, session, command->extend);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_QUERY:
        query_answer(step, session, client, command->query);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_MANAGE:
        if (command->manage->what_case == RELAIS__V1__MANAGE__WHAT_BACKUP ||
            command->manage->what_case == RELAIS__V1__MANAGE__WHAT_CHECK) {
            upkeep_manage(step, session, client, command->manage);
        } else if (command->manage->what_case == RELAIS__V1__MANAGE__WHAT_CANCEL) {
            cancel_manage(step, session, client, command->manage);
        } else {
            dead_manage(step, session, client, command->manage);
        }
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_UPLOAD:
        upload_begin(step, session, client, command->upload);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_CHUNK:
        return upload_chunk(step, session, event, command->chunk, out_refusal);
    case RELAIS__V1__TO_BROKER__COMMAND_FETCH:
        fetch_begin(step, session, command->fetch);
        break;
    case RELAIS__V1__TO_BROKER__COMMAND_GOODBYE:
        session_leave(step, session);
        break;
    default:
        reply_error(step, session->connection,
                    &(struct refusal){.code = RELAIS__V1__CODE__CODE_UNKNOWN_COMMAND,
                                      .right = "a command of version 1.2"});
        break;
    }
    return true;
}

/* Error, Goodbye, cut. A session may not be there yet. */
static void cut(struct step *step, uint64_t connection, const struct refusal *refusal)
{
    struct session *session = session_find(step->core, connection);
    reply_error(step, connection, refusal);
    if (session) {
        session_cut(step, session, refusal);
    } else {
        reply_goodbye(step, connection, refusal);
    }
}

static void hello_first(struct step *step, const struct event *event,
                        const struct directory_client *client, const Relais__V1__ToBroker *command)
{
    uint64_t connection = event->frames.connection;
    if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_HELLO) {
        session_hello(step, connection, event->frames.key, client, command->hello);
    } else if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_GOODBYE) {
        reply_close(step, connection);
    } else {
        reply_error(step, connection,
                    &(struct refusal){.code = RELAIS__V1__CODE__CODE_HELLO_FIRST,
                                      .wrong = "the broker does not know this connection",
                                      .right = "hello"});
    }
}

/* NULL: *out_refusal says where it cannot be read. The command lives until the next one is. */
static const Relais__V1__ToBroker *read_command(struct step *step, const struct event *event,
                                                struct refusal *out_refusal)
{
    struct wire_fault fault = {0};
    wire_arena_reset(&step->core->command_arena);
    const Relais__V1__ToBroker *command =
        event->frames.frame_count == 0
            ? NULL
            : wire_unpack_to_broker(event->frames.frames[0], &step->core->command_arena, &fault);
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_MALFORMED,
                                    .field = effects_text(step->effects, fault.field),
                                    .wrong = fault.what ? fault.what : "no frame",
                                    .right = "a packed relais.v1.ToBroker"};
    if (!command && step->core->command_arena.starved) {
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_BUSY,
                                        .wrong = "no memory",
                                        .right = N_("the same again later"),
                                        .retry_after_ms = BUSY_RETRY_MS};
    }
    if (command && event->frames.frame_count > 1 &&
        command->command_case != RELAIS__V1__TO_BROKER__COMMAND_SUBMIT &&
        command->command_case != RELAIS__V1__TO_BROKER__COMMAND_CHUNK &&
        command->command_case != RELAIS__V1__TO_BROKER__COMMAND__NOT_SET) {
        out_refusal->wrong = "a body";
        out_refusal->right = "a body behind submit and chunk only";
        return NULL;
    }
    return command;
}

static void on_frames(struct step *step, const struct event *event)
{
    struct core *core = step->core;
    uint64_t connection = event->frames.connection;
    struct session *session = session_find(core, connection);
    const struct directory_client *client = directory_client(core->directory, event->frames.key);
    if (session && session->over) {
        return;
    }
    if (!client || (session && !session_is_of(session, client))) {
        struct refusal revoked = session_revoked();
        if (session) {
            session_cut(step, session, &revoked);
        } else {
            reply_goodbye(step, connection, &revoked);
        }
        return;
    }
    struct refusal refusal;
    const Relais__V1__ToBroker *command = read_command(step, event, &refusal);
    if (command && !session) {
        hello_first(step, event, client, command);
    } else if (!command || !obey(step, session, client, event, command, &refusal)) {
        cut(step, connection, &refusal);
    }
}

static void on_stored(struct step *step, struct store_result *result)
{
    struct ticket ticket;
    if (ticket_done(&step->core->tickets, result->ticket, result->kind, &ticket)) {
        switch (result->kind) {
        case STORE_MAILBOX:
        case STORE_MAILBOXES:
            mailbox_announced(step, &ticket, result->status);
            break;
        case STORE_APPEND:
            if (ticket.passes) {
                remind_passed(step, &ticket, result);
            } else {
                submit_stored(step, &ticket, result);
            }
            break;
        case STORE_DUE:
            remind_due(step, &ticket, result);
            break;
        case STORE_KNOWN:
            known_stored(step, &ticket, result);
            break;
        case STORE_TAKE:
            mailbox_taken(step, &ticket, result);
            break;
        case STORE_DEAD_LIST:
        case STORE_DEAD_READ:
        case STORE_REPLAY:
        case STORE_DROP:
            dead_stored(step, &ticket, result);
            break;
        case STORE_BACKUP:
        case STORE_BACKED_UP:
        case STORE_CHECK:
            upkeep_stored(step, &ticket, result);
            break;
        case STORE_TRACK:
            track_stored(step, &ticket, result);
            break;
        case STORE_CANCEL:
            cancel_stored(step, &ticket, result);
            break;
        case STORE_EXPIRE:
            expiry_stored(step, result);
            break;
        case STORE_USAGE:
            usage_stored(step, &ticket, result);
            break;
        case STORE_UPLOAD:
        case STORE_CHUNK:
            upload_stored(step, &ticket, result);
            break;
        case STORE_FETCH:
            fetch_stored(step, &ticket, result);
            break;
        default:
            entry_stored(step, &ticket, result);
            break;
        }
    } else {
        note_number(note(step->effects, NOTE_ERROR, "store.unasked"), "ticket", result->ticket);
    }
    store_result_drop(result);
}

static void on_directory(struct step *step, struct directory *directory)
{
    struct core *core = step->core;
    directory_free(core->directory);
    core->directory = directory;
    sessions_sweep(step);
    struct effect *effect = note(step->effects, NOTE_NOTICE, "directory.replaced");
    note_number(effect, "members", directory_members(directory));
    note_number(effect, "flows", directory_flows(directory));
}

/* Of two times, 0 is never. */
static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms == 0 || (other_ms > 0 && other_ms < one_ms) ? other_ms : one_ms;
}

/* When EVENT_TIME is wanted. */
static int64_t wake_ms(const struct core *core, struct moment now)
{
    int64_t wake = lease_first_ms(core);
    int64_t ahead = ahead_first_ms(core);
    int64_t due = earlier(due_first_ms(core), expiry_first_ms(core));
    wake = wake == 0 || (ahead > 0 && ahead < wake) ? ahead : wake;
    if (due > 0) {
        int64_t wait = due - now.wall_ms;
        wait = wait < 0 ? 0 : wait;
        wait = wait > DUE_LOOK_MS ? DUE_LOOK_MS : wait;
        due = now.mono_ms + wait;
        wake = wake == 0 || due < wake ? due : wake;
    }
    int64_t upkeep = upkeep_first_ms(core);
    int64_t remind = remind_first_ms(core, now);
    wake = wake == 0 || (remind > 0 && remind < wake) ? remind : wake;
    wake = earlier(wake, pace_first_ms(core));
    if (upkeep > 0) {
        wake = wake == 0 || upkeep < wake ? upkeep : wake;
    }
    return wake;
}

/* The first time that it is told what time it is. */
static void start(struct step *step)
{
    if (!step->core->started) {
        step->core->started = true;
        step->core->started_ms = step->now.mono_ms;
        upkeep_start(step);
        remind_start(step);
        expiry_start(step->core);
    }
}

void core_step(struct core *core, struct moment now, struct event *event, struct effects *effects)
{
    struct step step = {.core = core, .now = now, .effects = effects};
    start(&step);
    switch (event->kind) {
    case EVENT_FRAMES:
        on_frames(&step, event);
        break;
    case EVENT_CLOSED:
        session_closed(&step, event->closed);
        break;
    case EVENT_STORED:
        on_stored(&step, &event->stored);
        break;
    case EVENT_TIME:
        lease_time(&step);
        mailbox_time(&step);
        expiry_time(&step);
        upkeep_time(&step);
        remind_time(&step);
        ahead_time(&step);
        break;
    case EVENT_DIRECTORY:
        on_directory(&step, event->directory);
        break;
    case EVENT_DRAIN:
        core->draining = true;
        break;
    }
    effects->wake_mono_ms = wake_ms(core, now);
}

void core_flush(struct core *core, struct moment now, struct effects *effects)
{
    struct step step = {.core = core, .now = now, .effects = effects};
    start(&step);
    mailbox_flush(&step);
    pace_look(&step);
    sessions_flush(&step);
    effects->wake_mono_ms = wake_ms(core, now);
}

void core_note_store_size(struct core *core, uint64_t used_bytes, uint64_t size_bytes)
{
    core->store_used_bytes = used_bytes;
    core->store_size_bytes = size_bytes;
}

void core_note_unsent(struct core *core, uint64_t unsent_bytes)
{
    pressure_note(core, unsent_bytes);
}

bool core_is_tight(const struct core *core)
{
    return core->tight;
}

bool core_is_storing(const struct core *core)
{
    return core->storing > 0 || core->settling > 0 || core->asking > 0;
}

const struct directory *core_directory(const struct core *core)
{
    return core->directory;
}
