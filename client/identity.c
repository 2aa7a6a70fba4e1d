/* SPDX-License-Identifier: EUPL-1.2
 *
 * Signing keys and their files.
 *   1. A secret key is written with mode 0600, never over something, and read only when nobody
 *      else may read it: the check and the reading go through one descriptor.
 *   2. Every buffer that held a secret is wiped; no secret reaches an error.
 */
#include "client/identity.h"

#include "client/error.h"
#include "client/trust_error.h"
#include "program/file.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES = 1024, /* one line, and room for comments */
    PATH_BYTES = 4096,
};

struct relais_identity {
    struct signing_key *key;
};

_Static_assert((int)RELAIS_IDENTITY_TEXT_BYTES >= (int)SIGNING_PUBLIC_TEXT_BYTES,
               "a public key does not fit");

const struct signing_key *identity_key(const relais_identity *identity)
{
    return identity->key;
}

/* Takes the key, also on failure. */
static relais_status wrap(struct signing_key *key, relais_identity **out_identity,
                          relais_error *error)
{
    relais_identity *identity = malloc(sizeof *identity);

    if (identity == NULL) {
        signing_key_free(key);
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    identity->key = key;
    *out_identity = identity;
    return RELAIS_OK;
}

relais_status relais_identity_new(const char *name, relais_identity **out_identity,
                                  relais_error *error)
{
    struct signing_key *key = NULL;
    enum trust_status status = TRUST_OK;

    if (sodium_init() < 0) {
        return error_fill(error, RELAIS_SYSTEM, "key", NULL, _("a system with randomness"));
    }
    status = signing_key_generate(name, &key);
    if (status == TRUST_BAD_NAME) {
        return error_fill(
            error, RELAIS_FIELD_INVALID, "name", name,
            _("a-z, 0-9 and single - inside, 1 to 63 characters, e.g. commune-76540"));
    }
    return status == TRUST_OK ? wrap(key, out_identity, error)
                              : trust_error_key(error, status, "key");
}

void relais_identity_free(relais_identity *identity)
{
    if (identity != NULL) {
        signing_key_free(identity->key);
        free(identity);
    }
}

void relais_identity_public(const relais_identity *identity,
                            char out_public[RELAIS_IDENTITY_TEXT_BYTES])
{
    signing_public_encode(signing_key_public(identity->key), out_public);
}

bool relais_identity_is_public(const char *text, const char *name)
{
    struct signing_public key;

    return text != NULL &&
           signing_public_decode((struct bytes){(const uint8_t *)text, strlen(text)}, &key) ==
               TRUST_OK &&
           (name == NULL || strcmp(key.name, name) == 0);
}

relais_status relais_identity_save(const relais_identity *identity, const char *path,
                                   relais_error *error)
{
    char public_path[PATH_BYTES];
    char text[SIGNING_SECRET_TEXT_BYTES + 1];
    relais_status status = RELAIS_OK;
    int length = snprintf(public_path, sizeof public_path, "%s.pub", path);

    if (length < 0 || (size_t)length >= sizeof public_path) {
        return error_fill(error, RELAIS_USAGE, "path", path, _("a shorter path"));
    }
    signing_key_encode(identity->key, text);
    size_t size = strlen(text);
    text[size] = '\n';
    status = file_create(path, text, size + 1, 0600, error);
    sodium_memzero(text, sizeof text);
    if (status != RELAIS_OK) {
        return status;
    }
    signing_public_encode(signing_key_public(identity->key), text);
    size = strlen(text);
    text[size] = '\n';
    status = file_replace(public_path, text, size + 1, 0644, error);
    if (status != RELAIS_OK) {
        (void)unlink(path); /* both or none, so that the same call can be made again */
    }
    return status;
}

static relais_status check_file(int descriptor, const char *path, bool secret, size_t size,
                                relais_error *error)
{
    struct stat about;

    if (fstat(descriptor, &about) != 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, strerror(errno), NULL);
    }
    if (!S_ISREG(about.st_mode) || about.st_size >= (off_t)size) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, NULL,
                          _("a key file as relais key writes it"));
    }
    if (secret && (about.st_mode & 077U) != 0) {
        char mode[16];

        (void)snprintf(mode, sizeof mode, "%04o", (unsigned)(about.st_mode & 07777U));
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, mode,
                          _("mode 0600: others must not read a secret key (chmod 600)"));
    }
    return RELAIS_OK;
}

relais_status identity_read_file(const char *path, bool secret, char *text, size_t size,
                                 relais_error *error)
{
    relais_status status = RELAIS_OK;
    size_t used = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    text[0] = '\0';
    if (descriptor < 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, strerror(errno),
                          _("a key file that this user can read"));
    }
    status = check_file(descriptor, path, secret, size, error);
    while (status == RELAIS_OK && used < size - 1) {
        ssize_t got = read(descriptor, text + used, size - 1 - used);

        if (got == 0) {
            break;
        }
        if (got > 0) {
            used += (size_t)got;
        } else if (errno != EINTR) {
            status = error_fill(error, RELAIS_KEY_UNREADABLE, path, strerror(errno), NULL);
        }
    }
    text[used] = '\0';
    (void)close(descriptor);
    return status;
}

/* The first line that is neither empty nor a comment. */
static struct bytes first_line(const char *text)
{
    while (*text == '#' || *text == '\n') {
        text += strcspn(text, "\n");
        text += *text == '\n' ? 1 : 0;
    }
    return (struct bytes){(const uint8_t *)text, strcspn(text, "\r\n")};
}

relais_status relais_identity_load(const char *path, relais_identity **out_identity,
                                   relais_error *error)
{
    char text[FILE_BYTES];
    struct signing_key *key = NULL;
    relais_status status = RELAIS_OK;

    if (sodium_init() < 0) {
        return error_fill(error, RELAIS_SYSTEM, path, NULL, _("a system with randomness"));
    }
    status = identity_read_file(path, true, text, sizeof text, error);
    if (status == RELAIS_OK) {
        status = trust_error_key(error, signing_key_decode(first_line(text), &key), path);
    }
    sodium_memzero(text, sizeof text);
    return status == RELAIS_OK ? wrap(key, out_identity, error) : status;
}

relais_status relais_identity_load_public(const char *path,
                                          char out_public[RELAIS_IDENTITY_TEXT_BYTES],
                                          relais_error *error)
{
    static const char secret_label[] = "PRIVATE+";
    char text[FILE_BYTES];
    struct signing_public key;
    struct bytes line;
    relais_status status = identity_read_file(path, false, text, sizeof text, error);

    if (status != RELAIS_OK) {
        sodium_memzero(text, sizeof text);
        return status;
    }
    line = first_line(text);
    if (line.size > sizeof secret_label &&
        memcmp(line.data, secret_label, sizeof secret_label - 1) == 0) {
        relais_identity *identity = NULL;

        status = relais_identity_load(path, &identity, error);
        if (identity != NULL) {
            relais_identity_public(identity, out_public);
        }
        relais_identity_free(identity);
    } else {
        status = trust_error_key(error, signing_public_decode(line, &key), path);
        if (status == RELAIS_OK) {
            signing_public_encode(&key, out_public);
        }
    }
    sodium_memzero(text, sizeof text);
    return status;
}
