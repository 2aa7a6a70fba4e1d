/* SPDX-License-Identifier: EUPL-1.2
 *
 * relais init: makes a broker's home.
 *
 *   1. Nothing that exists is touched: the folder must be new or empty.
 *   2. relaisd.yaml comes last: a folder without it is no home.
 */
#include "cli/command.h"
#include "cli/home.h"
#include "cli/talk.h"
#include "program/file.h"
#include "program/locale.h"

#include <dirent.h>
#include <errno.h>
#include <relais/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN "tcp://127.0.0.1:5770"

enum { FOLDER_MODE = 0700, CONFIG_MODE = 0644, CONFIG_BYTES = 8192, ENDPOINT_BYTES = 200 };

static const char config_text[] =
    "# SPDX-License-Identifier: CC0-1.0\n"
    "# The broker's configuration. Paths are relative to this file; what is commented out is the\n"
    "# default. Check a change with: relaisd --config relaisd.yaml --check\n"
    "# Any value can be given by the environment instead: RELAIS_LISTEN, RELAIS_STORE_PATH, ...\n"
    "\n"
    "# Where clients connect. tcp://*:5770 listens on every address of this machine.\n"
    "listen: '%s'\n"
    "\n"
    "# The broker's secret key (mode 0600). Clients know its public half.\n"
    "key: keys/broker.key\n"
    "\n"
    "# One file a member, one a flow; read again on SIGHUP.\n"
    "members: members\n"
    "flows: flows\n"
    "\n"
    "store:\n"
    "  # A folder on a local disk (not NFS). Made when absent.\n"
    "  path: store\n"
    "  # Largest size of the store's file; it grows as needed.\n"
    "  # map_size_mb: 65536\n"
    "  # Free room on the disk below which new messages are refused.\n"
    "  # reserve_mb: 64\n"
    "  # How long the id of an accepted message is remembered, and how many ids at most.\n"
    "  # duplicate_window_h: 24\n"
    "  # duplicate_max: 10000000\n"
    "\n"
    "# limits:\n"
    "  # Largest payload of one message.\n"
    "  # payload_bytes: 1048576\n"
    "  # Connections in all, and of one key.\n"
    "  # connections: 10000\n"
    "  # connections_per_key: 8\n"
    "  # What may wait in memory for the disk.\n"
    "  # storing_mb: 48\n"
    "\n"
    "# delivery:\n"
    "  # Time that a recipient has to answer a delivery.\n"
    "  # lease_s: 120\n"
    "  # Deliveries of a message before it becomes a dead letter, and the pause between them.\n"
    "  # attempts: 10\n"
    "  # retry_s: 5\n"
    "\n"
    "# log:\n"
    "  # logfmt or json; error, warning, notice or debug.\n"
    "  # format: logfmt\n"
    "  # level: notice\n";

/* "tcp://host:port" with a port number. Out: where the port's colon is. */
static bool listen_is_valid(const char *listen, const char **out_colon)
{
    static const char scheme[] = "tcp://";
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".-:*[]%";
    uint64_t port = 0;
    if (strncmp(listen, scheme, sizeof(scheme) - 1) != 0 || strlen(listen) >= ENDPOINT_BYTES) {
        return false;
    }
    const char *host = listen + sizeof(scheme) - 1;
    const char *colon = strrchr(host, ':');
    *out_colon = colon;
    return colon && colon > host && strspn(host, allowed) == strlen(host) &&
           options_parse_number(colon + 1, 1, UINT16_MAX, &port);
}

/* Where a client on this machine connects to a broker that listens there. */
static void local_endpoint(const char *listen, const char *colon, char *endpoint, size_t size)
{
    static const char *const everywhere[] = {"tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"};
    const char *text = listen;
    for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
        if (strncmp(listen, everywhere[i], strlen(everywhere[i])) == 0) {
            text = NULL;
        }
    }
    if (text) {
        snprintf(endpoint, size, "%s", text);
    } else {
        snprintf(endpoint, size, "tcp://127.0.0.1%s", colon);
    }
}

static relais_status check_empty(const char *path, relais_error *error)
{
    DIR *folder = opendir(path);
    if (!folder) {
        return errno == ENOENT ? RELAIS_OK : talk_fill_errno(error, errno, path);
    }
    relais_status status = RELAIS_OK;
    for (const struct dirent *entry; status == RELAIS_OK && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = talk_fill(error, RELAIS_ALREADY_EXISTS, path, _("the folder is not empty"),
                               _("a new or an empty folder"));
        }
    }
    closedir(folder);
    return status;
}

static relais_status make_folders(const char *home, relais_error *error)
{
    static const char *const names[] = {".", "keys", "members", "flows", "operator"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[HOME_PATH_BYTES];
        if (!home_join(path, sizeof(path), home, names[i], "")) {
            return talk_fill(error, RELAIS_SYSTEM, home, _("a path is too long"), NULL);
        }
        if (file_make_folder(path, FOLDER_MODE, error) != RELAIS_OK) {
            return error->status;
        }
    }
    return RELAIS_OK;
}

/* Makes a key pair in the home; gives only the public half. */
static relais_status make_key(const char *home, const char *name, char *out_public, size_t size,
                              relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_key key;
    if (!home_join(path, sizeof(path), home, name, "")) {
        return talk_fill(error, RELAIS_SYSTEM, home, _("a path is too long"), NULL);
    }
    relais_status status = relais_key_new(&key, error);
    if (status == RELAIS_OK) {
        status = relais_key_save(&key, path, error);
    }
    if (status == RELAIS_OK) {
        snprintf(out_public, size, "%s", key.public_key);
    }
    relais_key_wipe(&key);
    return status;
}

static relais_status save_operator(const char *home, const char *name, char *public_key,
                                   relais_error *error)
{
    char path[HOME_PATH_BYTES];
    char *services[] = {(char *)"desk"};
    relais_member_client clients[] = {
        {.name = (char *)"cli",
         .key = public_key,
         .roles = RELAIS_ROLE_SEND | RELAIS_ROLE_RECEIVE | RELAIS_ROLE_OPERATE}};
    const relais_member member = {.slug = (char *)"operator",
                                  .name = (char *)name,
                                  .kind = RELAIS_KIND_OPERATOR,
                                  .services = services,
                                  .service_count = 1,
                                  .clients = clients,
                                  .client_count = 1};
    if (!home_join(path, sizeof(path), home, "members/operator.yaml", "")) {
        return talk_fill(error, RELAIS_SYSTEM, home, _("a path is too long"), NULL);
    }
    return relais_member_save(&member, path, error);
}

static relais_status save_profile(const char *home, const char *endpoint, const char *broker_key,
                                  relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_profile profile = {.key_path = "client.key", .member = "operator", .client = "cli"};
    snprintf(profile.endpoint, sizeof(profile.endpoint), "%s", endpoint);
    snprintf(profile.broker_key, sizeof(profile.broker_key), "%s", broker_key);
    if (!home_join(path, sizeof(path), home, "operator/client.yaml", "")) {
        return talk_fill(error, RELAIS_SYSTEM, home, _("a path is too long"), NULL);
    }
    return relais_profile_save(&profile, path, error);
}

static relais_status save_config(const char *home, const char *listen, relais_error *error)
{
    char path[HOME_PATH_BYTES];
    char text[CONFIG_BYTES];
    int length = snprintf(text, sizeof(text), config_text, listen);
    if (!home_join(path, sizeof(path), home, "relaisd.yaml", "")) {
        return talk_fill(error, RELAIS_SYSTEM, home, _("a path is too long"), NULL);
    }
    return file_create(path, text, (size_t)length, CONFIG_MODE, error);
}

static enum exit_code run(struct invocation *invocation)
{
    const char *home = invocation->options.arguments[0];
    const char *listen = options_text(&invocation->options, "listen");
    const char *name = options_text(&invocation->options, "name");
    const char *colon = NULL;
    char endpoint[ENDPOINT_BYTES + sizeof("127.0.0.1")];
    char broker_key[RELAIS_KEY_CHARACTERS + 1];
    char operator_key[RELAIS_KEY_CHARACTERS + 1];
    relais_error error;
    listen = listen ? listen : DEFAULT_LISTEN;
    name = name ? name : _("Operator of the bus");
    if (!listen_is_valid(listen, &colon)) {
        return talk_usage(invocation->command,
                          _("--listen: \"%s\" will not do; tcp://ADDRESS:PORT, port 1 to 65535"),
                          listen);
    }
    local_endpoint(listen, colon, endpoint, sizeof(endpoint));
    if (check_empty(home, &error) != RELAIS_OK || make_folders(home, &error) != RELAIS_OK ||
        make_key(home, "keys/broker.key", broker_key, sizeof(broker_key), &error) != RELAIS_OK ||
        make_key(home, "operator/client.key", operator_key, sizeof(operator_key), &error) !=
            RELAIS_OK ||
        save_operator(home, name, operator_key, &error) != RELAIS_OK ||
        save_profile(home, endpoint, broker_key, &error) != RELAIS_OK ||
        save_config(home, listen, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    talk_note(&invocation->output, _("Next: relaisd --config %s/relaisd.yaml"), home);
    static const struct column columns[] = {
        {"home", N_("Home"), COLUMN_TEXT},
        {"listen", N_("Listens on"), COLUMN_TEXT},
        {"broker_key", N_("Broker's public key"), COLUMN_TEXT},
    };
    return talk_end(output_object(
        &invocation->output, columns, OPTION_COUNT(columns),
        json_pack("{s:s, s:s, s:s}", "home", home, "listen", listen, "broker_key", broker_key)));
}

static const struct option_spec options[] = {
    {"listen", 'l', WORDS_NONE, "ENDPOINT",
     N_("where clients connect (default: tcp://127.0.0.1:5770)")},
    {"name", 'n', WORDS_NONE, "NAME", N_("name of the authority that operates the bus")},
};

const struct command command_init = {
    .words = "init",
    .summary = N_("make a broker's home: keys, configuration, first operator"),
    .arguments = "HOME",
    .examples = "relais init bus\n"
                "relais init /srv/relais --listen 'tcp://*:5770' --name 'Métropole de Rouen'\n",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .arguments_min = 1,
    .arguments_max = 1,
    .argument_words = WORDS_FOLDER,
    .run = run,
};
