/* SPDX-License-Identifier: EUPL-1.2
 *
 * See dead.h.
 */
#include "core/dead.h"

#include "core/expiry.h"
#include "core/limits.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/question.h"
#include "core/refusal.h"
#include "core/reply.h"
#include "core/session.h"
#include "wire/codec.h"

#include <string.h>

enum {
    LETTER_OVERHEAD_BYTES = 128, /* of one packed DeadLetter beside its texts */
    STORE_FULL_RETRY_MS = 5000,
};

_Static_assert((int)STORED_REASON_BYTES == (int)LIMIT_REASON_BYTES, "one limit, two layers");

/* What is asked, whichever command it came in. */
struct asked {
    enum store_op_kind kind;
    uint64_t number;
    const char *path; /* of the command's field, for refusals */
    const char *address;
    uint64_t sequence; /* or the one behind which to begin */
    uint32_t limit;
};

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

static bool changes(const struct asked *asked)
{
    return asked->kind == STORE_REPLAY || asked->kind == STORE_DROP;
}

/* The mailbox' name, as far as its own member may be told. */
static bool check_name(struct step *step, const struct directory_client *client,
                       const struct asked *asked, struct refusal *out_refusal)
{
    struct effects *effects = step->effects;
    const char *field = refusal_join(effects, asked->path, ".address", "");
    const char *wrong = refusal_wrong(effects, asked->address);
    const char *own = directory_member_slug(client->member);
    size_t member_bytes = 0;
    if (asked->address[0] == '\0') {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_MISSING, field, "",
                      "member/service");
    }
    if (!name_is_address(asked->address, &member_bytes)) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, field, wrong,
                      "member/service");
    }
    if (client->roles & ROLE_MAY_OPERATE) {
        return true;
    }
    if (strlen(own) != member_bytes || memcmp(own, asked->address, member_bytes) != 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_NOT_YOUR_MAILBOX, field, wrong,
                      refusal_join(effects, own, "/service", ""));
    }
    if (changes(asked) && (client->roles & ROLE_MAY_RECEIVE) == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_ROLE_MISSING, "client.roles",
                      "without receive", N_("a client with the role receive"));
    }
    return true;
}

/* A mailbox that was never used must at least be one of the directory: a slip of the pen is not an
 * empty mailbox. One whose service has gone keeps its dead letters. */
static bool check_exists(struct step *step, const struct asked *asked, struct refusal *out_refusal)
{
    size_t member_bytes = strcspn(asked->address, "/");
    const struct directory_member *member = NULL;
    if (mailbox_known(step->core, asked->address)) {
        return true;
    }
    const char *field = refusal_join(step->effects, asked->path, ".address", "");
    member = directory_member(step->core->directory, asked->address, member_bytes);
    if (!member) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER, field, asked->address,
                      N_("a member of the directory"));
    }
    if (!directory_has_place(member, asked->address + member_bytes + 1)) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE, field, asked->address,
                      N_("a service of the member"));
    }
    return true;
}

static struct refusal unknown(struct step *step, const char *path, uint64_t sequence)
{
    return (struct refusal){
        .code = RELAIS__V1__CODE__CODE_UNKNOWN_DEAD_LETTER,
        .field = refusal_join(step->effects, path, ".sequence", ""),
        .wrong = refusal_number(step->effects, sequence),
        .right = N_("the sequence of a dead letter of this mailbox"),
    };
}

static void answer_none(struct step *step, uint64_t connection, uint64_t number)
{
    Relais__V1__DeadLetters letters = RELAIS__V1__DEAD_LETTERS__INIT;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DEAD;
    answer.dead = &letters;
    reply_answer(step, connection, &answer);
}

static void ask_store(struct step *step, struct session *session, struct mailbox *mailbox,
                      const struct asked *asked)
{
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, asked->kind, &ticket);
    if (asked->kind == STORE_DEAD_LIST) {
        op->dead_list.mailbox = mailbox->id;
        op->dead_list.after = asked->sequence;
        op->dead_list.max_entries = asked->limit;
        op->dead_list.max_bytes = LIMIT_DEAD_BYTES;
    } else {
        op->dead = (struct dead_key){.mailbox = mailbox->id, .sequence = asked->sequence};
    }
    if (ticket) {
        ticket->mailbox = mailbox;
        question_begin(step, session, ticket, asked->number);
        ticket->key.sequence = asked->sequence;
    }
}

static void ask(struct step *step, struct session *session, const struct directory_client *client,
                const struct asked *asked)
{
    struct refusal refusal = {0};
    if (!check_name(step, client, asked, &refusal) || !check_exists(step, asked, &refusal) ||
        !question_fits(step, session, asked->path, &refusal)) {
        reply_answer_error(step, session->connection, asked->number, &refusal);
        return;
    }
    struct mailbox *mailbox = mailbox_known(step->core, asked->address);
    if (mailbox && mailbox->announced) {
        ask_store(step, session, mailbox, asked);
    } else if (asked->kind == STORE_DEAD_LIST) {
        answer_none(step, session->connection, asked->number);
    } else {
        refusal = unknown(step, asked->path, asked->sequence);
        reply_answer_error(step, session->connection, asked->number, &refusal);
    }
}

void dead_query(struct step *step, struct session *session, const struct directory_client *client,
                const Relais__V1__Query *query)
{
    struct asked asked = {.number = query->number};
    if (query->what_case == RELAIS__V1__QUERY__WHAT_DEAD) {
        uint32_t limit = query->dead->limit;
        asked.kind = STORE_DEAD_LIST;
        asked.path = "query.dead";
        asked.address = query->dead->address;
        asked.sequence = query->dead->after;
        asked.limit = limit == 0 || limit > LIMIT_DEAD_PAGE ? LIMIT_DEAD_PAGE : limit;
    } else {
        asked.kind = STORE_DEAD_READ;
        asked.path = "query.dead_letter";
        asked.address = query->dead_letter->address;
        asked.sequence = query->dead_letter->sequence;
    }
    ask(step, session, client, &asked);
}

void dead_manage(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Manage *manage)
{
    struct asked asked = {.number = manage->number};
    const Relais__V1__DeadName *name = NULL;
    switch (manage->what_case) {
    case RELAIS__V1__MANAGE__WHAT_REPLAY:
        asked.kind = STORE_REPLAY;
        asked.path = "manage.replay";
        name = manage->replay;
        break;
    case RELAIS__V1__MANAGE__WHAT_DROP:
        asked.kind = STORE_DROP;
        asked.path = "manage.drop";
        name = manage->drop;
        break;
    default:
        reply_answer_error(step, session->connection, manage->number,
                           &(struct refusal){.code = RELAIS__V1__CODE__CODE_UNKNOWN_COMMAND,
                                             .field = "manage.what",
                                             .right = "replay, drop, cancel, backup, check"});
        return;
    }
    asked.address = name->address;
    asked.sequence = name->sequence;
    ask(step, session, client, &asked);
}

/* What the envelope says; one that cannot be read leaves its fields empty. */
static void lay_envelope(struct step *step, struct bytes envelope, Relais__V1__DeadLetter *letter)
{
    struct wire_fault fault = {0};
    struct effects *effects = step->effects;
    wire_arena_reset(&step->core->envelope_arena);
    const Relais__V1__Envelope *read =
        envelope.size > 0 ? wire_unpack_envelope(envelope, &step->core->envelope_arena, &fault)
                          : NULL;
    if (!read) {
        /* Without memory nothing is known of it: that is not damage. */
        letter->damaged = letter->damaged || !step->core->envelope_arena.starved;
        return;
    }
    letter->id = (char *)effects_text(effects, read->id);
    letter->source = (char *)effects_text(effects, read->source);
    letter->from = (char *)effects_text(effects, read->from);
    letter->flow = (char *)effects_text(effects, read->flow);
    letter->type = (char *)effects_text(effects, read->type);
}

static void lay_history(struct step *step, const struct store_dead *dead,
                        Relais__V1__DeadLetter *out_letter)
{
    struct effects *effects = step->effects;
    size_t count = dead->history_count;
    Relais__V1__FailedAttempt *values = effects_alloc(effects, (count + 1) * sizeof *values);
    Relais__V1__FailedAttempt **pointers =
        effects_alloc(effects, (count + 1) * sizeof(Relais__V1__FailedAttempt *));
    if (!values || !pointers) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct stored_attempt *attempt = &dead->history[i];
        relais__v1__failed_attempt__init(&values[i]);
        values[i].number = attempt->number;
        values[i].at_ms = attempt->at_ms;
        values[i].ending = (Relais__V1__Ending)attempt->ending;
        values[i].reason = (char *)effects_text(effects, attempt->reason);
        values[i].client = (char *)effects_text(effects, attempt->client);
        pointers[i] = &values[i];
    }
    out_letter->n_history = count;
    out_letter->history = pointers;
}

static void lay_letter(struct step *step, const struct store_dead *dead,
                       Relais__V1__DeadLetter *out_letter)
{
    relais__v1__dead_letter__init(out_letter);
    out_letter->sequence = dead->sequence;
    out_letter->code = dead->code == STORED_CODE_DAMAGED ? RELAIS__V1__CODE__CODE_DAMAGED
                                                         : (Relais__V1__Code)dead->code;
    out_letter->reason = (char *)effects_text(step->effects, dead->reason);
    out_letter->attempts = dead->attempts;
    out_letter->died_ms = dead->died_ms;
    out_letter->damaged = dead->damaged;
    out_letter->bytes = dead->bytes;
    out_letter->stored_bytes = dead->stored_bytes;
    out_letter->accepted_ms = dead->accepted_ms;
    out_letter->expires_at_ms = dead->expires_ms;
    lay_history(step, dead, out_letter);
    lay_envelope(step, dead->message.envelope, out_letter);
}

static size_t packed_bytes(const Relais__V1__DeadLetter *letter)
{
    return LETTER_OVERHEAD_BYTES + strlen(letter->reason) + strlen(letter->id) +
           strlen(letter->source) + strlen(letter->from) + strlen(letter->flow) +
           strlen(letter->type);
}

static void answer_letters(struct step *step, const struct ticket *ticket,
                           const struct store_result *result)
{
    struct effects *effects = step->effects;
    size_t count = result->dead.count;
    Relais__V1__DeadLetter *values = effects_alloc(effects, (count + 1) * sizeof *values);
    Relais__V1__DeadLetter **pointers =
        effects_alloc(effects, (count + 1) * sizeof(Relais__V1__DeadLetter *));
    if (!values || !pointers) {
        return;
    }
    Relais__V1__DeadLetters letters = RELAIS__V1__DEAD_LETTERS__INIT;
    letters.letters = pointers;
    letters.more = result->dead.more;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        lay_letter(step, &result->dead.entries[i], &values[i]);
        bytes += packed_bytes(&values[i]);
        if (bytes > REPLY_COMMAND_BYTES) {
            letters.more = true;
            break;
        }
        pointers[letters.n_letters++] = &values[i];
    }
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = ticket->number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DEAD;
    answer.dead = &letters;
    reply_answer(step, ticket->connection, &answer);
}

static void answer_done(struct step *step, const struct ticket *ticket)
{
    Relais__V1__Done done = RELAIS__V1__DONE__INIT;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = ticket->number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_DONE;
    answer.done = &done;
    reply_answer(step, ticket->connection, &answer);
}

static const char *path_of(enum store_op_kind kind)
{
    switch (kind) {
    case STORE_REPLAY:
        return "manage.replay";
    case STORE_DROP:
        return "manage.drop";
    default:
        return "query.dead_letter";
    }
}

static void answer_failure(struct step *step, const struct ticket *ticket, enum store_status status)
{
    const char *path = path_of(ticket->kind);
    struct refusal refusal = unknown(step, path, ticket->key.sequence);
    if (status == STORE_DAMAGED) {
        refusal.code = RELAIS__V1__CODE__CODE_DAMAGED;
        refusal.right = N_("a dead letter whose bytes are whole; this one can only be dropped");
    } else if (status == STORE_NO_ROOM) {
        refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_STORE_FULL,
                                   .field = path,
                                   .wrong = "the broker's store is full",
                                   .right = N_("the same command again later"),
                                   .retry_after_ms = STORE_FULL_RETRY_MS};
    }
    reply_answer_error(step, ticket->connection, ticket->number, &refusal);
}

/* Somebody has changed what becomes of a message: the log names who. */
static void note_change(struct step *step, const struct ticket *ticket,
                        const struct session *session)
{
    struct effect *effect =
        note(step->effects, NOTE_NOTICE,
             ticket->kind == STORE_REPLAY ? "dead_letter.replayed" : "dead_letter.dropped");
    note_text(step->effects, effect, "mailbox", ticket->mailbox->name);
    note_number(effect, "sequence", ticket->key.sequence);
    note_number(effect, "connection", ticket->connection);
    if (session) {
        note_text(step->effects, effect, "member", session->member);
    }
}

static void changed(struct step *step, const struct ticket *ticket, const struct session *session,
                    const struct store_result *result)
{
    if (ticket->kind == STORE_REPLAY) {
        mailbox_count_replayed(step->core, ticket->mailbox, result->replayed_bytes);
        mailbox_expect(step, ticket->mailbox, 0);
        expiry_expect(step->core, step->now.wall_ms); /* it may have expired long ago */
    } else {
        mailbox_count_dropped(step->core, ticket->mailbox);
    }
    note_change(step, ticket, session);
}

void dead_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    bool change = ticket->kind == STORE_REPLAY || ticket->kind == STORE_DROP;
    if (change && result->status == STORE_DONE) {
        changed(step, ticket, session_find(step->core, ticket->connection), result);
    }
    if (!question_end(step, ticket)) {
        return;
    }
    if (change && result->status == STORE_DONE) {
        answer_done(step, ticket);
    } else if (ticket->kind == STORE_DEAD_LIST ||
               (ticket->kind == STORE_DEAD_READ && result->dead.count > 0)) {
        answer_letters(step, ticket, result);
    } else {
        answer_failure(step, ticket, result->status);
    }
}
