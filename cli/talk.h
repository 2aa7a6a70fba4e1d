/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the command says to people, on stderr: notes and complaints.
 */
#ifndef RELAIS_CLI_TALK_H
#define RELAIS_CLI_TALK_H

#include "cli/command.h"

/* A note; silent with --quiet. */
void talk_note(const struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tells a failure; gives its exit code. */
enum exit_code talk_error(const relais_error *error);

/* Tells that an argument is wrong: as talk_error(), but a wrong field is a wrong command line. */
enum exit_code talk_argument_error(const relais_error *error);

/* Tells what is wrong with the command line and where the help is; gives CODE_USAGE. */
enum exit_code talk_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory". */
enum exit_code talk_no_memory(void);

/* How a command ends that has printed all that it had: false is no memory for it. */
enum exit_code talk_end(bool printed);

/* Fills an error; NULL texts are empty. Gives the status. */
relais_status talk_fill(relais_error *error, relais_status status, const char *field,
                        const char *wrong, const char *right);

/* The same from errno: field is the path. */
relais_status talk_fill_errno(relais_error *error, int number, const char *path);

#endif
