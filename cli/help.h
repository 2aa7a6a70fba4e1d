/* SPDX-License-Identifier: EUPL-1.2
 *
 * --help: examples first, then the options, from the same tables as the parser.
 */
#ifndef RELAIS_CLI_HELP_H
#define RELAIS_CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

/* All commands, and the exit codes. */
void help_overview(FILE *stream);

/* The commands that begin with this word ("member"); false when there is none. */
bool help_group(FILE *stream, const char *word);

void help_command(FILE *stream, const struct command *command);

#endif
