/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. Dead letters: who may see and change them, and that what is said of them is so.
 */
#include "oracle.h"

#include "history.h"
#include "tracking.h"
#include "withdrawal.h"

#include "core/limits.h"

#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 16 };

static bool changes(enum store_op_kind kind)
{
    return kind == STORE_REPLAY || kind == STORE_DROP;
}

/* 0: it may be asked. */
static uint32_t rule(const struct oracle *oracle, const struct oracle_question *question)
{
    const struct oracle_session *session = oracle->step.session;
    const struct town_place *place = &TOWN_ADDRESSES[question->place];
    if (place->member != TOWN_PEOPLE[session->client].member) {
        return RELAIS__V1__CODE__CODE_NOT_YOUR_MAILBOX;
    }
    if (changes(question->kind) &&
        (town_roles(oracle->town, session->client) & ROLE_MAY_RECEIVE) == 0) {
        return RELAIS__V1__CODE__CODE_ROLE_MISSING;
    }
    if (!oracle->places[question->place].opened && !town_has_place(oracle->town, question->place)) {
        return RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE;
    }
    if (oracle->draining) {
        return RELAIS__V1__CODE__CODE_DRAINING;
    }
    if (session->asking >= LIMIT_ASKING_OF_ONE || oracle->asking >= LIMIT_ASKING) {
        return RELAIS__V1__CODE__CODE_BUSY;
    }
    return 0;
}

static void expect(struct oracle *oracle, Relais__V1__Answer__WhatCase answer, uint32_t error)
{
    struct oracle_question *question = &oracle->step.question;
    question->is_due = true;
    question->answer = answer;
    question->error = error;
}

static void ask(struct oracle *oracle, enum store_op_kind kind, uint64_t number,
                const char *address, uint64_t sequence)
{
    struct oracle_question *question = &oracle->step.question;
    *question = (struct oracle_question){.kind = kind,
                                         .place = town_place(address),
                                         .sequence = sequence,
                                         .connection = oracle->step.connection,
                                         .number = number};
    uint32_t error = rule(oracle, question);
    question->to_store = error == 0 && oracle->places[question->place].announced;
    if (error != 0) {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_ERROR, error);
    } else if (!question->to_store && kind == STORE_DEAD_LIST) {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_DEAD, 0);
    } else if (!question->to_store) {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_ERROR, RELAIS__V1__CODE__CODE_UNKNOWN_DEAD_LETTER);
    }
}

void oracle_query(struct oracle *oracle, const Relais__V1__Query *query)
{
    if (query->what_case == RELAIS__V1__QUERY__WHAT_TRACK) {
        oracle_track_query(oracle, query);
    } else if (query->what_case == RELAIS__V1__QUERY__WHAT_DEAD) {
        ask(oracle, STORE_DEAD_LIST, query->number, query->dead->address, query->dead->after);
    } else if (query->what_case == RELAIS__V1__QUERY__WHAT_DEAD_LETTER) {
        ask(oracle, STORE_DEAD_READ, query->number, query->dead_letter->address,
            query->dead_letter->sequence);
    }
}

void oracle_manage(struct oracle *oracle, const Relais__V1__Manage *manage)
{
    if (manage->what_case == RELAIS__V1__MANAGE__WHAT_CANCEL) {
        oracle_cancel(oracle, manage);
        return;
    }
    bool replay = manage->what_case == RELAIS__V1__MANAGE__WHAT_REPLAY;
    const Relais__V1__DeadName *name = replay ? manage->replay : manage->drop;
    ask(oracle, replay ? STORE_REPLAY : STORE_DROP, manage->number, name->address, name->sequence);
}

void oracle_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    if (op->kind == STORE_TRACK) {
        oracle_track_asked(oracle, op, note);
        return;
    }
    if (op->kind == STORE_CANCEL) {
        oracle_cancel_asked(oracle, op, note);
        return;
    }
    struct oracle_question *question = &oracle->step.question;
    uint32_t mailbox = op->kind == STORE_DEAD_LIST ? op->dead_list.mailbox : op->dead.mailbox;
    uint64_t sequence = op->kind == STORE_DEAD_LIST ? op->dead_list.after : op->dead.sequence;
    PROMISE(oracle->trace,
            question->to_store && question->kind == op->kind &&
                mailbox == oracle->places[question->place].id && sequence == question->sequence,
            "what is done with a dead letter was asked, by who may", {"op", op->kind},
            {"mailbox", mailbox}, {"sequence", sequence});
    question->to_store = false;
    note->connection = question->connection;
    note->number = question->number;
    note->place = question->place;
    oracle->asking++;
    oracle->step.session->asking++;
    struct message *message = ledger_of_sequence(oracle->ledger, sequence);
    struct life *life = message ? ledger_life(message, question->place) : NULL;
    if (op->kind == STORE_DROP && life) {
        life->drop_said = true;
    }
    note->message = life ? message : NULL;
}

static void changed(struct oracle *oracle, const struct disk_result *result)
{
    struct message *message = result->note.message;
    struct life *life = message ? ledger_life(message, result->note.place) : NULL;
    struct oracle_place *place = &oracle->places[result->note.place];
    PROMISE(oracle->trace, life && life->state == LIFE_GONE, "a dead letter is dead",
            {"place", result->note.place}, {"number", result->note.number});
    place->dead--;
    if (result->result.kind == STORE_REPLAY) {
        life->state = LIFE_FREE;
        place->waiting++;
        place->waiting_bytes += ledger_bytes(message);
    }
}

void oracle_stored_dead(struct oracle *oracle, const struct disk_result *result)
{
    struct oracle_session *session = oracle_session(oracle, result->note.connection);
    enum store_op_kind kind = result->result.kind;
    bool done = result->result.status == STORE_DONE;
    oracle->asking--;
    if (changes(kind) && done) {
        changed(oracle, result);
    }
    if (!session || session->gone) {
        return;
    }
    session->asking--;
    if (session->over) {
        return;
    }
    oracle->step.question.connection = result->note.connection;
    oracle->step.question.number = result->note.number;
    oracle->step.question.place = result->note.place;
    oracle->step.question.kind = kind;
    if (changes(kind) && done) {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_DONE, 0);
    } else if (done || kind == STORE_DEAD_LIST) {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_DEAD, 0);
    } else {
        expect(oracle, RELAIS__V1__ANSWER__WHAT_ERROR,
               result->result.status == STORE_NO_ROOM ? RELAIS__V1__CODE__CODE_STORE_FULL
                                                      : RELAIS__V1__CODE__CODE_UNKNOWN_DEAD_LETTER);
    }
}

static void check_letter(const struct oracle *oracle, const Relais__V1__DeadLetter *letter)
{
    char id[ID_BYTES];
    struct message *message = ledger_of_sequence(oracle->ledger, letter->sequence);
    const struct life *life = message ? ledger_life(message, oracle->step.question.place) : NULL;
    (void)snprintf(id, sizeof id, "m%u", message ? message->index : 0);
    PROMISE(oracle->trace,
            life && strcmp(letter->id, id) == 0 && letter->bytes == ledger_bytes(message) &&
                letter->accepted_ms == message->stored_ms && !letter->damaged &&
                letter->code != 0 && letter->attempts <= life->attempts + 1,
            "a dead letter is what is said of it, and its recipient's",
            {"sequence", letter->sequence}, {"code", letter->code});
    oracle_history_told(oracle, letter, life, oracle->step.question.kind == STORE_DEAD_READ);
}

void oracle_told_answer(struct oracle *oracle, uint64_t connection,
                        const Relais__V1__Answer *answer)
{
    struct oracle_question *question = &oracle->step.question;
    uint32_t error = answer->what_case == RELAIS__V1__ANSWER__WHAT_ERROR ? answer->error->code : 0;
    PROMISE(oracle->trace,
            question->is_due && connection == question->connection &&
                answer->number == question->number && answer->what_case == question->answer &&
                error == question->error,
            "a question has the answer that is true, once", {"number", answer->number},
            {"case", answer->what_case}, {"error", error}, {"wanted", question->error});
    question->is_due = false;
    if (answer->what_case == RELAIS__V1__ANSWER__WHAT_TRACK) {
        oracle_told_track(oracle, answer->track);
    } else if (answer->what_case == RELAIS__V1__ANSWER__WHAT_DONE &&
               question->kind == STORE_CANCEL) {
        oracle_told_cancel(oracle, answer->done);
    } else if (answer->what_case == RELAIS__V1__ANSWER__WHAT_DEAD) {
        for (size_t i = 0; i < answer->dead->n_letters; i++) {
            check_letter(oracle, answer->dead->letters[i]);
        }
    }
}
