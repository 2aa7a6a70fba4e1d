/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais flow add|list|show: what may be exchanged, by whom, and on what legal basis.
 */
#include "cli/command.h"
#include "cli/directory_json.h"
#include "cli/home_list.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS_MOST = 1000, /* as relais_flow_check() has them */
    LEASE_S_MOST = 24 * 3600,
};

static const struct column list_columns[] = {
    {"code", N_("Flow"), COLUMN_TEXT},
    {"title", N_("Title"), COLUMN_TEXT},
    {"senders", N_("Senders"), COLUMN_TEXT},
    {"receivers", N_("Receivers"), COLUMN_TEXT},
};

static const struct column show_columns[] = {
    {"code", N_("Flow"), COLUMN_TEXT},
    {"title", N_("Title"), COLUMN_TEXT},
    {"purpose", N_("Purpose"), COLUMN_TEXT},
    {"legal_basis", N_("Legal basis"), COLUMN_TEXT},
    {"senders", N_("Senders"), COLUMN_TEXT},
    {"receivers", N_("Receivers"), COLUMN_TEXT},
    {"payload_max", N_("Largest payload"), COLUMN_BYTES},
    {"attempts", N_("Attempts"), COLUMN_NUMBER},
    {"lease_s", N_("Seconds to answer"), COLUMN_NUMBER},
    {"sealing", N_("Sealing"), COLUMN_TEXT},
    {"within", N_("To be acknowledged within"), COLUMN_TEXT},
    {"remind", N_("Reminders before the end"), COLUMN_TEXT},
};

/* A rule that names a member must name one that is there. */
static relais_status check_rules(const struct home *home, const char *option,
                                 const char *const *rules, size_t count, relais_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (relais_slug_is_valid(rules[i]) && !home_has_member(home, rules[i])) {
            return talk_fill(error, RELAIS_NOT_FOUND, option, rules[i],
                             _("a member of this bus (relais member list), kind:KIND or *"));
        }
    }
    return RELAIS_OK;
}

static enum exit_code add(const struct invocation *invocation, const struct home *home,
                          const relais_flow *flow)
{
    relais_error error;
    if (relais_flow_check(flow, &error) != RELAIS_OK) {
        return talk_argument_error(&error);
    }
    if (home_has_flow(home, flow->code)) {
        talk_fill(&error, RELAIS_ALREADY_EXISTS, "CODE", flow->code,
                  _("another code, or a change in its file in flows/"));
        return talk_error(&error);
    }
    if (check_rules(home, "--sender", (const char *const *)flow->senders, flow->sender_count,
                    &error) != RELAIS_OK ||
        check_rules(home, "--receiver", (const char *const *)flow->receivers, flow->receiver_count,
                    &error) != RELAIS_OK ||
        home_save_flow(home, flow, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    home_reload(home, invocation);
    return talk_end(output_object(&invocation->output, show_columns, OPTION_COUNT(show_columns),
                                  flow_json(flow)));
}

static bool parse_setting(const struct options *options, const char *name, uint64_t most,
                          uint64_t *out_number)
{
    const char *text = options_text(options, name);
    return !text || options_parse_number(text, 1, most, out_number);
}

static enum exit_code run_add(struct invocation *invocation)
{
    static const char *const required[] = {"title", "purpose", "legal-basis", "sender", "receiver"};
    const struct options *options = &invocation->options;
    const char *limit = options_text(options, "payload-max");
    uint64_t payload_max = 0;
    uint64_t attempts = 0;
    uint64_t lease_s = 0;
    relais_error error;
    struct home home;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (!options_has(options, required[i])) {
            return talk_usage(invocation->command, _("--%s is missing"), required[i]);
        }
    }
    if (options_has(options, "remind") && !options_has(options, "within")) {
        return talk_usage(invocation->command, _("--%s is missing"), "within");
    }
    if (limit && !options_parse_number(limit, 1, INT64_MAX, &payload_max)) {
        return talk_usage(invocation->command, _("--payload-max: \"%s\" is not a number of bytes"),
                          limit);
    }
    if (!parse_setting(options, "attempts", ATTEMPTS_MOST, &attempts)) {
        return talk_usage(invocation->command, _("--attempts: \"%s\" is not a number from 1 to %d"),
                          options_text(options, "attempts"), ATTEMPTS_MOST);
    }
    if (!parse_setting(options, "lease", LEASE_S_MOST, &lease_s)) {
        return talk_usage(invocation->command, _("--lease: \"%s\" is not a number from 1 to %d"),
                          options_text(options, "lease"), LEASE_S_MOST);
    }
    if (home_find(options, &home, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    relais_acknowledge asked = {.within = (char *)options_text(options, "within")};
    relais_flow flow = {.code = options->arguments[0],
                        .title = (char *)options_text(options, "title"),
                        .purpose = (char *)options_text(options, "purpose"),
                        .legal_basis = (char *)options_text(options, "legal-basis"),
                        .payload_max = payload_max,
                        .attempts = attempts,
                        .lease_s = lease_s,
                        .sealing = (char *)options_text(options, "sealing"),
                        .acknowledge = asked.within ? &asked : NULL};
    flow.senders = (char **)options_values(options, "sender", &flow.sender_count);
    flow.receivers = (char **)options_values(options, "receiver", &flow.receiver_count);
    asked.remind = (char **)options_values(options, "remind", &asked.remind_count);
    enum exit_code code = add(invocation, &home, &flow);
    free(asked.remind);
    free(flow.senders);
    free(flow.receivers);
    return code;
}

static enum exit_code run_show(struct invocation *invocation)
{
    relais_error error;
    struct home home;
    relais_flow *flow = NULL;
    if (home_find(&invocation->options, &home, &error) != RELAIS_OK ||
        home_flow(&home, invocation->options.arguments[0], &flow, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    json_t *object = flow_json(flow);
    relais_flow_free(flow);
    return talk_end(
        output_object(&invocation->output, show_columns, OPTION_COUNT(show_columns), object));
}

static relais_status add_row(const struct invocation *invocation, const struct home *home,
                             const char *name, json_t *rows, relais_error *error)
{
    (void)invocation;
    relais_flow *flow = NULL;
    relais_status status = home_flow(home, name, &flow, error);
    if (status == RELAIS_OK) {
        json_array_append_new(rows, flow_json(flow));
        relais_flow_free(flow);
    }
    return status;
}

static enum exit_code run_list(struct invocation *invocation)
{
    return home_list(invocation, HOME_FLOWS, add_row, list_columns, OPTION_COUNT(list_columns));
}

static const struct option_spec add_options[] = {
    {"title", 't', WORDS_NONE, "TITLE", N_("how people call it")},
    {"purpose", 0, WORDS_NONE, "PURPOSE", N_("what the data may be used for")},
    {"legal-basis", 0, WORDS_NONE, "TEXT", N_("the text that allows the exchange")},
    {"sender", 0, WORDS_RULE, "RULE", N_("who may send: a member, kind:KIND or *; again for more")},
    {"receiver", 0, WORDS_RULE, "RULE", N_("who may receive, likewise")},
    {"payload-max", 0, WORDS_NONE, "BYTES", N_("largest payload (default: the broker's limit)")},
    {"attempts", 0, WORDS_NONE, "N", N_("deliveries at most (default: what the broker says)")},
    {"sealing", 0, WORDS_NONE, "WORD",
     N_("required: sealed and signed messages only; optional (default)")},
    {"lease", 0, WORDS_NONE, "SECONDS",
     N_("time to answer a delivery (default: what the broker says)")},
    {"within", 0, WORDS_NONE, "TIME",
     N_("by when a message is to be acknowledged, e.g. 15d; s, m, h or d (default: no deadline)")},
    {"remind", 0, WORDS_NONE, "TIME",
     N_("remind who has not, so long before the end; again for more, the longest first")},
    OPTION_HOME,
    OPTION_NO_RELOAD,
};

static const struct option_spec home_options[] = {OPTION_HOME};

const struct command command_flow_add = {
    .words = "flow add",
    .summary = N_("allow a kind of exchange"),
    .arguments = "CODE",
    .examples = "relais flow add ETATCIVIL --title \"Demande d'acte d'état civil\" \\\n"
                "    --purpose 'Délivrance des actes' --legal-basis 'Décret n° 2017-890' \\\n"
                "    --sender dila --receiver kind:commune --within 15d --remind 3d\n",
    .options = add_options,
    .option_count = OPTION_COUNT(add_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_add,
};

const struct command command_flow_list = {
    .words = "flow list",
    .summary = N_("list the flows of the bus"),
    .arguments = "",
    .examples = "relais flow list\n",
    .options = home_options,
    .option_count = OPTION_COUNT(home_options),
    .run = run_list,
};

const struct command command_flow_show = {
    .words = "flow show",
    .summary = N_("show one flow"),
    .arguments = "CODE",
    .examples = "relais flow show ETATCIVIL\n",
    .options = home_options,
    .option_count = OPTION_COUNT(home_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FLOW,
    .run = run_show,
};
