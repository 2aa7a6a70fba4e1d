/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which of our mailbox keys a wrap is for: a file PLACE.ID.key in the folder (trust_renew.c makes
 * them). The last one stays in locked memory, since the next wrap is for the same most of the time.
 */
#include "client/sealing.h"

#include "client/identity.h"

#include <dirent.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SUFFIX_BYTES = 1 + 2 * MAILBOX_KEY_ID_BYTES + 4 }; /* ".ID.key" */

static struct mailbox_key *read_key(const char *path)
{
    char text[MAILBOX_KEY_FILE_BYTES + 1];
    struct mailbox_key *key = NULL;

    if (identity_read_file(path, true, text, sizeof text, NULL) == RELAIS_OK &&
        mailbox_key_read((struct seal_bytes){(const uint8_t *)text, strlen(text)}, &key) !=
            SEAL_OK) {
        key = NULL;
    }
    sodium_memzero(text, sizeof text);
    return key;
}

/* The key in the first file whose name ends with `suffix`. */
static struct mailbox_key *search(const char *folder, const char *suffix)
{
    DIR *entries = opendir(folder);
    struct mailbox_key *key = NULL;

    if (entries == NULL) {
        return NULL;
    }
    for (const struct dirent *entry; key == NULL && (entry = readdir(entries)) != NULL;) {
        const size_t size = strlen(entry->d_name);
        char path[PATH_MAX];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

        if (size > SUFFIX_BYTES && strcmp(entry->d_name + size - SUFFIX_BYTES, suffix) == 0 &&
            length > 0 && (size_t)length < sizeof path) {
            key = read_key(path);
        }
    }
    (void)closedir(entries);
    return key;
}

const struct mailbox_key *sealing_find_key(struct sealing *sealing, struct seal_bytes wrap)
{
    char hex[2 * MAILBOX_KEY_ID_BYTES + 1];
    char suffix[SUFFIX_BYTES + 1];
    uint8_t id[MAILBOX_KEY_ID_BYTES];

    if (sealing->mailbox_keys == NULL || wrap_key_id(wrap, id) != SEAL_OK) {
        return NULL;
    }
    if (sealing->last_key != NULL &&
        memcmp(mailbox_key_id(sealing->last_key), id, sizeof id) == 0) {
        return sealing->last_key;
    }
    (void)sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    (void)snprintf(suffix, sizeof suffix, ".%s.key", hex);
    mailbox_key_free(sealing->last_key);
    sealing->last_key = search(sealing->mailbox_keys, suffix);
    return sealing->last_key;
}
