/* SPDX-License-Identifier: EUPL-1.2
 *
 * See withdrawal.h.
 */
#include "withdrawal.h"

#include "core/limits.h"

#include <string.h>

static void expect_error(struct oracle *oracle, uint32_t error)
{
    struct oracle_question *question = &oracle->step.question;
    question->is_due = true;
    question->answer = RELAIS__V1__ANSWER__WHAT_ERROR;
    question->error = error;
}

void oracle_cancel(struct oracle *oracle, const Relais__V1__Manage *manage)
{
    const struct oracle_session *session = oracle->step.session;
    oracle->step.question = (struct oracle_question){
        .kind = STORE_CANCEL, .connection = oracle->step.connection, .number = manage->number};
    if ((town_roles(oracle->town, session->client) & ROLE_MAY_SEND) == 0) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_ROLE_MISSING);
    } else if (oracle->draining) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_DRAINING);
    } else if (session->asking >= LIMIT_ASKING_OF_ONE || oracle->asking >= LIMIT_ASKING) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_BUSY);
    } else {
        oracle->step.question.to_store = true;
    }
}

void oracle_cancel_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    struct oracle_question *question = &oracle->step.question;
    const char *own = TOWN_SLUGS[TOWN_PEOPLE[oracle->step.session->client].member];
    PROMISE(oracle->trace,
            question->to_store && question->kind == STORE_CANCEL &&
                strcmp(op->cancel.sender, own) == 0 &&
                strcmp(op->cancel.id, oracle->step.command->manage->cancel->id) == 0,
            "only one's own messages are withdrawn", {"number", question->number});
    question->to_store = false;
    note->connection = question->connection;
    note->number = question->number;
    note->message = ledger_find(oracle->ledger, op->cancel.id);
    oracle->asking++;
    oracle->step.session->asking++;
}

/* What was withdrawn was free, and is gone. */
static void count(struct oracle *oracle, const struct disk_result *result)
{
    struct message *message = result->note.message;
    for (uint32_t i = 0; i < result->result.cancel.count; i++) {
        unsigned place = 0;
        while (oracle->places[place].id != result->result.cancel.mailboxes[i]) {
            place++;
        }
        struct life *life = ledger_life(message, place);
        PROMISE(oracle->trace, life->state == LIFE_FREE,
                "nothing is withdrawn that somebody was given", {"message", message->index},
                {"place", place}, {"state", life->state});
        life->state = LIFE_GONE;
        oracle->places[place].waiting--;
        oracle->places[place].waiting_bytes -= ledger_bytes(message);
        oracle->places[place].dead++;
    }
}

void oracle_stored_cancel(struct oracle *oracle, const struct disk_result *result)
{
    struct oracle_session *session = oracle_session(oracle, result->note.connection);
    struct oracle_question *question = &oracle->step.question;
    oracle->asking--;
    count(oracle, result);
    if (!session || session->gone) {
        return;
    }
    session->asking--;
    if (session->over) {
        return;
    }
    question->connection = result->note.connection;
    question->number = result->note.number;
    if (result->result.status != STORE_DONE) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE);
        return;
    }
    question->kind = STORE_CANCEL;
    question->is_due = true;
    question->answer = RELAIS__V1__ANSWER__WHAT_DONE;
    question->error = 0;
    oracle->cancelled = result->result.cancel;
}

void oracle_told_cancel(const struct oracle *oracle, const Relais__V1__Done *done)
{
    PROMISE(oracle->trace,
            done->withdrawn == oracle->cancelled.withdrawn &&
                done->too_late == oracle->cancelled.too_late,
            "what is told of a withdrawal is so", {"withdrawn", done->withdrawn},
            {"late", done->too_late});
}
