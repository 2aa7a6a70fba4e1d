/* SPDX-License-Identifier: EUPL-1.2
 *
 * The command line of relaisd.
 */
#ifndef RELAIS_BROKER_OPTIONS_H
#define RELAIS_BROKER_OPTIONS_H

#include <stdbool.h>

enum action {
    ACTION_RUN,
    ACTION_CHECK,
    ACTION_PRINT_CONFIG,
    ACTION_PRINT_OPTIONS, /* the table of docs/operations.md */
    ACTION_CHECK_STORE,
    ACTION_COMPACT_STORE,
    ACTION_RESTORE,
    ACTION_HELP,
    ACTION_VERSION,
};

struct options {
    enum action action;
    const char *config; /* path; borrowed from argv */
    const char *backup; /* ACTION_RESTORE: the file */
    bool force;         /* ACTION_RESTORE */
};

/* False: the command line is wrong; said on stderr. */
bool options_parse(int argc, char **argv, struct options *out_options);

void options_print_help(void);

#endif
