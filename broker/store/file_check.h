/* SPDX-License-Identifier: EUPL-1.2
 *
 * Checks the file of a store from its first page to its last, without LMDB: every page, every
 * record's checksum, every cross reference and every counter. Survives any file.
 * The file must not be written to meanwhile. Any thread.
 */
#ifndef RELAIS_STORE_FILE_CHECK_H
#define RELAIS_STORE_FILE_CHECK_H

#include "core/finding.h"
#include "store/store.h"

#include <stddef.h>

/* `name` is for problems. True: the file was checked; what was found was told and counted. False:
 * it is not a store, or could not be read: *out_problem says why. */
bool file_check(int fd, const char *name, const struct store_listener *listener,
                struct store_report *out_report, struct store_problem *out_problem);

#endif
