/* SPDX-License-Identifier: EUPL-1.2
 *
 * Key pairs and their files.
 *   1. A secret key is written with mode 0600, never over something, and read only when nobody
 *      else may read it: the check and the reading go through one descriptor.
 *   2. Every buffer that held a secret is wiped; no secret reaches an error.
 * Z85 and the curve are libzmq's: what it accepts here it accepts on the socket.
 */
#include <relais/key.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "client/error.h"
#include "program/file.h"
#include "program/locale.h"

enum {
    KEY_FILE_BYTES = 1024, /* two lines of 49 bytes, and room for comments */
    KEY_BYTES = 32,
    KEY_PATH_BYTES = 4096,
};

#define PUBLIC_LABEL "public: "
#define SECRET_LABEL "secret: "

relais_status relais_key_new(relais_key *out_key, relais_error *error)
{
    relais_key key;
    if (sodium_init() < 0 || zmq_curve_keypair(key.public_key, key.secret_key) != 0) {
        return error_fill(error, RELAIS_SYSTEM, "key", zmq_strerror(zmq_errno()),
                          _("a system with randomness and a libzmq built with CURVE"));
    }
    *out_key = key;
    sodium_memzero(&key, sizeof key);
    return RELAIS_OK;
}

bool relais_key_is_public(const char *text)
{
    uint8_t bytes[KEY_BYTES];
    return text != NULL && strlen(text) == RELAIS_KEY_CHARACTERS &&
           zmq_z85_decode(bytes, text) != NULL;
}

void relais_key_wipe(relais_key *key)
{
    if (key != NULL) {
        sodium_memzero(key, sizeof *key);
    }
}

static relais_status check_pair(const relais_key *key, const char *field, relais_error *error)
{
    char derived[RELAIS_KEY_CHARACTERS + 1];
    if (!relais_key_is_public(key->public_key)) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, field, NULL,
                          _("a line \"public: \" and 40 characters of Z85"));
    }
    if (!relais_key_is_public(key->secret_key) || zmq_curve_public(derived, key->secret_key) != 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, field, NULL,
                          _("a line \"secret: \" and 40 characters of Z85"));
    }
    if (strcmp(derived, key->public_key) != 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, field,
                          _("two halves that do not belong together"),
                          _("the file as relais key new wrote it"));
    }
    return RELAIS_OK;
}

relais_status relais_key_save(const relais_key *key, const char *path, relais_error *error)
{
    char text[2 * (sizeof SECRET_LABEL + RELAIS_KEY_CHARACTERS + 1)];
    char public_path[KEY_PATH_BYTES];
    relais_status status = RELAIS_OK;

    int length = snprintf(public_path, sizeof public_path, "%s.pub", path);
    if (length < 0 || (size_t)length >= sizeof public_path) {
        return error_fill(error, RELAIS_USAGE, "path", path, _("a shorter path"));
    }
    status = check_pair(key, path, error);
    if (status != RELAIS_OK) {
        return status;
    }
    length = snprintf(text, sizeof text, PUBLIC_LABEL "%s\n" SECRET_LABEL "%s\n", key->public_key,
                      key->secret_key);
    status = file_create(path, text, (size_t)length, 0600, error);
    sodium_memzero(text, sizeof text);
    if (status != RELAIS_OK) {
        return status;
    }
    length = snprintf(text, sizeof text, PUBLIC_LABEL "%s\n", key->public_key);
    status = file_replace(public_path, text, (size_t)length, 0644, error);
    if (status != RELAIS_OK) {
        (void)unlink(path); /* both or none, so that the same call can be made again */
    }
    return status;
}

/* Copies the 40 characters behind `label` in a line of its own; "" when there is no such line. */
static void find_line(const char *text, const char *label, char out_key[RELAIS_KEY_CHARACTERS + 1])
{
    size_t label_bytes = strlen(label);
    out_key[0] = '\0';
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        size_t length = end != NULL ? (size_t)(end - line) : strlen(line);
        if (length > 0 && line[length - 1] == '\r') {
            length--;
        }
        if (length == label_bytes + RELAIS_KEY_CHARACTERS &&
            strncmp(line, label, label_bytes) == 0) {
            memcpy(out_key, line + label_bytes, RELAIS_KEY_CHARACTERS);
            out_key[RELAIS_KEY_CHARACTERS] = '\0';
            return;
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

static relais_status check_file(int descriptor, const char *path, bool secret, relais_error *error)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, strerror(errno), NULL);
    }
    if (!S_ISREG(about.st_mode) || about.st_size >= KEY_FILE_BYTES) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, NULL,
                          _("a key file as relais key new writes it"));
    }
    if (secret && (about.st_mode & 077U) != 0) {
        char mode[16];
        (void)snprintf(mode, sizeof mode, "%04o", (unsigned)(about.st_mode & 07777U));
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, mode,
                          _("mode 0600: others must not read a secret key (chmod 600)"));
    }
    return RELAIS_OK;
}

/* Reads the file into text[KEY_FILE_BYTES] with a NUL behind it. */
static relais_status read_file(const char *path, bool secret, char *text, relais_error *error)
{
    relais_status status = RELAIS_OK;
    size_t used = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        return error_fill(error, RELAIS_KEY_UNREADABLE, path, strerror(errno),
                          _("a key file that this user can read"));
    }
    status = check_file(descriptor, path, secret, error);
    while (status == RELAIS_OK && used < KEY_FILE_BYTES - 1) {
        ssize_t got = read(descriptor, text + used, KEY_FILE_BYTES - 1 - used);
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

relais_status relais_key_load(const char *path, relais_key *out_key, relais_error *error)
{
    char text[KEY_FILE_BYTES] = "";
    relais_key key;
    relais_status status = read_file(path, true, text, error);
    if (status == RELAIS_OK) {
        find_line(text, PUBLIC_LABEL, key.public_key);
        find_line(text, SECRET_LABEL, key.secret_key);
        status = check_pair(&key, path, error);
        if (status == RELAIS_OK) {
            *out_key = key;
        }
        sodium_memzero(&key, sizeof key);
    }
    sodium_memzero(text, sizeof text);
    return status;
}

relais_status relais_key_load_public(const char *path, relais_key *out_key, relais_error *error)
{
    char text[KEY_FILE_BYTES] = "";
    char public_key[RELAIS_KEY_CHARACTERS + 1];
    relais_status status = read_file(path, false, text, error);
    if (status == RELAIS_OK) {
        find_line(text, PUBLIC_LABEL, public_key);
        if (relais_key_is_public(public_key)) {
            memcpy(out_key->public_key, public_key, sizeof public_key);
            out_key->secret_key[0] = '\0';
        } else {
            status = error_fill(error, RELAIS_KEY_UNREADABLE, path, NULL,
                                _("a line \"public: \" and 40 characters of Z85"));
        }
    }
    sodium_memzero(text, sizeof text);
    return status;
}
