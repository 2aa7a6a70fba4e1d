/* SPDX-License-Identifier: EUPL-1.2
 *
 * See signed_notes.h.
 */
#include "broker/signed_notes.h"

#include "core/limits.h"
#include "program/error.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <limits.h>
#include <relais/trust.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads FOLDER/SLUG.SUFFIX; no bytes when it is absent. */
static relais_status read_note(const char path[PATH_MAX], size_t most, char **out_data,
                               struct bytes *out_bytes, relais_error *error)
{
    size_t size = 0;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return RELAIS_OK;
    }
    relais_status status = file_read(path, most, out_data, &size, error);
    if (status == RELAIS_OK) {
        *out_bytes = (struct bytes){(const uint8_t *)*out_data, size};
    }
    return status;
}

static relais_status wrong_member(const char *path, const char *slug, const char *found,
                                  relais_error *error)
{
    char right[128];

    (void)snprintf(right, sizeof right, _("a note of the member %s"), slug);
    return error_set(error, RELAIS_CONFIG_INVALID, path, right, "%s", found);
}

static relais_status check_entry(const char *path, const char *slug, struct bytes note,
                                 relais_error *error)
{
    relais_entry *entry = NULL;
    relais_status status = relais_entry_read((relais_bytes){note.data, note.size}, &entry, error);

    if (status == RELAIS_OK && strcmp(entry->member, slug) != 0) {
        status = wrong_member(path, slug, entry->member, error);
    } else if (status != RELAIS_OK) {
        error_set_field(error, "%s", path);
    }
    relais_entry_free(entry);
    return status;
}

static relais_status check_mailboxes(const char *path, const char *slug, struct bytes note,
                                     relais_error *error)
{
    relais_mailboxes *sheet = NULL;
    relais_status status =
        relais_mailboxes_read((relais_bytes){note.data, note.size}, &sheet, error);

    if (status == RELAIS_OK && strcmp(sheet->member, slug) != 0) {
        status = wrong_member(path, slug, sheet->member, error);
    } else if (status != RELAIS_OK) {
        error_set_field(error, "%s", path);
    }
    relais_mailboxes_free(sheet);
    return status;
}

void signed_notes_free(struct signed_notes *notes)
{
    free(notes->entry);
    free(notes->mailboxes);
    *notes = (struct signed_notes){0};
}

relais_status signed_notes_read(const char *folder, const char *slug,
                                struct signed_notes *out_notes, relais_error *error)
{
    struct signed_notes notes = {0};
    char path[PATH_MAX];
    char sheet_path[PATH_MAX];
    relais_status status = RELAIS_OK;
    const int size = snprintf(path, sizeof path, "%s/%s.entry", folder, slug);
    const int sheet_size = snprintf(sheet_path, sizeof sheet_path, "%s/%s.mailboxes", folder, slug);

    if (size < 0 || sheet_size < 0 || (size_t)sheet_size >= sizeof sheet_path) {
        return error_set_errno(error, folder, ENAMETOOLONG);
    }
    status = read_note(path, LIMIT_ENTRY_BYTES, &notes.entry, &notes.notes.entry, error);
    if (status == RELAIS_OK && notes.notes.entry.size > 0) {
        status = check_entry(path, slug, notes.notes.entry, error);
    }
    if (status == RELAIS_OK) {
        status = read_note(sheet_path, LIMIT_MAILBOXES_BYTES, &notes.mailboxes,
                           &notes.notes.mailboxes, error);
    }
    if (status == RELAIS_OK && notes.notes.mailboxes.size > 0) {
        status = check_mailboxes(sheet_path, slug, notes.notes.mailboxes, error);
    }
    if (status != RELAIS_OK) {
        signed_notes_free(&notes);
        return status;
    }
    *out_notes = notes;
    return RELAIS_OK;
}
