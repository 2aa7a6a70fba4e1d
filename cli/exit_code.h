/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the relais command exits with. Scripts rely on these numbers: they never change meaning.
 * Documented in docs/cli.md and in `relais --help`.
 */
#ifndef RELAIS_CLI_EXIT_CODE_H
#define RELAIS_CLI_EXIT_CODE_H

#include <relais/status.h>

enum exit_code {
    CODE_DONE = 0,
    CODE_FAILED = 1,      /* this machine: a file, a key, a full disk */
    CODE_USAGE = 2,       /* the command line is wrong */
    CODE_NOT_FOUND = 3,   /* a file, a member, a flow that was named does not exist */
    CODE_REFUSED = 4,     /* the bus said no */
    CODE_UNREACHABLE = 5, /* no broker, or no answer in time */
    CODE_PARTLY = 6,      /* some of it was done, some was not */
};

/* The exit code of one failure. A wrong field counts as a refusal of the bus. */
enum exit_code exit_code_of(relais_status status);

#endif
