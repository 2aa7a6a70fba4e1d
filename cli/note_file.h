/* SPDX-License-Identifier: EUPL-1.2
 *
 * Signed notes of the directory as files: read, and shown.
 */
#ifndef RELAIS_CLI_NOTE_FILE_H
#define RELAIS_CLI_NOTE_FILE_H

#include "cli/output.h"

#include <relais/trust.h>

/* One file; free with note_file_free(). Of the two one is there, not verified. */
struct note_file {
    char *data;
    size_t size;
    relais_entry *entry;
    relais_mailboxes *mailboxes;
};

/* RELAIS_NOT_FOUND, RELAIS_UNTRUSTED: neither an entry nor a sheet of mailbox keys. */
relais_status note_file_read(const char *path, struct note_file *out_file, relais_error *error);
void note_file_free(struct note_file *file);

/* The bytes of a file that may be missing: then none. *out_data is freed with free(). */
relais_status note_file_load(const char *path, char **out_data, size_t *out_size,
                             relais_error *error);

/* NULL: out of memory. Either has "what": "entry" or "mailboxes". */
json_t *note_file_json(const struct note_file *file);

/* Columns of either. */
const struct column *note_file_columns(const struct note_file *file, size_t *out_count);

/* Now, Unix time in milliseconds. */
int64_t note_file_now_ms(void);

#endif
