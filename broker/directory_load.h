/* SPDX-License-Identifier: EUPL-1.2
 *
 * From the folders of members and flows to the core's directory. Every problem is told, not only
 * the first, so that one look mends them all. Any thread.
 */
#ifndef RELAIS_BROKER_DIRECTORY_LOAD_H
#define RELAIS_BROKER_DIRECTORY_LOAD_H

#include "core/directory.h"

#include <relais/status.h>

/* Told of each problem; error->field is "file:line: key". */
struct directory_listener {
    void (*tell)(void *context, const relais_error *error);
    void *context;
};

/* Borrows. */
struct directory_folders {
    const char *members;
    const char *flows;
    const char *entries; /* signed notes, SLUG.entry and SLUG.mailboxes; NULL or absent: none */
};

/* A sealed directory of all files *.yaml in the first two folders, with the notes of its members;
 * NULL when there was any problem. directory_free() frees it. */
struct directory *directory_load(const struct directory_folders *folders,
                                 const struct directory_listener *listener);

#endif
