/* SPDX-License-Identifier: EUPL-1.2
 *
 * See cancel.h.
 */
#include "core/cancel.h"

#include "core/mailbox.h"
#include "core/note.h"
#include "core/question.h"
#include "core/reply.h"

enum { STORE_FULL_RETRY_MS = 5000 };

static const char FIELD[] = "manage.cancel.id";

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

static bool check(struct step *step, const struct session *session,
                  const struct directory_client *client, const char *id,
                  struct refusal *out_refusal)
{
    const char *right = N_("1 to 128 printable ASCII characters without space");
    if ((client->roles & ROLE_MAY_SEND) == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_ROLE_MISSING, "client.roles",
                      "without send", N_("a client with the role send"));
    }
    if (id[0] == '\0') {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_MISSING, FIELD, "", right);
    }
    if (!name_is_id(id)) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, FIELD,
                      refusal_wrong(step->effects, id), right);
    }
    return question_fits(step, session, "manage.cancel", out_refusal);
}

void cancel_manage(struct step *step, struct session *session,
                   const struct directory_client *client, const Relais__V1__Manage *manage)
{
    struct refusal refusal = {0};
    struct ticket *ticket = NULL;
    if (!check(step, session, client, manage->cancel->id, &refusal)) {
        reply_answer_error(step, session->connection, manage->number, &refusal);
        return;
    }
    struct store_op *op = core_op(step, STORE_CANCEL, &ticket);
    op->cancel.sender = effects_text(step->effects, session->member);
    op->cancel.id = effects_text(step->effects, manage->cancel->id);
    if (ticket) {
        question_begin(step, session, ticket, manage->number);
    }
}

/* What was withdrawn is dead, and what was behind it in its order has its turn. */
static void count(struct step *step, const struct store_result *result)
{
    struct core *core = step->core;
    for (uint32_t i = 0; i < result->cancel.count; i++) {
        struct mailbox *mailbox = mailbox_numbered(core, result->cancel.mailboxes[i]);
        if (mailbox) {
            mailbox_count_gone(core, mailbox, result->cancel.bytes);
            mailbox->dead++;
            core->totals.dead++;
            mailbox_expect(step, mailbox, 0);
        }
    }
    if (result->cancel.count > 0) {
        struct effect *effect = note(step->effects, NOTE_NOTICE, "message.cancelled");
        note_number(effect, "withdrawn", result->cancel.count);
        note_number(effect, "too_late", result->cancel.too_late);
    }
}

static void answer(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    Relais__V1__Done done = RELAIS__V1__DONE__INIT;
    Relais__V1__Answer reply = RELAIS__V1__ANSWER__INIT;
    done.withdrawn = result->cancel.withdrawn;
    done.too_late = result->cancel.too_late;
    reply.number = ticket->number;
    reply.what_case = RELAIS__V1__ANSWER__WHAT_DONE;
    reply.done = &done;
    reply_answer(step, ticket->connection, &reply);
}

void cancel_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    count(step, result);
    if (!question_end(step, ticket)) {
        return;
    }
    struct refusal refusal = {0};
    if (result->status == STORE_DONE) {
        answer(step, ticket, result);
        return;
    }
    if (result->status == STORE_NO_ROOM) {
        refuse(&refusal, RELAIS__V1__CODE__CODE_STORE_FULL, "manage.cancel",
               "the broker's store is full", N_("the same command again later"));
        refusal.retry_after_ms = STORE_FULL_RETRY_MS;
    } else {
        refuse(&refusal, RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE, FIELD, "",
               N_("the id of a message that this member has sent and the broker remembers"));
    }
    reply_answer_error(step, ticket->connection, ticket->number, &refusal);
}
