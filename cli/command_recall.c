/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais recall: takes a message back, as far as it has not been read.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/directory.h>
#include <relais/send.h>
#include <relais/track.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 30 };

#define RECALL_TYPE "fr.relais.recall"

static json_t *outcome_json(const char *id, const char *recalled)
{
    return json_pack("{s:s, s:s, s:s}", "id", id, "recalled", recalled, "outcome", "accepted");
}

static enum exit_code print(const struct output *output, const char *id, const char *recalled)
{
    if (output->format == OUTPUT_TABLE) {
        printf("%s  %s\n", _("accepted"), id);
        return CODE_DONE;
    }
    return talk_end(output_json_line(outcome_json(id, recalled)));
}

/* The flow of the message, which the recall must have too. */
static relais_status find_flow(relais_client *client, const char *id, char *out_flow, size_t size,
                               relais_error *error)
{
    relais_track_row row;
    relais_track_page page = {.rows = &row, .capacity = 1};
    const relais_track_query query = {.id = id};
    relais_status status = relais_track(client, &query, &page, error);
    if (status == RELAIS_OK) {
        snprintf(out_flow, size, "%s", page.flow);
    }
    return status;
}

static relais_status recall(struct session *session, const struct options *line, const char *new_id,
                            relais_error *error)
{
    char flow[sizeof(((relais_track_page *)0)->flow)];
    const char *id = line->arguments[0];
    const relais_extension reason = {
        .name = "reason", .kind = RELAIS_EXTENSION_STRING, .text = options_text(line, "reason")};
    relais_status status = find_flow(session->client, id, flow, sizeof(flow), error);
    if (status != RELAIS_OK) {
        return status;
    }
    const relais_message message = {.id = new_id,
                                    .type = RECALL_TYPE,
                                    .supersedes = id,
                                    .flow = flow,
                                    .from = options_text(line, "from"),
                                    .extensions = &reason,
                                    .extension_count = 1};
    return relais_send(session->client, &message, session->timeout_ms, error);
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *line = &invocation->options;
    const char *from = options_text(line, "from");
    char new_id[33];
    struct session session;
    relais_error error = {0};
    if (!options_has(line, "reason")) {
        return talk_usage(invocation->command, _("--%s is missing"), "reason");
    }
    if (from && !relais_address_is_valid(from)) {
        return talk_usage(invocation->command,
                          _("--from: \"%s\" is not an address; member/service"), from);
    }
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_message_new_id(new_id);
    relais_status status = recall(&session, line, new_id, &error);
    session_close(&session);
    return status == RELAIS_OK ? print(&invocation->output, new_id, line->arguments[0])
                               : talk_error(&error);
}

static const struct option_spec options[] = {
    {"reason", 0, WORDS_NONE, "TEXT", N_("why, for the recipients; no personal data")},
    {"from", 0, WORDS_ADDRESS, "ADDRESS", N_("our own address, where answers may go")},
    OPTION_TIMEOUT(N_("give up when the broker is silent for so long (default: 30)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_recall = {
    .words = "recall",
    .summary = N_("take a message back, as far as nobody has it yet"),
    .arguments = "ID",
    .examples = "relais recall 2026-000123 --reason 'wrong annex'\n",
    .notes = N_("Everybody who was sent the message is told, also who has it already; copies that "
                "nobody has yet go away. relais track ID shows who has it."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
