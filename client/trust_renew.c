/* SPDX-License-Identifier: EUPL-1.2
 *
 * A member's mailbox keys, week by week: FOLDER/PLACE.ID.key, one file a key.
 *
 *   1. A secret key is on disk, synced, before the sheet that publishes it is given out.
 *
 *   2. Weeks begin on Monday, 00:00 UTC. There is a key for this week and for the next: a sender
 *      that has last week's sheet still seals for a key that is there.
 *
 *   3. A secret key goes keep_days after its end: what was sealed for it stays closed for good.
 */
#include "client/error.h"
#include "client/identity.h"
#include "client/trust_error.h"
#include "client/trust_note.h"
#include "program/file.h"
#include "program/locale.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <relais/trust.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WEEKS = 2 };

#define MONDAY_MS (INT64_C(4) * 24 * 3600 * 1000) /* the first one of 1970: January 5 */
#define DAY_MS    (INT64_C(24) * 3600 * 1000)

static int64_t week_begin(int64_t now_ms)
{
    return now_ms - (now_ms - MONDAY_MS) % MAILBOX_KEY_WEEK_MS;
}

/* "@" stands for "*" in a file's name. */
static bool key_path(char out_path[PATH_MAX], const char *folder, const char *place,
                     const struct mailbox_public *key)
{
    char hex[2 * MAILBOX_KEY_ID_BYTES + 1];
    uint8_t id[MAILBOX_KEY_ID_BYTES];
    int size = 0;

    mailbox_public_id(key, id);
    (void)sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    size = snprintf(out_path, PATH_MAX, "%s/%s.%s.key", folder,
                    strcmp(place, "*") == 0 ? "@" : place, hex);
    return size > 0 && size < PATH_MAX;
}

static relais_status write_key(const struct mailbox_key *key, const char *folder, const char *place,
                               relais_error *error)
{
    uint8_t text[MAILBOX_KEY_FILE_BYTES];
    struct seal_output out = {.data = text, .size = sizeof text};
    char path[PATH_MAX];
    relais_status status = RELAIS_OK;

    if (!key_path(path, folder, place, mailbox_key_public(key))) {
        return error_fill_errno(error, folder, ENAMETOOLONG);
    }
    if (!mailbox_key_write(key, &out)) {
        status = error_fill(error, RELAIS_NO_MEMORY, path, NULL, NULL);
    } else {
        status = file_create(path, text, out.used, 0600, error);
    }
    sodium_memzero(text, sizeof text);
    return status;
}

static relais_status add_key(struct mailboxes *sheet, const char *folder, const char *place,
                             int64_t from_ms, relais_error *error)
{
    struct mailboxes_key *row = &sheet->keys[sheet->count];
    struct mailbox_key *key = NULL;
    relais_status status = RELAIS_OK;

    if (sheet->count == MAILBOXES_KEYS) {
        return error_fill(error, RELAIS_FIELD_INVALID, "places", _("too many"),
                          _("at most 208 keys in a sheet: fewer places, or * for all"));
    }
    if (mailbox_key_generate(from_ms, from_ms + MAILBOX_KEY_WEEK_MS, &key) != SEAL_OK) {
        return error_fill(error, RELAIS_NO_MEMORY, place, NULL, NULL);
    }
    status = write_key(key, folder, place, error);
    if (status == RELAIS_OK) {
        (void)snprintf(row->place, sizeof row->place, "%s", place);
        row->key = *mailbox_key_public(key);
        sheet->count++;
    }
    mailbox_key_free(key);
    return status;
}

/* Is there a key of this place for that week, whose secret is still here? */
static bool has_key(const struct mailboxes *sheet, const char *folder, const char *place,
                    int64_t from_ms)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < sheet->count; i++) {
        const struct mailboxes_key *key = &sheet->keys[i];

        if (strcmp(key->place, place) == 0 && key->key.not_before_ms == from_ms) {
            return key_path(path, folder, place, &key->key) && access(path, R_OK) == 0;
        }
    }
    return false;
}

/* Takes out the row of this place and week, if there is one: its secret is lost. */
static void drop_key(struct mailboxes *sheet, const char *place, int64_t from_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < sheet->count; i++) {
        if (strcmp(sheet->keys[i].place, place) != 0 ||
            sheet->keys[i].key.not_before_ms != from_ms) {
            sheet->keys[kept++] = sheet->keys[i];
        }
    }
    sheet->count = kept;
}

static bool is_asked(const relais_renewal *renewal, const char *place)
{
    for (size_t i = 0; i < renewal->place_count; i++) {
        if (strcmp(renewal->places[i], place) == 0) {
            return true;
        }
    }
    return false;
}

/* Ended keys, and those of places that are not wanted any more, are not published again. */
static bool drop_ended(struct mailboxes *sheet, const relais_renewal *renewal)
{
    size_t kept = 0;
    const size_t before = sheet->count;

    for (size_t i = 0; i < sheet->count; i++) {
        if (sheet->keys[i].key.not_after_ms > renewal->now_ms &&
            is_asked(renewal, sheet->keys[i].place)) {
            sheet->keys[kept++] = sheet->keys[i];
        }
    }
    sheet->count = kept;
    return kept != before;
}

static relais_status add_missing(struct mailboxes *sheet, const relais_renewal *renewal,
                                 bool *changed, relais_error *error)
{
    const int64_t this_week = week_begin(renewal->now_ms);

    for (size_t i = 0; i < renewal->place_count; i++) {
        const char *place = renewal->places[i];

        if (strcmp(place, "*") != 0 && !relais_slug_is_valid(place[0] == '~' ? place + 1 : place)) {
            return error_fill(error, RELAIS_FIELD_INVALID, "places", place,
                              _("a service, ~ and a client, or *"));
        }
        for (int64_t week = 0; week < WEEKS; week++) {
            const int64_t from_ms = this_week + week * MAILBOX_KEY_WEEK_MS;

            if (!has_key(sheet, renewal->folder, place, from_ms)) {
                drop_key(sheet, place, from_ms);
                relais_status status = add_key(sheet, renewal->folder, place, from_ms, error);
                if (status != RELAIS_OK) {
                    return status;
                }
                *changed = true;
            }
        }
    }
    return RELAIS_OK;
}

/* Destroys one file if its key ended before `before_ms`. What cannot be read is left alone. */
static void destroy_ended(const char *path, int64_t before_ms)
{
    char text[MAILBOX_KEY_FILE_BYTES + 1];
    struct mailbox_key *key = NULL;

    if (identity_read_file(path, true, text, sizeof text, NULL) == RELAIS_OK &&
        mailbox_key_read((struct seal_bytes){(const uint8_t *)text, strlen(text)}, &key) ==
            SEAL_OK &&
        mailbox_key_public(key)->not_after_ms < before_ms) {
        (void)unlink(path);
    }
    mailbox_key_free(key);
    sodium_memzero(text, sizeof text);
}

static relais_status destroy_old(const relais_renewal *renewal, relais_error *error)
{
    DIR *folder = opendir(renewal->folder);

    if (folder == NULL) {
        return error_fill_errno(error, renewal->folder, errno);
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const size_t size = strlen(entry->d_name);
        char path[PATH_MAX];
        const int length = snprintf(path, sizeof path, "%s/%s", renewal->folder, entry->d_name);

        if (size > 4 && strcmp(entry->d_name + size - 4, ".key") == 0 && length > 0 &&
            (size_t)length < sizeof path) {
            destroy_ended(path, renewal->now_ms - (int64_t)renewal->keep_days * DAY_MS);
        }
    }
    (void)closedir(folder);
    return RELAIS_OK;
}

/* The last sheet, or an empty one of this member. */
static relais_status read_last(const relais_renewal *renewal, struct mailboxes *out_sheet,
                               relais_error *error)
{
    const struct signing_public *own = signing_key_public(identity_key(renewal->identity));
    const struct note_keys keys = {own, 1};
    struct note parts = {0};
    enum trust_status status = TRUST_OK;

    memset(out_sheet, 0, sizeof *out_sheet);
    if (renewal->last.size == 0) {
        (void)snprintf(out_sheet->member, sizeof out_sheet->member, "%s", own->name);
        return RELAIS_OK;
    }
    status = note_split((struct bytes){renewal->last.data, renewal->last.size}, &parts);
    if (status == TRUST_OK) {
        status = note_verify(&parts, &keys, NULL);
    }
    if (status == TRUST_UNSIGNED) {
        status = TRUST_OK; /* signed with the key before this one: it is our own file */
    }
    if (status == TRUST_OK) {
        status = mailboxes_decode(parts.text, out_sheet);
    }
    if (status == TRUST_OK && strcmp(out_sheet->member, own->name) != 0) {
        status = TRUST_UNSIGNED;
    }
    return trust_error_note(error, status, own->name);
}

relais_status relais_mailboxes_renew(const relais_renewal *renewal, char **out_note,
                                     relais_error *error)
{
    struct mailboxes *sheet = malloc(sizeof *sheet);
    uint8_t *text = malloc(NOTE_BYTES);
    size_t size = 0;
    bool changed = false;
    relais_status status = RELAIS_OK;

    *out_note = NULL;
    if (sheet == NULL || text == NULL) {
        status = error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
        goto done;
    }
    status = read_last(renewal, sheet, error);
    if (status == RELAIS_OK) {
        changed = drop_ended(sheet, renewal);
        status = add_missing(sheet, renewal, &changed, error);
    }
    if (status == RELAIS_OK) {
        status = destroy_old(renewal, error);
    }
    if (status != RELAIS_OK || !changed) {
        goto done;
    }
    sheet->sequence++;
    status = trust_error_note(error, mailboxes_encode(sheet, text, &size), sheet->member);
    if (status == RELAIS_OK) {
        status = trust_note_sign((struct bytes){text, size}, renewal->identity, out_note, error);
    }
done:
    free(sheet);
    free(text);
    return status;
}
