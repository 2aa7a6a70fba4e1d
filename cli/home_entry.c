/* SPDX-License-Identifier: EUPL-1.2
 *
 * The member and flow files of a home, by name, and the broker that must hear of their change.
 */
#include "cli/home.h"

#include "cli/talk.h"
#include "program/locale.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SUFFIX[] = ".yaml";

/* A slug or a code is checked before it becomes part of a path. */
static relais_status member_path(const struct home *home, const char *slug, char *path, size_t size,
                                 relais_error *error)
{
    if (!relais_slug_is_valid(slug)) {
        return talk_fill(error, RELAIS_USAGE, "SLUG", slug,
                         _("lower-case letters, digits and single hyphens, at most 63"));
    }
    if (!home_join(path, size, home->members, slug, SUFFIX)) {
        return talk_fill(error, RELAIS_SYSTEM, home->members, _("a path is too long"), NULL);
    }
    return RELAIS_OK;
}

static relais_status flow_path(const struct home *home, const char *code, char *path, size_t size,
                               relais_error *error)
{
    if (!relais_flow_code_is_valid(code)) {
        return talk_fill(error, RELAIS_USAGE, "CODE", code,
                         _("letters, digits and hyphens, at most 64"));
    }
    if (!home_join(path, size, home->flows, code, SUFFIX)) {
        return talk_fill(error, RELAIS_SYSTEM, home->flows, _("a path is too long"), NULL);
    }
    return RELAIS_OK;
}

relais_status home_member(const struct home *home, const char *slug, relais_member **out_member,
                          relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_status status = member_path(home, slug, path, sizeof(path), error);
    if (status == RELAIS_OK) {
        status = relais_member_load(path, out_member, error);
    }
    if (status == RELAIS_NOT_FOUND) {
        return talk_fill(error, RELAIS_NOT_FOUND, "SLUG", slug,
                         _("a member of this bus: relais member list"));
    }
    return status;
}

relais_status home_flow(const struct home *home, const char *code, relais_flow **out_flow,
                        relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_status status = flow_path(home, code, path, sizeof(path), error);
    if (status == RELAIS_OK) {
        status = relais_flow_load(path, out_flow, error);
    }
    if (status == RELAIS_NOT_FOUND) {
        return talk_fill(error, RELAIS_NOT_FOUND, "CODE", code,
                         _("a flow of this bus: relais flow list"));
    }
    return status;
}

relais_status home_save_member(const struct home *home, const relais_member *member,
                               relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_status status = member_path(home, member->slug, path, sizeof(path), error);
    return status == RELAIS_OK ? relais_member_save(member, path, error) : status;
}

relais_status home_save_flow(const struct home *home, const relais_flow *flow, relais_error *error)
{
    char path[HOME_PATH_BYTES];
    relais_status status = flow_path(home, flow->code, path, sizeof(path), error);
    return status == RELAIS_OK ? relais_flow_save(flow, path, error) : status;
}

bool home_has_member(const struct home *home, const char *slug)
{
    char path[HOME_PATH_BYTES];
    relais_error error;
    return member_path(home, slug, path, sizeof(path), &error) == RELAIS_OK &&
           access(path, F_OK) == 0;
}

bool home_has_flow(const struct home *home, const char *code)
{
    char path[HOME_PATH_BYTES];
    relais_error error;
    return flow_path(home, code, path, sizeof(path), &error) == RELAIS_OK &&
           access(path, F_OK) == 0;
}

/* The process that the store's lock file names, if it is a broker: the file outlives a broker that
 * was killed, and its number may belong to somebody else by now. 0: none. */
static pid_t running_broker(const struct home *home)
{
    char path[HOME_PATH_BYTES];
    char name[32] = "";
    uint64_t number = 0;
    if (!home_join(path, sizeof(path), home->store, "lock", "")) {
        return 0;
    }
    FILE *lock = fopen(path, "re");
    if (!lock) {
        return 0;
    }
    char line[32] = "";
    bool read = fgets(line, sizeof(line), lock) != NULL;
    fclose(lock);
    line[strcspn(line, "\n")] = '\0';
    if (!read || !options_parse_number(line, 2, INT32_MAX, &number)) {
        return 0;
    }
    snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)number);
    FILE *comm = fopen(path, "re");
    if (!comm) {
        return 0;
    }
    read = fgets(name, sizeof(name), comm) != NULL;
    fclose(comm);
    return read && strcmp(name, "relaisd\n") == 0 ? (pid_t)number : 0;
}

void home_reload(const struct home *home, const struct invocation *invocation)
{
    if (options_has(&invocation->options, "no-reload")) {
        return;
    }
    pid_t broker = running_broker(home);
    if (broker == 0) {
        talk_note(&invocation->output,
                  _("No broker is running on the store %s; it will read this when it starts."),
                  home->store);
    } else if (kill(broker, SIGHUP) == 0) {
        talk_note(&invocation->output, _("The running broker (process %d) is reading it now."),
                  (int)broker);
    } else {
        talk_note(&invocation->output, _("The running broker (process %d) could not be told: %s"),
                  (int)broker, strerror(errno));
    }
}
