/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais client add|list: the key pairs that may speak for a member.
 */
#include "cli/command.h"
#include "cli/directory_json.h"
#include "cli/home_list.h"
#include "cli/key_file.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <relais/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_MODE = 0700 };

/* What is to be registered. */
struct candidate {
    const char *member;
    const char *name;
    unsigned roles;
    char public_key[RELAIS_KEY_CHARACTERS + 1];
};

/* A key speaks for one client of one member only; a name is one client of its member. */
static relais_status check_free(const struct home *home, const struct candidate *candidate,
                                relais_error *error)
{
    char **names = NULL;
    size_t count = 0;
    relais_status status = home_names(home->members, &names, &count, error);
    for (size_t i = 0; status == RELAIS_OK && i < count; i++) {
        relais_member *member = NULL;
        status = home_member(home, names[i], &member, error);
        for (size_t k = 0; status == RELAIS_OK && k < member->client_count; k++) {
            if (strcmp(member->clients[k].key, candidate->public_key) == 0) {
                status = talk_fill(error, RELAIS_ALREADY_EXISTS, "--key", member->slug,
                                   _("a key that no client has yet: relais key new"));
            } else if (strcmp(member->slug, candidate->member) == 0 &&
                       strcmp(member->clients[k].name, candidate->name) == 0) {
                status = talk_fill(error, RELAIS_ALREADY_EXISTS, "NAME", candidate->name,
                                   _("a name that no client of this member has"));
            }
        }
        relais_member_free(member);
    }
    home_names_free(names, count);
    return status;
}

static relais_status append_client(relais_member *member, const struct candidate *candidate,
                                   relais_error *error)
{
    relais_member_client *clients =
        realloc(member->clients, (member->client_count + 1) * sizeof(*clients));
    char *name = strdup(candidate->name);
    char *key = strdup(candidate->public_key);
    if (clients) {
        member->clients = clients;
    }
    if (!clients || !name || !key) {
        free(name);
        free(key);
        return talk_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    clients[member->client_count++] =
        (relais_member_client){.name = name, .key = key, .roles = candidate->roles};
    return relais_member_check(member, error);
}

/* The broker's endpoint and key, as the operator's own profile has them. */
static relais_status broker_profile(const struct home *home, const struct invocation *invocation,
                                    const struct candidate *candidate, relais_profile *out_profile,
                                    relais_error *error)
{
    char path[HOME_PATH_BYTES];
    const char *endpoint = options_text(&invocation->options, "broker");
    if (!home_join(path, sizeof(path), home->path, "operator/client.yaml", "")) {
        return talk_fill(error, RELAIS_SYSTEM, home->path, _("a path is too long"), NULL);
    }
    relais_status status = relais_profile_load(path, out_profile, error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (endpoint) {
        snprintf(out_profile->endpoint, sizeof(out_profile->endpoint), "%s", endpoint);
    }
    snprintf(out_profile->key_path, sizeof(out_profile->key_path), "client.key");
    snprintf(out_profile->member, sizeof(out_profile->member), "%s", candidate->member);
    snprintf(out_profile->client, sizeof(out_profile->client), "%s", candidate->name);
    return RELAIS_OK;
}

/* Writes client.key, client.key.pub and client.yaml into the folder. */
static relais_status make_profile_folder(const char *folder, const relais_key *key,
                                         const relais_profile *profile, relais_error *error)
{
    char key_path[HOME_PATH_BYTES];
    char profile_path[HOME_PATH_BYTES];
    if (!home_join(key_path, sizeof(key_path), folder, "client.key", "") ||
        !home_join(profile_path, sizeof(profile_path), folder, "client.yaml", "")) {
        return talk_fill(error, RELAIS_SYSTEM, folder, _("a path is too long"), NULL);
    }
    relais_status status = file_make_folder(folder, FOLDER_MODE, error);
    if (status == RELAIS_OK) {
        status = relais_key_save(key, key_path, error);
    }
    return status == RELAIS_OK ? relais_profile_save(profile, profile_path, error) : status;
}

static enum exit_code print_profile(const struct output *output, const relais_profile *profile)
{
    if (output->format == OUTPUT_TABLE) {
        printf("broker: '%s'\nbroker_key: '%s'\nkey: %s\nmember: %s\nclient: %s\n",
               profile->endpoint, profile->broker_key, profile->key_path, profile->member,
               profile->client);
        return CODE_DONE;
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "broker", profile->endpoint,
                               "broker_key", profile->broker_key, "key", profile->key_path,
                               "member", profile->member, "client", profile->client);
    return talk_end(output_object(output, NULL, 0, object));
}

/* The key pair: read from --key (public half only), or new for --new. */
static relais_status take_key(const struct options *options, relais_key *out_key,
                              relais_error *error)
{
    const char *path = options_text(options, "key");
    return path ? key_file_read_public(path, out_key, error) : relais_key_new(out_key, error);
}

/* The operator's own address of the broker is of no use to a client on another machine. */
static void warn_of_loopback(const struct invocation *invocation, const char *endpoint)
{
    static const char *const loopback[] = {"tcp://127.", "tcp://localhost:", "tcp://[::1]:"};
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        if (strncmp(endpoint, loopback[i], strlen(loopback[i])) == 0) {
            talk_note(&invocation->output,
                      _("The profile says %s: a client on another machine needs --broker "
                        "tcp://HOST:PORT, or this line changed."),
                      endpoint);
        }
    }
}

static enum exit_code register_client(const struct invocation *invocation, const struct home *home,
                                      const struct candidate *candidate, const relais_key *key)
{
    const char *folder = options_text(&invocation->options, "new");
    relais_error error;
    relais_profile profile;
    relais_member *member = NULL;
    enum exit_code code = CODE_DONE;
    relais_status status = home_member(home, candidate->member, &member, &error);
    if (status == RELAIS_OK) {
        status = check_free(home, candidate, &error);
    }
    if (status == RELAIS_OK && append_client(member, candidate, &error) != RELAIS_OK) {
        code = talk_argument_error(&error);
        goto done;
    }
    if (status == RELAIS_OK) {
        status = broker_profile(home, invocation, candidate, &profile, &error);
    }
    if (status == RELAIS_OK && folder) {
        status = make_profile_folder(folder, key, &profile, &error);
    }
    if (status == RELAIS_OK) {
        status = home_save_member(home, member, &error);
    }
    if (status != RELAIS_OK) {
        code = talk_error(&error);
        goto done;
    }
    home_reload(home, invocation);
    if (!options_has(&invocation->options, "broker")) {
        warn_of_loopback(invocation, profile.endpoint);
    }
    if (folder) {
        talk_note(&invocation->output,
                  _("%s holds the profile and its secret key: hand it over by a safe way."),
                  folder);
    } else {
        talk_note(&invocation->output,
                  _("Send this profile (client.yaml) back to the owner of the key:"));
    }
    code = print_profile(&invocation->output, &profile);
done:
    relais_member_free(member);
    return code;
}

static enum exit_code parse_roles(const struct invocation *invocation, unsigned *out_roles)
{
    size_t count = 0;
    const char **roles = options_values(&invocation->options, "role", &count);
    enum exit_code code = CODE_DONE;
    *out_roles = 0;
    for (size_t i = 0; code == CODE_DONE && i < count; i++) {
        unsigned role = 0;
        if (role_parse(roles[i], &role)) {
            *out_roles |= role;
        } else {
            code =
                talk_usage(invocation->command,
                           _("--role: \"%s\" is not a role; send, receive or operate"), roles[i]);
        }
    }
    free(roles);
    if (code == CODE_DONE && *out_roles == 0) {
        code = talk_usage(invocation->command, _("--role is missing: send, receive or operate"));
    }
    return code;
}

static enum exit_code run_add(struct invocation *invocation)
{
    const struct options *options = &invocation->options;
    struct candidate candidate = {.member = options->arguments[0], .name = options->arguments[1]};
    relais_error error;
    relais_key key;
    struct home home;
    if (options_has(options, "key") == options_has(options, "new")) {
        return talk_usage(invocation->command, _("give either --key FILE.pub or --new FOLDER"));
    }
    enum exit_code code = parse_roles(invocation, &candidate.roles);
    if (code != CODE_DONE) {
        return code;
    }
    if (home_find(options, &home, &error) != RELAIS_OK ||
        take_key(options, &key, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    snprintf(candidate.public_key, sizeof(candidate.public_key), "%s", key.public_key);
    code = register_client(invocation, &home, &candidate, &key);
    relais_key_wipe(&key);
    return code;
}

static relais_status add_rows(const struct invocation *invocation, const struct home *home,
                              const char *name, json_t *rows, relais_error *error)
{
    (void)invocation;
    relais_member *member = NULL;
    relais_status status = home_member(home, name, &member, error);
    if (status == RELAIS_OK) {
        for (size_t k = 0; k < member->client_count; k++) {
            json_array_append_new(rows, client_json(member, &member->clients[k]));
        }
        relais_member_free(member);
    }
    return status;
}

static enum exit_code run_list(struct invocation *invocation)
{
    static const struct column columns[] = {
        {"member", N_("Member"), COLUMN_TEXT},
        {"client", N_("Client"), COLUMN_TEXT},
        {"roles", N_("Roles"), COLUMN_TEXT},
        {"key", N_("Public key"), COLUMN_TEXT},
    };
    return home_list(invocation, HOME_MEMBERS, add_rows, columns, OPTION_COUNT(columns));
}

static const struct option_spec add_options[] = {
    {"role", 'r', WORDS_ROLE, "ROLE", N_("send, receive or operate; again for more")},
    {"key", 'k', WORDS_FILE, "FILE.pub", N_("the public key that the client's owner has sent")},
    {"new", 0, WORDS_FOLDER, "FOLDER",
     N_("make the key pair here, and a ready profile: client.yaml, client.key")},
    {"broker", 0, WORDS_NONE, "ENDPOINT",
     N_("the broker's address as this client sees it (default: the operator's)")},
    OPTION_HOME,
    OPTION_NO_RELOAD,
};

static const struct option_spec list_options[] = {OPTION_HOME};

const struct command command_client_add = {
    .words = "client add",
    .summary = N_("register a client's key for a member"),
    .arguments = "MEMBER NAME",
    .examples = "relais client add commune-76540 files --role send --role receive --new rouen\n"
                "relais client add dila api --role send --key dila.key.pub\n",
    .notes = N_("With --key the secret key never leaves its owner: the profile to send back is "
                "printed."),
    .options = add_options,
    .option_count = OPTION_COUNT(add_options),
    .arguments_min = 2,
    .arguments_max = 2,
    .argument_words = WORDS_MEMBER,
    .run = run_add,
};

const struct command command_client_list = {
    .words = "client list",
    .summary = N_("list the registered clients"),
    .arguments = "",
    .examples = "relais client list\n",
    .options = list_options,
    .option_count = OPTION_COUNT(list_options),
    .run = run_list,
};
