/* SPDX-License-Identifier: EUPL-1.2
 *
 * The two meta pages of a store's file, and which of them counts. LMDB believes their numbers: a
 * file that is shorter than they say is a SIGBUS later, and a wrong page size a crash at once.
 */
#ifndef RELAIS_STORE_METAS_H
#define RELAIS_STORE_METAS_H

#include "store/pages.h"
#include "store/store.h"

/* `name` and `size` are the file's. False: *out_problem says what is wrong with it. */
bool metas_check(int fd, const char *name, uint64_t size, struct page_meta *out_newest,
                 struct store_problem *out_problem);

/* The meta page that counts now, of a file that was checked: the one of the last commit. */
bool metas_read_newest(int fd, struct page_meta *out_newest);

#endif
