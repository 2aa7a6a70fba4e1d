/* SPDX-License-Identifier: EUPL-1.2
 *
 * A file to send: its bytes, read only when they fit, and what is known about it.
 */
#ifndef RELAIS_CLI_SOURCE_FILE_H
#define RELAIS_CLI_SOURCE_FILE_H

#include <relais/status.h>
#include <stddef.h>
#include <stdint.h>

struct source_file {
    char *data;
    size_t size;
    int64_t modified_ms; /* 0: not known (a stream) */
};

/*
 * Reads `path` ("-": stdin) of at most `max` bytes. RELAIS_TOO_LARGE names size and limit; a
 * regular file that is too large is not read at all. RELAIS_NOT_FOUND, RELAIS_SYSTEM.
 */
relais_status source_file_read(const char *path, size_t max, struct source_file *out_file,
                               relais_error *error);
void source_file_fini(struct source_file *file);

/* The size of a regular file, else 0: for the progress line. */
uint64_t source_file_size(const char *path);

/* When a regular file was last changed, Unix milliseconds, else 0. */
int64_t source_file_time(const char *path);

/* The last part of a path. */
const char *source_file_name(const char *path);

/* The media type that the name's ending tells, else application/octet-stream. */
const char *source_file_media_type(const char *name);

#endif
