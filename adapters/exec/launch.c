/* SPDX-License-Identifier: EUPL-1.2
 *
 * See launch.h.
 */
#include "adapters/exec/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHELL_ARGUMENTS = 3 };

/* A program with a slash in its name is meant from the configuration's folder, another is looked
 * for in PATH. */
static bool name_program(struct launch *launch, const relais_adapter *adapter)
{
    const char *program = launch->run->command[0];
    if (!strchr(program, '/')) {
        return snprintf(launch->program, sizeof launch->program, "%s", program) <
               (int)sizeof launch->program;
    }
    return relais_adapter_path(adapter, program, launch->program, sizeof launch->program) != NULL;
}

relais_status launch_open(struct launch *launch, const relais_adapter *adapter,
                          const struct settings_command *run)
{
    size_t count = run->shell ? SHELL_ARGUMENTS : run->command_count;
    *launch = (struct launch){.run = run, .argv = calloc(count + 1, sizeof *launch->argv)};
    if (!launch->argv) {
        return RELAIS_NO_MEMORY;
    }
    if (!relais_adapter_path(adapter, run->folder ? run->folder : ".", launch->folder,
                             sizeof launch->folder)) {
        return RELAIS_CONFIG_INVALID;
    }
    if (run->shell) {
        launch->argv[0] = (char *)"/bin/sh";
        launch->argv[1] = (char *)"-c";
        launch->argv[2] = run->shell;
        return RELAIS_OK;
    }
    if (!name_program(launch, adapter)) {
        return RELAIS_CONFIG_INVALID;
    }
    launch->argv[0] = launch->program;
    for (unsigned i = 1; i < run->command_count; i++) {
        launch->argv[i] = run->command[i];
    }
    return RELAIS_OK;
}

void launch_close(struct launch *launch)
{
    free(launch->argv);
    launch->argv = NULL;
}

int launch_start(const struct launch *launch, char *const *environment, const int fds[3],
                 struct process *out_process)
{
    const struct process_plan plan = {
        .argv = launch->argv,
        .environment = environment,
        .folder = launch->folder,
        .in = fds[0],
        .out = fds[1],
        .err = fds[2],
        .memory_bytes = (uint64_t)launch->run->memory_mb * 1024 * 1024,
    };
    return process_start(&plan, out_process);
}
