/* SPDX-License-Identifier: EUPL-1.2
 *
 * What of a command is the same for each run: arguments with their paths, the folder, the
 * variables. Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_LAUNCH_H
#define RELAIS_EXEC_LAUNCH_H

#include "adapters/exec/process.h"
#include "adapters/exec/settings.h"

struct launch {
    char **argv; /* ended by NULL; texts borrowed from the settings, but for the first */
    char program[4096];
    char folder[4096];
    const struct settings_command *run;
};

/* RELAIS_NO_MEMORY; RELAIS_CONFIG_INVALID: a path that does not fit. */
relais_status launch_open(struct launch *launch, const relais_adapter *adapter,
                          const struct settings_command *run);
void launch_close(struct launch *launch);

/* in, out and err are the caller's. 0 or an errno. */
int launch_start(const struct launch *launch, char *const *environment, const int fds[3],
                 struct process *out_process);

#endif
