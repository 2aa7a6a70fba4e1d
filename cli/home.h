/* SPDX-License-Identifier: EUPL-1.2
 *
 * A broker's home: the folder that `relais init` makes, and the member and flow files in it.
 * Folders that relaisd.yaml names otherwise are followed.
 */
#ifndef RELAIS_CLI_HOME_H
#define RELAIS_CLI_HOME_H

#include "cli/command.h"

#include <relais/directory.h>

enum { HOME_PATH_BYTES = 4096 };

struct home {
    char path[HOME_PATH_BYTES];
    char members[HOME_PATH_BYTES];
    char flows[HOME_PATH_BYTES];
    char store[HOME_PATH_BYTES];
};

/* Finds the home: --home, $RELAIS_HOME, or the current folder. RELAIS_NOT_FOUND says where it
 * looked. */
relais_status home_find(const struct options *options, struct home *out_home, relais_error *error);

/* Joins folder, name and suffix into out_path; false when that is too long. */
bool home_join(char *out_path, size_t size, const char *folder, const char *name,
               const char *suffix);

/* The names of the files "<name>.yaml" in a folder, without the suffix, sorted. free() each and the
 * list. */
relais_status home_names(const char *folder, char ***out_names, size_t *out_count,
                         relais_error *error);
void home_names_free(char **names, size_t count);

/* Loads a member or a flow by its name. RELAIS_NOT_FOUND when there is none. */
relais_status home_member(const struct home *home, const char *slug, relais_member **out_member,
                          relais_error *error);
relais_status home_flow(const struct home *home, const char *code, relais_flow **out_flow,
                        relais_error *error);

/* Saves a member or a flow under its name. */
relais_status home_save_member(const struct home *home, const relais_member *member,
                               relais_error *error);
relais_status home_save_flow(const struct home *home, const relais_flow *flow, relais_error *error);

/* True when a member of this slug (a flow of this code) is there. */
bool home_has_member(const struct home *home, const char *slug);
bool home_has_flow(const struct home *home, const char *code);

/* Tells the broker of this home, if it runs, to read members and flows again, and tells the user;
 * nothing with --no-reload. */
void home_reload(const struct home *home, const struct invocation *invocation);

#endif
