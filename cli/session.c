/* SPDX-License-Identifier: EUPL-1.2
 *
 * From a profile to a connected client.
 */
#include "cli/session.h"

#include "cli/home.h"
#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <relais/profile.h>
#include <relais/sealing.h>
#include <relais/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One day: longer waits are --follow's. */
enum { TIMEOUT_MAX_S = 86400, MS_PER_S = 1000, CONNECT_MAX_MS = 30000 };

/* ~/.config/relais/client.yaml; false without a home folder. */
static bool user_profile(char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    if (config && *config == '/') {
        return home_join(path, size, config, "relais/client.yaml", "");
    }
    const char *folder = getenv("HOME");
    return folder && home_join(path, size, folder, ".config/relais/client.yaml", "");
}

/* A profile that was named must be there; one that is looked for may not. */
static relais_status find_profile(const struct options *options, char *path, size_t size,
                                  relais_error *error)
{
    const char *named = options_text(options, "profile");
    if (!named) {
        named = getenv("RELAIS_PROFILE");
    }
    if (named && *named != '\0') {
        int length = snprintf(path, size, "%s", named);
        return (size_t)length < size
                   ? RELAIS_OK
                   : talk_fill(error, RELAIS_USAGE, "--profile", _("a path is too long"), NULL);
    }
    struct home home;
    relais_status status = home_find(options, &home, error);
    if (status == RELAIS_OK && home_join(path, size, home.path, "operator/client.yaml", "") &&
        access(path, F_OK) == 0) {
        return RELAIS_OK;
    }
    if (status != RELAIS_OK && options_has(options, "home")) {
        return status;
    }
    if (user_profile(path, size) && access(path, F_OK) == 0) {
        return RELAIS_OK;
    }
    return talk_fill(error, RELAIS_NOT_FOUND, "--profile", _("no client profile"),
                     _("--profile FILE, RELAIS_PROFILE, or ~/.config/relais/client.yaml"));
}

static relais_status open_client(const char *path, relais_client **out_client, relais_error *error)
{
    relais_profile profile;
    relais_key key;
    relais_status status = relais_profile_load(path, &profile, error);
    if (status == RELAIS_OK) {
        status = relais_key_load(profile.key_path, &key, error);
    }
    if (status == RELAIS_OK) {
        const relais_client_options options = {.endpoint = profile.endpoint,
                                               .broker_key = profile.broker_key,
                                               .key = &key,
                                               .software = "relais/" RELAIS_VERSION};
        status = relais_client_open(&options, out_client, error);
        relais_key_wipe(&key);
    }
    if (status == RELAIS_OK) {
        status = relais_client_seal_profile(*out_client, &profile, error);
        if (status != RELAIS_OK) {
            relais_client_close(*out_client);
        }
    }
    return status;
}

static enum exit_code parse_timeout(const struct invocation *invocation, int default_s,
                                    int *out_timeout_ms)
{
    const char *text = options_text(&invocation->options, "timeout");
    uint64_t seconds = (uint64_t)default_s;
    if (text && !options_parse_number(text, 1, TIMEOUT_MAX_S, &seconds)) {
        return talk_usage(invocation->command,
                          _("--timeout: \"%s\" will not do; seconds, from 1 to %d"), text,
                          TIMEOUT_MAX_S);
    }
    *out_timeout_ms = (int)seconds * MS_PER_S;
    return CODE_DONE;
}

enum exit_code session_open(const struct invocation *invocation, int default_timeout_s,
                            struct session *out_session)
{
    char path[HOME_PATH_BYTES];
    relais_error error = {0};
    *out_session = (struct session){0};
    enum exit_code code = parse_timeout(invocation, default_timeout_s, &out_session->timeout_ms);
    if (code != CODE_DONE) {
        return code;
    }
    if (find_profile(&invocation->options, path, sizeof(path), &error) != RELAIS_OK ||
        open_client(path, &out_session->client, &error) != RELAIS_OK) {
        return talk_error(&error);
    }
    int connect_ms =
        out_session->timeout_ms < CONNECT_MAX_MS ? out_session->timeout_ms : CONNECT_MAX_MS;
    if (relais_client_connect(out_session->client, connect_ms, &error) != RELAIS_OK) {
        session_close(out_session);
        return talk_error(&error);
    }
    relais_client_session(out_session->client, &out_session->info);
    return CODE_DONE;
}

void session_close(struct session *session)
{
    relais_client_close(session->client);
    session->client = NULL;
}
