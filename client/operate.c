/* SPDX-License-Identifier: EUPL-1.2
 *
 * Questions to the broker, and orders that are answered like questions. One at a time; one that was
 * under way when the line broke is asked again on the next.
 */
#include <relais/operate.h>

#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

enum {
    QUEUES_TIMEOUT_MS = 30000,
    QUEUES_PAGE_MAX = 500, /* docs/protocol.md */
};

void question_flush(relais_client *client)
{
    struct question *question = client->question;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    if (question == NULL || question->asked_at == client->connection.welcomes) {
        return;
    }
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__Manage manage = RELAIS__V1__MANAGE__INIT;
    if (question->query != NULL) {
        query = *question->query;
        query.number = question->number;
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_QUERY;
        command.query = &query;
    } else {
        manage = *question->manage;
        manage.number = question->number;
        command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
        command.manage = &manage;
    }
    if (client_say(client, &command, NULL, 0)) {
        question->asked_at = client->connection.welcomes;
    }
}

static void keep_status(const Relais__V1__Status *said, relais_broker_status *out_status)
{
    *out_status = (relais_broker_status){
        .uptime_ms = said->uptime_ms,
        .connections = said->connections,
        .consumers = said->consumers,
        .members = said->members,
        .flows = said->flows,
        .mailboxes = said->mailboxes,
        .waiting = said->waiting,
        .waiting_bytes = said->waiting_bytes,
        .leased = said->leased,
        .dead = said->dead,
        .accepted_total = said->accepted_total,
        .duplicates_total = said->duplicates_total,
        .refused_total = said->refused_total,
        .delivered_total = said->delivered_total,
        .acknowledged_total = said->acknowledged_total,
        .store_used_bytes = said->store_used_bytes,
        .store_size_bytes = said->store_size_bytes,
        .store_findings_total = said->store_findings_total,
        .store_checked_ms = said->store_checked_ms,
        .reminders_total = said->reminders_total,
        .deadlines_missed_total = said->deadlines_missed_total,
    };
    error_copy_text(out_status->software, sizeof out_status->software, said->software);
}

static bool keep_queues(const Relais__V1__Queues *said, struct question *question)
{
    if (said->n_queues > question->capacity) {
        return false;
    }
    for (size_t i = 0; i < said->n_queues; i++) {
        const Relais__V1__Queue *queue = said->queues[i];
        question->out_queues[i] = (relais_queue){
            .waiting = queue->waiting,
            .waiting_bytes = queue->waiting_bytes,
            .dead = queue->dead,
            .leased = queue->leased,
            .consumers = queue->consumers,
        };
        error_copy_text(question->out_queues[i].address, sizeof question->out_queues[i].address,
                        queue->address);
    }
    question->count = said->n_queues;
    question->more = said->more;
    return true;
}

/* Answers of a page or a report. False: not what was asked for. */
static bool keep_page(struct question *question, const Relais__V1__Answer *answer)
{
    switch (answer->what_case) {
    case RELAIS__V1__ANSWER__WHAT_QUEUES:
        return question->out_queues != NULL && keep_queues(answer->queues, question);
    case RELAIS__V1__ANSWER__WHAT_DEAD:
        return question->out_dead != NULL && dead_letters_keep(answer->dead, question->out_dead);
    case RELAIS__V1__ANSWER__WHAT_REPORT:
        return question->out_upkeep != NULL && upkeep_keep(answer->report, question->out_upkeep);
    case RELAIS__V1__ANSWER__WHAT_DIRECTORY:
        return question->out_directory != NULL &&
               signed_rows_keep(answer->directory, question->out_directory);
    case RELAIS__V1__ANSWER__WHAT_TRACK:
        return question->out_track != NULL && track_keep(answer->track, question->out_track);
    default:
        return false;
    }
}

static bool keep(struct question *question, const Relais__V1__Answer *answer)
{
    switch (answer->what_case) {
    case RELAIS__V1__ANSWER__WHAT_STATUS:
        if (question->out_status != NULL) {
            keep_status(answer->status, question->out_status);
        }
        return question->out_status != NULL;
    case RELAIS__V1__ANSWER__WHAT_USAGE:
        if (question->out_usage != NULL) {
            usage_keep(answer->usage, question->out_usage);
        }
        return question->out_usage != NULL;
    case RELAIS__V1__ANSWER__WHAT_DONE:
        if (question->out_cancelled != NULL) {
            cancel_keep(answer->done, question->out_cancelled);
        }
        return question->manage != NULL;
    case RELAIS__V1__ANSWER__WHAT_ERROR:
        (void)error_from_wire(&question->refusal, answer->error);
        return true;
    default:
        return keep_page(question, answer);
    }
}

bool question_answered(relais_client *client, const Relais__V1__Answer *answer)
{
    struct question *question = client->question;
    if (question == NULL || question->answered || answer->number != question->number) {
        return answer->number <= client->last_question; /* late: nobody waits any more */
    }
    if (!keep(question, answer)) {
        return false;
    }
    question->answered = true;
    client->happened = true;
    return true;
}

relais_status question_ask(relais_client *client, struct question *question, int timeout_ms,
                           relais_error *error)
{
    int64_t deadline_ms = client_deadline(timeout_ms);
    relais_status status = RELAIS_OK;
    question->number = ++client->last_question;
    client->question = question;
    while (!question->answered && status == RELAIS_OK) {
        status = client_work(client, deadline_ms, NULL, 0);
    }
    client->question = NULL;
    if (!question->answered) {
        return error_fill(error, status, "endpoint", client->endpoint, NULL);
    }
    if (question->refusal.status != RELAIS_OK && error != NULL) {
        *error = question->refusal;
    }
    return question->refusal.status;
}

relais_status relais_query_status(relais_client *client, int timeout_ms,
                                  relais_broker_status *out_status, relais_error *error)
{
    relais_broker_status found = {0};
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__StatusQuery what = RELAIS__V1__STATUS_QUERY__INIT;
    struct question question = {.query = &query, .out_status = &found};
    if (client == NULL || out_status == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    query.what_case = RELAIS__V1__QUERY__WHAT_STATUS;
    query.status = &what;
    relais_status status = question_ask(client, &question, timeout_ms, error);
    if (status == RELAIS_OK) {
        *out_status = found;
    }
    return status;
}

static relais_status check_page(const char *after, const relais_queue *queues, size_t capacity,
                                relais_error *error)
{
    size_t member_bytes = 0;
    if (queues == NULL || capacity == 0 || capacity > QUEUES_PAGE_MAX) {
        return error_fill(error, RELAIS_USAGE, "capacity", NULL, _("1 to 500"));
    }
    if (after != NULL && after[0] != '\0' && !name_is_address(after, &member_bytes)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "after", after,
                          _("an address such as commune-76540/etat-civil"));
    }
    return RELAIS_OK;
}

relais_status relais_query_queues(relais_client *client, /* NOLINT: seven, one for each answer */
                                  const char *after, relais_queue *out_queues, size_t capacity,
                                  size_t *out_count, bool *out_more, relais_error *error)
{
    char address[RELAIS_ADDRESS_BYTES + 1] = "";
    Relais__V1__Query query = RELAIS__V1__QUERY__INIT;
    Relais__V1__QueuesQuery what = RELAIS__V1__QUEUES_QUERY__INIT;
    struct question question = {.query = &query, .out_queues = out_queues, .capacity = capacity};
    relais_status status = check_page(after, out_queues, capacity, error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (client == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    error_copy_text(address, sizeof address, after);
    what.after = address;
    what.limit = (uint32_t)capacity;
    query.what_case = RELAIS__V1__QUERY__WHAT_QUEUES;
    query.queues = &what;
    status = question_ask(client, &question, QUEUES_TIMEOUT_MS, error);
    if (status == RELAIS_OK) {
        *out_count = question.count;
        *out_more = question.more;
    }
    return status;
}
