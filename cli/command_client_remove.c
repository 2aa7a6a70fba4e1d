/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais client remove: a key is withdrawn. The running broker is told, and cuts it at once.
 */
#include "cli/command.h"
#include "cli/directory_json.h"
#include "cli/home.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {"member", N_("Member"), COLUMN_TEXT},
    {"client", N_("Client"), COLUMN_TEXT},
    {"roles", N_("Roles"), COLUMN_TEXT},
    {"key", N_("Public key"), COLUMN_TEXT},
};

/* The client's place in its member; the count when there is none. */
static size_t find(const relais_member *member, const char *name)
{
    size_t at = 0;
    while (at < member->client_count && strcmp(member->clients[at].name, name) != 0) {
        at++;
    }
    return at;
}

/* Takes the client out, and gives what it was. */
static json_t *take_out(relais_member *member, size_t at)
{
    json_t *row = client_json(member, &member->clients[at]);
    free(member->clients[at].name);
    free(member->clients[at].key);
    member->client_count--;
    memmove(&member->clients[at], &member->clients[at + 1],
            (member->client_count - at) * sizeof(*member->clients));
    return row;
}

static enum exit_code run(struct invocation *invocation)
{
    char *const *arguments = invocation->options.arguments;
    relais_member *member = NULL;
    relais_error error;
    struct home home;
    if (home_find(&invocation->options, &home, &error) != RELAIS_OK ||
        home_member(&home, arguments[0], &member, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    size_t at = find(member, arguments[1]);
    if (at == member->client_count) {
        relais_member_free(member);
        talk_fill(&error, RELAIS_NOT_FOUND, "NAME", arguments[1],
                  _("a client of this member (relais client list)"));
        return talk_error(&error);
    }
    json_t *row = take_out(member, at);
    relais_status status = home_save_member(&home, member, &error);
    relais_member_free(member);
    if (status != RELAIS_OK) {
        json_decref(row);
        return talk_error(&error);
    }
    home_reload(&home, invocation);
    return talk_end(output_object(&invocation->output, columns, OPTION_COUNT(columns), row));
}

static const struct option_spec options[] = {
    OPTION_HOME,
    OPTION_NO_RELOAD,
};

const struct command command_client_remove = {
    .words = "client remove",
    .summary = N_("withdraw a client's key"),
    .arguments = "MEMBER NAME",
    .examples = "relais client remove commune-76540 files\n",
    .notes = N_("A running broker takes nothing from that key and gives it nothing from then on, "
                "and cuts its connections. What it held goes back to its mailbox."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 2,
    .arguments_max = 2,
    .argument_words = WORDS_MEMBER,
    .run = run,
};
