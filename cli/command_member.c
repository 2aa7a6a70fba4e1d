/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais member add|list|show: the authorities on the bus.
 */
#include "cli/command.h"
#include "cli/directory_json.h"
#include "cli/home_list.h"
#include "cli/quota_option.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <relais/identity.h>
#include <stdlib.h>
#include <string.h>

static const struct column list_columns[] = {
    {"slug", N_("Member"), COLUMN_TEXT},       {"kind", N_("Kind"), COLUMN_TEXT},
    {"name", N_("Name"), COLUMN_TEXT},         {"services", N_("Services"), COLUMN_TEXT},
    {"clients", N_("Clients"), COLUMN_NUMBER},
};

static const struct column show_columns[] = {
    {"slug", N_("Member"), COLUMN_TEXT},
    {"name", N_("Name"), COLUMN_TEXT},
    {"kind", N_("Kind"), COLUMN_TEXT},
    {"siret", N_("SIRET"), COLUMN_TEXT},
    {"insee", N_("INSEE code"), COLUMN_TEXT},
    {"services", N_("Services"), COLUMN_TEXT},
    {"client_names", N_("Clients"), COLUMN_TEXT},
    {"signing_keys", N_("Signing keys"), COLUMN_TEXT},
    {"quota_texts", N_("Quotas of its own"), COLUMN_TEXT},
    {"subscriptions", N_("Subscriptions"), COLUMN_TEXT},
};

static enum exit_code add(const struct invocation *invocation, const struct home *home,
                          const relais_member *member)
{
    relais_error error;
    if (relais_member_check(member, &error) != RELAIS_OK) {
        return talk_argument_error(&error);
    }
    if (home_has_member(home, member->slug)) {
        talk_fill(&error, RELAIS_ALREADY_EXISTS, "SLUG", member->slug,
                  _("another name, or a change in its file in members/"));
        return talk_error(&error);
    }
    if (home_save_member(home, member, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    home_reload(home, invocation);
    return talk_end(output_object(&invocation->output, show_columns, OPTION_COUNT(show_columns),
                                  member_json(member)));
}

static enum exit_code run_add(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    relais_member_kind kind = RELAIS_KIND_COMMUNE;
    const char *kind_name = options_text(options, "kind");
    const char *name = options_text(options, "name");
    relais_error error;
    struct home home;
    if (!kind_name || !relais_member_kind_parse(kind_name, &kind)) {
        return talk_usage(invocation->command,
                          _("--kind: \"%s\" will not do; commune, epci, departement, region, "
                            "state or operator"),
                          kind_name ? kind_name : "");
    }
    if (!name) {
        return talk_usage(invocation->command, _("--name is missing: how people call the member"));
    }
    struct quota_option quota;
    const char *wrong = "";
    if (!quota_option_read(options, &quota, &wrong)) {
        return talk_usage(invocation->command,
                          _("--quota: \"%s\" will not do; messages=, bytes=, rate=, burst= or "
                            "connections= and a number"),
                          wrong);
    }
    char signing_key[RELAIS_IDENTITY_TEXT_BYTES];
    char *signing_keys[] = {signing_key};
    const char *signing_path = options_text(options, "signing-key");
    if (signing_path &&
        relais_identity_load_public(signing_path, signing_key, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    if (home_find(options, &home, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    size_t service_count = 0;
    const char **services = options_values(options, "service", &service_count);
    /* The member is only read; nothing writes through these. */
    relais_member member = {.slug = options->arguments[0],
                            .name = (char *)name,
                            .kind = kind,
                            .siret = (char *)options_text(options, "siret"),
                            .insee = (char *)options_text(options, "insee"),
                            .services = (char **)services,
                            .service_count = service_count,
                            .signing_keys = signing_keys,
                            .signing_key_count = signing_path ? 1 : 0,
                            .quota = options_has(options, "quota") ? &quota.quota : NULL};
    enum exit_code code = add(invocation, &home, &member);
    free(services);
    return code;
}

static enum exit_code run_show(struct invocation *invocation)
{
    relais_error error;
    struct home home;
    relais_member *member = NULL;
    if (home_find(&invocation->options, &home, &error) != RELAIS_OK ||
        home_member(&home, invocation->options.arguments[0], &member, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    json_t *object = member_json(member);
    relais_member_free(member);
    return talk_end(
        output_object(&invocation->output, show_columns, OPTION_COUNT(show_columns), object));
}

static relais_status add_row(const struct invocation *invocation, const struct home *home,
                             const char *name, json_t *rows, relais_error *error)
{
    relais_member *member = NULL;
    relais_status status = home_member(home, name, &member, error);
    if (status == RELAIS_OK) {
        json_array_append_new(rows, invocation->output.format == OUTPUT_TABLE
                                        ? member_row_json(member)
                                        : member_json(member));
        relais_member_free(member);
    }
    return status;
}

static enum exit_code run_list(struct invocation *invocation)
{
    return home_list(invocation, HOME_MEMBERS, add_row, list_columns, OPTION_COUNT(list_columns));
}

static const struct option_spec add_options[] = {
    {"kind", 'k', WORDS_KIND, "KIND", N_("commune, epci, departement, region, state or operator")},
    {"name", 'n', WORDS_NONE, "NAME", N_("how people call it")},
    {"siret", 0, WORDS_NONE, "DIGITS", N_("its SIRET, 14 digits; the check digit is verified")},
    {"insee", 0, WORDS_NONE, "CODE", N_("INSEE code of a commune, 5 characters")},
    {"service", 's', WORDS_NONE, "SERVICE", N_("a mailbox; again for more")},
    {"signing-key", 0, WORDS_FILE, "FILE.pub",
     N_("the public key by which it signs (relais key new --signing)")},
    {"quota", 0, WORDS_NONE, "NAME=NUMBER",
     N_("messages, bytes, rate, burst or connections at most; again for more")},
    OPTION_HOME,
    OPTION_NO_RELOAD,
};

static const struct option_spec home_options[] = {OPTION_HOME};

const struct command command_member_add = {
    .words = "member add",
    .summary = N_("add an authority to the bus"),
    .arguments = "SLUG",
    .examples = "relais member add commune-76540 --kind commune --name 'Ville de Rouen' \\\n"
                "    --siret 21760540300013 --insee 76540 --service etat-civil\n",
    .options = add_options,
    .option_count = OPTION_COUNT(add_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_add,
};

const struct command command_member_list = {
    .words = "member list",
    .summary = N_("list the authorities on the bus"),
    .arguments = "",
    .examples = "relais member list\nrelais member list -o json\n",
    .options = home_options,
    .option_count = OPTION_COUNT(home_options),
    .run = run_list,
};

const struct command command_member_show = {
    .words = "member show",
    .summary = N_("show one authority"),
    .arguments = "SLUG",
    .examples = "relais member show commune-76540\n",
    .options = home_options,
    .option_count = OPTION_COUNT(home_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_MEMBER,
    .run = run_show,
};
