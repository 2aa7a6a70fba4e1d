/* SPDX-License-Identifier: EUPL-1.2
 *
 * Files that are whole or absent: temporary name in the same folder, write, sync, rename, sync the
 * folder. Any thread.
 */
#ifndef RELAIS_PROGRAM_FILE_H
#define RELAIS_PROGRAM_FILE_H

#include <relais/status.h>
#include <stddef.h>
#include <sys/types.h>

/* Replaces `path` (or makes it) with these bytes and this mode. */
relais_status file_replace(const char *path, const void *data, size_t size, mode_t mode,
                           relais_error *error);

/* Makes `path`, which must not exist: RELAIS_ALREADY_EXISTS. */
relais_status file_create(const char *path, const void *data, size_t size, mode_t mode,
                          relais_error *error);

/* Reads a whole file of at most `max` bytes; *out_data is freed with free() and has a NUL behind
 * it. */
relais_status file_read(const char *path, size_t max, char **out_data, size_t *out_size,
                        relais_error *error);

/* Makes a folder (and its parents) where it is missing. */
relais_status file_make_folder(const char *path, mode_t mode, relais_error *error);

#endif
