/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais queues: the mailboxes and what waits in them.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/operate.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_TIMEOUT_S = 10, PAGE = 500 };

static const struct column columns[] = {
    {"address", N_("Address"), COLUMN_TEXT},     {"waiting", N_("Waiting"), COLUMN_NUMBER},
    {"waiting_bytes", N_("Size"), COLUMN_BYTES}, {"leased", N_("In delivery"), COLUMN_NUMBER},
    {"dead", N_("Dead letters"), COLUMN_NUMBER}, {"consumers", N_("Consumers"), COLUMN_NUMBER},
};

static json_t *queue_json(const relais_queue *queue)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "address", queue->address, "waiting",
                     (json_int_t)queue->waiting, "waiting_bytes", (json_int_t)queue->waiting_bytes,
                     "leased", (json_int_t)queue->leased, "dead", (json_int_t)queue->dead,
                     "consumers", (json_int_t)queue->consumers);
}

static relais_status read_all(relais_client *client, json_t *rows, relais_error *error)
{
    relais_queue *page = calloc(PAGE, sizeof(*page));
    char after[sizeof(page->address)] = "";
    bool more = true;
    relais_status status = RELAIS_OK;
    if (!page) {
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    while (status == RELAIS_OK && more) {
        size_t count = 0;
        status =
            relais_query_queues(client, *after ? after : NULL, page, PAGE, &count, &more, error);
        for (size_t i = 0; status == RELAIS_OK && i < count; i++) {
            json_array_append_new(rows, queue_json(&page[i]));
        }
        if (status != RELAIS_OK || count == 0) {
            break;
        }
        snprintf(after, sizeof(after), "%s", page[count - 1].address);
    }
    free(page);
    return status;
}

static enum exit_code run(struct invocation *invocation)
{
    struct session session;
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_error error = {0};
    json_t *rows = json_array();
    relais_status status = read_all(session.client, rows, &error);
    session_close(&session);
    if (status != RELAIS_OK) {
        json_decref(rows);
        return talk_error(&error);
    }
    return talk_end(output_list(&invocation->output, columns, OPTION_COUNT(columns), rows));
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_queues = {
    .words = "queues",
    .summary = N_("show the mailboxes and what waits in them"),
    .arguments = "",
    .examples = "relais queues\nrelais queues -o json\n",
    .notes = N_("A client with the role operate sees all mailboxes, another its own member's."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .run = run,
};
