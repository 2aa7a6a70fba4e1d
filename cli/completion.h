/* SPDX-License-Identifier: EUPL-1.2
 *
 * `relais __complete WORD...`: what a shell may offer for the last word, one candidate a line; or a
 * single line ":file" or ":folder": the shell knows these better.
 */
#ifndef RELAIS_CLI_COMPLETION_H
#define RELAIS_CLI_COMPLETION_H

#include "cli/exit_code.h"

#include <stddef.h>

enum exit_code completion_run(char *const *words, size_t count);

#endif
