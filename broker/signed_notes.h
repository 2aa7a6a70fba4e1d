/* SPDX-License-Identifier: EUPL-1.2
 *
 * The signed notes of one member as files: SLUG.entry and SLUG.mailboxes in the folder of entries.
 * The broker hands them on; it looks only whether they are notes, of that member, that fit an
 * answer, so that a file that was put in the wrong place is found by whoever put it there.
 * Signatures are for clients to verify. Any thread.
 */
#ifndef RELAIS_BROKER_SIGNED_NOTES_H
#define RELAIS_BROKER_SIGNED_NOTES_H

#include "core/directory.h"

#include <relais/status.h>

struct signed_notes {
    struct directory_notes notes; /* point into: */
    char *entry;
    char *mailboxes;
};

/* A file that is absent is no bytes. Free with signed_notes_free(). RELAIS_CONFIG_INVALID,
 * RELAIS_SYSTEM, RELAIS_TOO_LARGE, RELAIS_NO_MEMORY: error->field is the file. */
relais_status signed_notes_read(const char *folder, const char *slug,
                                struct signed_notes *out_notes, relais_error *error);
void signed_notes_free(struct signed_notes *notes);

#endif
