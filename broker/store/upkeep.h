/* SPDX-License-Identifier: EUPL-1.2
 *
 * What is done with the folder of a store that no broker has open: check, compact, restore. Each
 * holds the folder's lock meanwhile. Nothing is ever deleted but what these functions made.
 */
#ifndef RELAIS_STORE_UPKEEP_H
#define RELAIS_STORE_UPKEEP_H

#include "store/store.h"

/* True: the store was checked; what was found was told and counted. False: *out_problem. */
bool store_check_folder(const char *path, const struct store_listener *listener,
                        struct store_report *out_report, struct store_problem *out_problem);

/* The same of a file, e.g. a backup. */
bool store_check_file(const char *file, const struct store_listener *listener,
                      struct store_report *out_report, struct store_problem *out_problem);

/* Writes the store packed into a new file, checks that, and puts it in the place of the old one, in
 * one rename. False: nothing has changed. Sizes of the file before and after. */
bool store_compact_folder(const struct store_settings *settings, uint64_t *out_before,
                          uint64_t *out_after, struct store_problem *out_problem);

struct store_restore {
    const char *path; /* folder of the store; made when absent */
    const char *file; /* the backup */
    /* With a store in the folder: its file gets the name in `out_aside`. With findings in the
     * backup: it is restored all the same. */
    bool force;
    const struct store_listener *listener;
    struct store_report report; /* of the backup */
    char aside[64];             /* name in the folder; "" when there was nothing */
};

/* Copies the backup into the folder, checks the copy, and makes it the store in one rename. False:
 * nothing has changed; report.findings > 0: because of those. */
bool store_restore(struct store_restore *restore, struct store_problem *out_problem);

#endif
