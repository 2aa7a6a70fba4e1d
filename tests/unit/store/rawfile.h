/* SPDX-License-Identifier: EUPL-1.2
 *
 * The store's file from the outside, while no store has it open: counts, and damage done on
 * purpose. A failure here aborts the test.
 */
#ifndef RELAIS_TESTS_UNIT_STORE_RAWFILE_H
#define RELAIS_TESTS_UNIT_STORE_RAWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How many records a table has. */
size_t raw_count(const char *path, const char *table);

/* Each writes through LMDB and mends the record of the state, as a store would leave it. */
void raw_set_layout(const char *path, uint32_t layout);
void raw_drop_table(const char *path, const char *table);

/* How long the file must be for its newest meta page. */
off_t raw_needed_bytes(const char *path);
void raw_truncate(const char *path, off_t size);
void raw_fill(const char *path, size_t size, int byte);
/* Makes data.mdb a copy of the file `from`; the lock file stays. */
void raw_restore(const char *path, const char *from);
void raw_flip(const char *path, off_t at, int bit);

/* Flips a bit where byte `at` of what op_append(id, …) stored lies in the file. */
bool raw_flip_content(const char *path, const char *id, size_t at);

#endif
