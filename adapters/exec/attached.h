/* SPDX-License-Identifier: EUPL-1.2
 *
 * A small file of a folder, whole: regular, no link, bounded. Thread: the adapter's.
 */
#ifndef RELAIS_EXEC_ATTACHED_H
#define RELAIS_EXEC_ATTACHED_H

#include <relais/status.h>
#include <stddef.h>
#include <sys/stat.h>

/* *out_data is freed with free(). RELAIS_NOT_FOUND; RELAIS_FIELD_INVALID: no regular file;
 * RELAIS_TOO_LARGE; RELAIS_SYSTEM, RELAIS_NO_MEMORY. `out_about` may be NULL. */
relais_status attached_read(int folder, const char *name, size_t max, unsigned char **out_data,
                            size_t *out_size, struct stat *out_about);

#endif
