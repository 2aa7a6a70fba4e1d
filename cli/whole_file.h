/* SPDX-License-Identifier: EUPL-1.2
 *
 * A file that is written whole or not at all: it has no name until it is complete and on the disk,
 * so that whatever ends the program leaves nothing behind. Mode 0600. One thread.
 */
#ifndef RELAIS_CLI_WHOLE_FILE_H
#define RELAIS_CLI_WHOLE_FILE_H

#include <relais/status.h>
#include <stdio.h>

enum { WHOLE_FILE_PATH_BYTES = 4096 };

struct whole_file {
    FILE *stream; /* to write to; NULL: not open */
    const char *path;
    char part[WHOLE_FILE_PATH_BYTES]; /* "": the file has no name */
};

/* `path` is borrowed until the end. RELAIS_SYSTEM. */
relais_status whole_file_open(struct whole_file *file, const char *path, relais_error *error);

/* Puts it in its place, over what is there. RELAIS_SYSTEM: nothing was changed. Closes it. */
relais_status whole_file_keep(struct whole_file *file, relais_error *error);

/* Lets it go. Nothing to do when it is not open. */
void whole_file_drop(struct whole_file *file);

#endif
