/* SPDX-License-Identifier: EUPL-1.2
 *
 * See tracking.h.
 */
#include "tracking.h"

#include "agenda.h"
#include "core/limits.h"

#include <stdlib.h>
#include <string.h>

static void expect_error(struct oracle *oracle, uint32_t error)
{
    struct oracle_question *question = &oracle->step.question;
    question->is_due = true;
    question->answer = RELAIS__V1__ANSWER__WHAT_ERROR;
    question->error = error;
}

void oracle_track_query(struct oracle *oracle, const Relais__V1__Query *query)
{
    const struct oracle_session *session = oracle->step.session;
    const char *own = TOWN_SLUGS[TOWN_PEOPLE[session->client].member];
    bool is_own = query->track->sender[0] == '\0' || strcmp(query->track->sender, own) == 0;
    oracle->step.question = (struct oracle_question){
        .kind = STORE_TRACK, .connection = oracle->step.connection, .number = query->number};
    if (oracle->draining) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_DRAINING);
    } else if (session->asking >= LIMIT_ASKING_OF_ONE || oracle->asking >= LIMIT_ASKING) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_BUSY);
    } else if (!is_own) {
        expect_error(oracle, RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE);
    } else {
        oracle->step.question.to_store = true;
    }
}

void oracle_track_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    struct oracle_question *question = &oracle->step.question;
    const Relais__V1__TrackQuery *asked = oracle->step.command->query->track;
    const char *own = TOWN_SLUGS[TOWN_PEOPLE[oracle->step.session->client].member];
    PROMISE(oracle->trace,
            question->to_store && question->kind == STORE_TRACK &&
                strcmp(op->track.sender, own) == 0 && strcmp(op->track.id, asked->id) == 0 &&
                op->track.missing == (asked->missing != 0),
            "only one's own messages are asked for", {"number", question->number});
    question->to_store = false;
    note->connection = question->connection;
    note->number = question->number;
    oracle->asking++;
    oracle->step.session->asking++;
}

void oracle_stored_track(struct oracle *oracle, const struct disk_result *result)
{
    struct oracle_session *session = oracle_session(oracle, result->note.connection);
    struct oracle_question *question = &oracle->step.question;
    oracle->asking--;
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
    question->is_due = true;
    question->answer = RELAIS__V1__ANSWER__WHAT_TRACK;
    question->error = 0;
    oracle->tracked = result->result.track;
    memcpy(oracle->tracked_rows, result->result.track.rows,
           result->result.track.count * sizeof *oracle->tracked_rows);
}

void oracle_told_track(const struct oracle *oracle, const Relais__V1__Track *track)
{
    const struct store_tracked *tracked = &oracle->tracked;
    uint32_t total = 0;
    PROMISE(oracle->trace,
            track->n_rows == tracked->count && track->sequence == tracked->sequence &&
                track->accepted_ms == tracked->accepted_ms && (track->more != 0) == tracked->more,
            "what is told of a message is so", {"rows", track->n_rows});
    for (size_t i = 0; i < track->n_rows; i++) {
        const struct store_track_row *row = &oracle->tracked_rows[i];
        unsigned place = town_place(track->rows[i]->address);
        PROMISE(oracle->trace,
                place < TOWN_PLACES && oracle->places[place].id == row->mailbox &&
                    (unsigned)track->rows[i]->state == (unsigned)row->state &&
                    (unsigned)track->rows[i]->code == row->code &&
                    track->rows[i]->since_ms == row->since_ms,
                "what is told of a recipient is so", {"place", place}, {"state", row->state});
    }
    for (size_t i = 0; i < track->n_totals; i++) {
        total += track->totals[i]->recipients;
        PROMISE(oracle->trace,
                track->totals[i]->recipients == tracked->totals[track->totals[i]->state],
                "totals are those of the disk", {"state", (uint64_t)track->totals[i]->state});
    }
    for (size_t i = 0; i < TRACK_STATES; i++) {
        total -= tracked->totals[i];
    }
    PROMISE(oracle->trace, total == 0, "no total is left out", {"rows", track->n_rows});
}
