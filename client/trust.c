/* SPDX-License-Identifier: EUPL-1.2
 *
 * See trust.h. The memory's file is read and written whole, under a lock beside it, so that
 * processes that share it add to each other.
 */
#include "client/trust.h"

#include "client/error.h"
#include "client/identity.h"
#include "client/trust_error.h"
#include "client/trust_note.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { REGULATORS_FILE_BYTES = 16 * 1024 }; /* eight lines, and room for comments */

#define MEMORY_FILE_BYTES ((size_t)MEMORY_ROWS * MEMORY_ROW_BYTES)

static relais_status add_regulator(relais_trust *trust, struct bytes line, const char *path,
                                   relais_error *error)
{
    relais_status status = RELAIS_OK;

    if (trust->regulator_count == TRUST_REGULATORS) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, _("more than 8 keys"),
                          _("at most 8 public keys of the regulator"));
    }
    status = trust_error_key(
        error, signing_public_decode(line, &trust->regulators[trust->regulator_count]), path);
    trust->regulator_count += status == RELAIS_OK ? 1 : 0;
    return status;
}

static relais_status read_regulators(relais_trust *trust, const char *path, relais_error *error)
{
    char text[REGULATORS_FILE_BYTES];
    relais_status status = identity_read_file(path, false, text, sizeof text, error);

    for (const char *at = text; status == RELAIS_OK && *at != '\0';) {
        const size_t size = strcspn(at, "\n");
        const size_t line = size > 0 && at[size - 1] == '\r' ? size - 1 : size;

        if (line > 0 && at[0] != '#') {
            status = add_regulator(trust, (struct bytes){(const uint8_t *)at, line}, path, error);
        }
        at += size + (at[size] == '\n' ? 1 : 0);
    }
    sodium_memzero(text, sizeof text); /* somebody may have named the secret file */
    if (status == RELAIS_OK && trust->regulator_count == 0) {
        status = error_fill(error, RELAIS_KEY_UNREADABLE, path, _("no key"),
                            _("a line with the regulator's public key"));
    }
    return status;
}

/* Reads the file into an empty memory; no file is an empty one. */
static relais_status read_memory(const char *path, struct memory *memory, relais_error *error)
{
    char *data = NULL;
    size_t size = 0;
    enum trust_status said = TRUST_OK;
    relais_status status = RELAIS_OK;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return RELAIS_OK;
    }
    status = file_read(path, MEMORY_FILE_BYTES, &data, &size, error);
    if (status != RELAIS_OK) {
        return status;
    }
    said = memory_decode((struct bytes){(const uint8_t *)data, size}, memory);
    free(data);
    if (said == TRUST_NO_MEMORY) {
        return error_fill(error, RELAIS_NO_MEMORY, path, NULL, NULL);
    }
    if (said != TRUST_OK) {
        return error_fill(error, RELAIS_CONFIG_INVALID, path, _("damaged"),
                          _("the memory of what was seen of the directory, from a backup; without "
                            "it an older entry passes for a new one"));
    }
    return RELAIS_OK;
}

relais_status relais_trust_open(const char *regulators, const char *memory,
                                relais_trust **out_trust, relais_error *error)
{
    relais_trust *trust = NULL;
    relais_status status = RELAIS_OK;

    if (sodium_init() < 0) {
        return error_fill(error, RELAIS_SYSTEM, NULL, NULL, _("a system with randomness"));
    }
    trust = calloc(1, sizeof *trust);
    if (trust == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    memory_init(&trust->memory);
    status = read_regulators(trust, regulators, error);
    if (status == RELAIS_OK && memory != NULL) {
        trust->path = strdup(memory);
        status = trust->path != NULL ? read_memory(memory, &trust->memory, error)
                                     : error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    if (status != RELAIS_OK) {
        relais_trust_close(trust);
        return status;
    }
    *out_trust = trust;
    return RELAIS_OK;
}

void relais_trust_close(relais_trust *trust)
{
    if (trust != NULL) {
        trust_cache_fini(trust);
        memory_fini(&trust->memory);
        free(trust->path);
        free(trust);
    }
}

static enum trust_status remember(relais_trust *trust, const struct memory_row *row)
{
    bool is_new = false;
    enum trust_status status = memory_note(&trust->memory, row, &is_new);

    trust->changed = trust->changed || is_new;
    return status;
}

enum trust_status trust_read_entry(struct relais_trust *trust, struct bytes note, int64_t now_ms,
                                   struct trust_entry *out_entry, size_t *out_signer)
{
    const struct note_keys keys = {trust->regulators, trust->regulator_count};
    struct memory_row row;
    struct note parts = {0};
    enum trust_status status = note_split(note, &parts);

    out_entry->slug[0] = '\0';
    if (status == TRUST_OK) {
        status = note_verify(&parts, &keys, out_signer);
    }
    if (status == TRUST_OK) {
        status = entry_decode(parts.text, out_entry);
    }
    if (status != TRUST_OK) {
        return status;
    }
    /* An expired entry is remembered too: that it was signed is as true. */
    row = memory_row_of(MEMORY_ENTRY, out_entry->slug, out_entry->sequence, parts.text);
    status = remember(trust, &row);
    return status == TRUST_OK ? entry_check_time(out_entry, now_ms) : status;
}

relais_status relais_trust_check_entry(relais_trust *trust, relais_bytes note, int64_t now_ms,
                                       relais_entry **out_entry, relais_error *error)
{
    struct trust_entry *entry = malloc(sizeof *entry);
    size_t signer = 0;
    enum trust_status said = TRUST_NO_MEMORY;
    relais_status status = RELAIS_OK;

    if (entry == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    said = trust_read_entry(trust, (struct bytes){note.data, note.size}, now_ms, entry, &signer);
    if (said == TRUST_OK && out_entry != NULL) {
        *out_entry = trust_entry_give(entry, trust->regulators[signer].name);
        said = *out_entry != NULL ? TRUST_OK : TRUST_NO_MEMORY;
    }
    status = trust_error_note(error, said, entry->slug[0] != '\0' ? entry->slug : "entry");
    free(entry);
    return status;
}

enum trust_status trust_read_mailboxes(struct relais_trust *trust, const struct note_keys *keys,
                                       const char *member, struct bytes note,
                                       struct mailboxes *out_mailboxes)
{
    struct memory_row row;
    struct note parts = {0};
    enum trust_status status = note_split(note, &parts);

    if (status == TRUST_OK) {
        status = note_verify(&parts, keys, NULL);
    }
    if (status == TRUST_OK) {
        status = mailboxes_decode(parts.text, out_mailboxes);
    }
    if (status == TRUST_OK && strcmp(out_mailboxes->member, member) != 0) {
        status = TRUST_UNSIGNED; /* of that member nobody has signed it */
    }
    if (status != TRUST_OK) {
        return status;
    }
    row =
        memory_row_of(MEMORY_MAILBOXES, out_mailboxes->member, out_mailboxes->sequence, parts.text);
    return remember(trust, &row);
}

relais_status relais_trust_check_mailboxes(relais_trust *trust, const relais_entry *entry,
                                           relais_bytes note, relais_mailboxes **out_mailboxes,
                                           relais_error *error)
{
    struct signing_public keys[ENTRY_SIGNING_KEYS];
    struct note_keys asked = {keys, 0};
    struct mailboxes *mailboxes = malloc(sizeof *mailboxes);
    enum trust_status said = mailboxes != NULL ? TRUST_OK : TRUST_NO_MEMORY;

    for (size_t i = 0; said == TRUST_OK && i < entry->signing_key_count; i++) {
        const char *text = entry->signing_keys[i];

        said = i < ENTRY_SIGNING_KEYS
                   ? signing_public_decode((struct bytes){(const uint8_t *)text, strlen(text)},
                                           &keys[i])
                   : TRUST_TOO_LONG;
        asked.count = i + 1;
    }
    if (said == TRUST_OK) {
        said = trust_read_mailboxes(trust, &asked, entry->member,
                                    (struct bytes){note.data, note.size}, mailboxes);
    }
    if (said == TRUST_OK && out_mailboxes != NULL) {
        *out_mailboxes = trust_mailboxes_give(mailboxes);
        said = *out_mailboxes != NULL ? TRUST_OK : TRUST_NO_MEMORY;
    }
    free(mailboxes);
    return trust_error_note(error, said, entry->member);
}

/* Adds what the file has to what we saw. */
static relais_status merge(relais_trust *trust, relais_error *error)
{
    struct memory there;
    relais_status status = RELAIS_OK;

    memory_init(&there);
    status = read_memory(trust->path, &there, error);
    for (size_t i = 0; status == RELAIS_OK && i < there.count; i++) {
        enum trust_status said = memory_note(&trust->memory, &there.rows[i], NULL);

        /* Ours is newer: fine. */
        if (said != TRUST_OLDER) {
            status = trust_error_note(error, said, there.rows[i].member);
        }
    }
    memory_fini(&there);
    return status;
}

static relais_status write_memory(relais_trust *trust, relais_error *error)
{
    char *data = NULL;
    size_t size = 0;
    relais_status status = merge(trust, error);

    if (status == RELAIS_OK) {
        status = trust_error_note(error, memory_encode(&trust->memory, &data, &size), trust->path);
    }
    if (status == RELAIS_OK) {
        status = file_replace(trust->path, data, size, 0600, error);
    }
    free(data);
    trust->changed = trust->changed && status != RELAIS_OK;
    return status;
}

relais_status relais_trust_save(relais_trust *trust, relais_error *error)
{
    char lock[PATH_MAX];
    relais_status status = RELAIS_OK;
    int descriptor = -1;
    int size = 0;

    if (trust->path == NULL || !trust->changed) {
        return RELAIS_OK;
    }
    size = snprintf(lock, sizeof lock, "%s.lock", trust->path);
    if (size < 0 || (size_t)size >= sizeof lock) {
        return error_fill_errno(error, trust->path, ENAMETOOLONG);
    }
    descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
        return error_fill_errno(error, lock, errno);
    }
    while (flock(descriptor, LOCK_EX) != 0) {
        if (errno != EINTR) {
            status = error_fill_errno(error, lock, errno);
            (void)close(descriptor);
            return status;
        }
    }
    status = write_memory(trust, error);
    (void)close(descriptor); /* the lock goes with it */
    return status;
}
