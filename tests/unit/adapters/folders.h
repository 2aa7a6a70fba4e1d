/* SPDX-License-Identifier: EUPL-1.2
 *
 * A temporary folder for one test, with what tests want to do in it. Aborts the test on failure.
 */
#ifndef RELAIS_TESTS_FOLDERS_H
#define RELAIS_TESTS_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLDERS_PATH_BYTES = 512 };

/* Makes a new folder; `out_path` has FOLDERS_PATH_BYTES. */
void folders_make(char *out_path);
void folders_remove(const char *path);

void folders_write(const char *folder, const char *name, const char *text);
/* True when the file holds exactly this text. */
bool folders_holds(const char *folder, const char *name, const char *text);
bool folders_has(const char *folder, const char *name);
/* How many entries do not begin with a dot. */
size_t folders_count(const char *folder);

#endif
