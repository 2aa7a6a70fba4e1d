/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais member usage: what a member uses of its quotas.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/operate.h>

enum { DEFAULT_TIMEOUT_S = 10 };

static const struct column columns[] = {
    {"member", N_("Member"), COLUMN_TEXT},
    {"messages", N_("Messages in the store"), COLUMN_NUMBER},
    {"messages_quota", N_("At most"), COLUMN_NUMBER},
    {"bytes", N_("Their size"), COLUMN_BYTES},
    {"bytes_quota", N_("At most"), COLUMN_BYTES},
    {"connections", N_("Connections"), COLUMN_NUMBER},
    {"connections_quota", N_("At most"), COLUMN_NUMBER},
    {"rate_quota", N_("Messages a second, at most"), COLUMN_NUMBER},
    {"burst_quota", N_("Messages at once, at most"), COLUMN_NUMBER},
    {"burst", N_("Messages at once, now"), COLUMN_NUMBER},
    {"refused_total", N_("Refused since start"), COLUMN_NUMBER},
};

/* Without a quota: null, which people see as nothing. */
static json_t *quota_json(uint64_t quota)
{
    return quota > 0 ? json_integer((json_int_t)quota) : json_null();
}

static json_t *usage_json(const relais_usage *usage)
{
    json_t *burst = usage->rate_quota > 0 ? json_integer(usage->burst) : json_null();
    json_t *burst_quota = quota_json(usage->rate_quota > 0 ? usage->burst_quota : 0);
    return json_pack("{s:s, s:I, s:o, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:I}", "member",
                     usage->member, "messages", (json_int_t)usage->messages, "messages_quota",
                     quota_json(usage->messages_quota), "bytes", (json_int_t)usage->bytes,
                     "bytes_quota", quota_json(usage->bytes_quota), "connections",
                     (json_int_t)usage->connections, "connections_quota",
                     quota_json(usage->connections_quota), "rate_quota",
                     quota_json(usage->rate_quota), "burst_quota", burst_quota, "burst", burst,
                     "refused_total", (json_int_t)usage->refused_total);
}

static enum exit_code run(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    const char *member = options->argument_count > 0 ? options->arguments[0] : NULL;
    struct session session;
    enum exit_code code = session_open(invocation, DEFAULT_TIMEOUT_S, &session);
    if (code != CODE_DONE) {
        return code;
    }
    relais_error error = {0};
    relais_usage usage;
    relais_status status =
        relais_query_usage(session.client, member, session.timeout_ms, &usage, &error);
    session_close(&session);
    if (status != RELAIS_OK) {
        return talk_error(&error);
    }
    return talk_end(
        output_object(&invocation->output, columns, OPTION_COUNT(columns), usage_json(&usage)));
}

static const struct option_spec options[] = {
    OPTION_TIMEOUT(N_("how long to wait for the broker (default: 10)")),
    OPTION_PROFILE,
    OPTION_HOME,
};

const struct command command_member_usage = {
    .words = "member usage",
    .summary = N_("show what an authority uses of its quotas"),
    .arguments = "[SLUG]",
    .examples = "relais member usage\n"
                "relais member usage commune-76540 --profile operator/client.yaml -o json\n",
    .notes = N_("Without SLUG our own member; another one needs the role operate."),
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_max = 1,
    .argument_words = WORDS_MEMBER,
    .run = run,
};
