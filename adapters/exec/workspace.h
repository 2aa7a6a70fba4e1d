/* SPDX-License-Identifier: EUPL-1.2
 *
 * The folder of one command: its payload, its metadata, and whatever it leaves there.
 *
 *   1. Only the adapter's user can look into it.
 *   2. It is removed whole, links are never followed. What was left by a killed adapter goes at the
 *      next start.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_WORKSPACE_H
#define RELAIS_EXEC_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>

enum { WORKSPACE_PATH_BYTES = 4096 };

struct workspace {
    char path[WORKSPACE_PATH_BYTES];
    int fd; /* -1: none */
};

/* Makes the folder of all of them where it is missing, and removes what lies there. 0 or an errno.
 */
int workspace_prepare(const char *folder);

/* 0 or an errno. */
int workspace_make(const char *folder, struct workspace *out_workspace);
void workspace_remove(struct workspace *workspace);

/* Makes a file in it, open for reading and writing; -1 and errno. */
int workspace_create(const struct workspace *workspace, const char *name);

#endif
