/* SPDX-License-Identifier: EUPL-1.2
 *
 * A temporary folder of one test and files in it.
 */
#ifndef TESTS_PROGRAM_FOLDER_H
#define TESTS_PROGRAM_FOLDER_H

#include <stddef.h>

/* Makes a fresh folder; folder_fini() removes it with all that is in it. */
void folder_init(void);
void folder_fini(void);

/* The path of `name` in it; static, eight at a time. */
const char *folder_path(const char *name);

/* Writes a file in it; returns its path. */
const char *folder_write(const char *name, const char *text);

/* How many entries whose names contain `part` it has. */
size_t folder_count(const char *part);

#endif
