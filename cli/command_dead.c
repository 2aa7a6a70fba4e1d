/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais dead list, relais dead show: deliveries that were given up.
 */
#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/directory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 10, QUEUES_PAGE = 500 };

static const struct column columns[] = {
    {"address", N_("Address"), COLUMN_TEXT},     {"sequence", N_("Number"), COLUMN_NUMBER},
    {"died", N_("Given up"), COLUMN_TEXT},       {"why", N_("Why"), COLUMN_TEXT},
    {"attempts", N_("Attempts"), COLUMN_NUMBER}, {"size", N_("Size"), COLUMN_BYTES},
    {"flow", N_("Flow"), COLUMN_TEXT},           {"id", N_("Id"), COLUMN_TEXT},
};

static const struct column lines[] = {
    {"address", N_("Address"), COLUMN_TEXT},
    {"sequence", N_("Number"), COLUMN_NUMBER},
    {"why", N_("Why"), COLUMN_TEXT},
    {"reason", N_("Reason given"), COLUMN_TEXT},
    {"attempts", N_("Attempts"), COLUMN_NUMBER},
    {"history", N_("History"), COLUMN_TEXT},
    {"whole", N_("Message"), COLUMN_TEXT},
    {"accepted", N_("Accepted"), COLUMN_TEXT},
    {"died", N_("Given up"), COLUMN_TEXT},
    {"expires", N_("Expires"), COLUMN_TEXT},
    {"size", N_("Size"), COLUMN_BYTES},
    {"id", N_("Id"), COLUMN_TEXT},
    {"source", N_("Source"), COLUMN_TEXT},
    {"from", N_("From"), COLUMN_TEXT},
    {"flow", N_("Flow"), COLUMN_TEXT},
    {"type", N_("Type"), COLUMN_TEXT},
};

struct listing {
    relais_client *client;
    json_t *rows;
    bool for_people;
};

static relais_status list_mailbox(struct listing *listing, const char *address, relais_error *error)
{
    struct dead_letters letters;
    const relais_dead_letter *letter = NULL;
    relais_status status = RELAIS_OK;
    if (!dead_letters_init(&letters, listing->client, address)) {
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    do {
        status = dead_letters_next(&letters, &letter, error);
        if (letter) {
            json_array_append_new(listing->rows,
                                  dead_letter_json(address, letter, listing->for_people));
        }
    } while (letter);
    dead_letters_fini(&letters);
    return status;
}

/* Each mailbox that we may see and that has some. */
static relais_status list_all(struct listing *listing, relais_error *error)
{
    relais_queue *page = calloc(QUEUES_PAGE, sizeof(*page));
    char after[sizeof(page->address)] = "";
    bool more = true;
    relais_status status = RELAIS_OK;
    if (!page) {
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    while (status == RELAIS_OK && more) {
        size_t count = 0;
        status =
            relais_query_queues(listing->client, after, page, QUEUES_PAGE, &count, &more, error);
        for (size_t i = 0; status == RELAIS_OK && i < count; i++) {
            status = page[i].dead > 0 ? list_mailbox(listing, page[i].address, error) : RELAIS_OK;
        }
        if (status != RELAIS_OK || count == 0) {
            break;
        }
        snprintf(after, sizeof(after), "%s", page[count - 1].address);
    }
    free(page);
    return status;
}

static enum exit_code run_list(struct invocation *invocation)
{
    const struct options *line = &invocation->options;
    const char *address = line->argument_count > 0 ? line->arguments[0] : NULL;
    struct session session;
    relais_error error = {0};
    if (address && !relais_address_is_valid(address)) {
        return talk_usage(invocation->command, _("\"%s\" is not an address; member/service"),
                          address);
    }
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    struct listing listing = {.client = session.client,
                              .rows = json_array(),
                              .for_people = invocation->output.format == OUTPUT_TABLE};
    relais_status status =
        address ? list_mailbox(&listing, address, &error) : list_all(&listing, &error);
    session_close(&session);
    if (status != RELAIS_OK) {
        json_decref(listing.rows);
        return talk_error(&error);
    }
    return talk_end(output_list(&invocation->output, columns, OPTION_COUNT(columns), listing.rows));
}

static enum exit_code run_show(struct invocation *invocation)
{
    char *const *arguments = invocation->options.arguments;
    bool for_people = invocation->output.format == OUTPUT_TABLE;
    uint64_t sequence = 0;
    struct session session;
    relais_error error = {0};
    relais_dead_letter letter;
    if (!relais_address_is_valid(arguments[0])) {
        return talk_usage(invocation->command, _("\"%s\" is not an address; member/service"),
                          arguments[0]);
    }
    if (!options_parse_number(arguments[1], 1, UINT64_MAX, &sequence)) {
        return talk_usage(invocation->command, _("\"%s\" is not the number of a dead letter"),
                          arguments[1]);
    }
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_status status;
    unsigned times = 0;
    do {
        status = relais_dead_show(session.client, arguments[0], sequence, &letter, &error);
    } while (status != RELAIS_OK && dead_letters_wait(&error, &times));
    session_close(&session);
    if (status != RELAIS_OK) {
        return talk_error(&error);
    }
    return talk_end(output_object(&invocation->output, lines, OPTION_COUNT(lines),
                                  dead_letter_json(arguments[0], &letter, for_people)));
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_dead_list = {
    .words = "dead list",
    .summary = N_("list dead letters: deliveries that were given up"),
    .arguments = "[ADDRESS]",
    .examples = "relais dead list\nrelais dead list commune-76540/etat-civil -o jsonl\n",
    .notes =
        N_("A client with the role operate sees all of them, another its own member's. Neither "
           "payload nor subject is shown."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_max = 1,
    .argument_words = WORDS_ADDRESS,
    .run = run_list,
};

const struct command command_dead_show = {
    .words = "dead show",
    .summary = N_("show one dead letter, and whether its message is whole"),
    .arguments = "ADDRESS NUMBER",
    .examples = "relais dead show commune-76540/etat-civil 1234\n",
    .notes = N_("The number is that of dead list. Neither payload nor subject is shown."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 2,
    .arguments_max = 2,
    .argument_words = WORDS_ADDRESS,
    .run = run_show,
};
