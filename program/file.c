/* SPDX-License-Identifier: EUPL-1.2
 *
 * Files that are whole or absent. The order is the point: write to a temporary name, sync it, give
 * it its name, sync the folder. A crash leaves the old file, the new one, or a stray ".tmp-" beside
 * it.
 */
#include "program/file.h"

#include "program/error.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static relais_status complain(relais_status status, const char *path, const char *right,
                              relais_error *error)
{
    return error_set(error, status, path, right, "%s", strerror(errno));
}

static void folder_of(const char *path, char *out_folder, size_t size)
{
    (void)snprintf(out_folder, size, "%s", path);
    char *slash = strrchr(out_folder, '/');
    if (!slash) {
        (void)snprintf(out_folder, size, ".");
    } else if (slash == out_folder) {
        slash[1] = '\0';
    } else {
        *slash = '\0';
    }
}

static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    folder_of(path, folder, sizeof folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool synced = fsync(fd) == 0;
    (void)close(fd);
    return synced;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* Writes a synced temporary file beside `path`; its name in out_name[PATH_MAX]. */
static bool write_temporary(const char *path, const void *data, size_t size, mode_t mode,
                            char *out_name)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        return false;
    }
    int length = snprintf(out_name, PATH_MAX, "%s.tmp-%016llx", path, (unsigned long long)random);
    if (length < 0 || length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return false;
    }
    bool whole = write_all(fd, data, size) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int system_errno = errno;
    whole = close(fd) == 0 && whole;
    if (!whole) {
        (void)unlink(out_name);
        errno = system_errno;
    }
    return whole;
}

relais_status file_replace(const char *path, const void *data, size_t size, mode_t mode,
                           relais_error *error)
{
    char name[PATH_MAX];
    if (!write_temporary(path, data, size, mode, name)) {
        return complain(RELAIS_SYSTEM, path, _("a folder that can be written to, with free space"),
                        error);
    }
    if (rename(name, path) != 0 || !sync_folder(path)) {
        int system_errno = errno;
        (void)unlink(name);
        errno = system_errno;
        return complain(RELAIS_SYSTEM, path, _("a name in a folder that can be written to"), error);
    }
    return RELAIS_OK;
}

relais_status file_create(const char *path, const void *data, size_t size, mode_t mode,
                          relais_error *error)
{
    char name[PATH_MAX];
    if (!write_temporary(path, data, size, mode, name)) {
        return complain(RELAIS_SYSTEM, path, _("a folder that can be written to, with free space"),
                        error);
    }
    bool named = renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    if (!named || !sync_folder(path)) {
        int system_errno = errno;
        (void)unlink(name);
        errno = system_errno;
        bool exists = system_errno == EEXIST;
        return complain(exists ? RELAIS_ALREADY_EXISTS : RELAIS_SYSTEM, path,
                        exists
                            ? _("a name that is not in use; existing files are never overwritten")
                            : _("a name in a folder that can be written to"),
                        error);
    }
    return RELAIS_OK;
}

static relais_status read_open(int fd, size_t max, char **out_data, size_t *out_size)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return RELAIS_SYSTEM;
    }
    if (!S_ISREG(about.st_mode)) {
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
        return RELAIS_SYSTEM;
    }
    if (about.st_size < 0 || (uint64_t)about.st_size > max) {
        errno = EFBIG;
        return RELAIS_TOO_LARGE;
    }
    size_t size = (size_t)about.st_size;
    char *data = malloc(size + 1);
    if (!data) {
        return RELAIS_NO_MEMORY;
    }
    size_t got = 0;
    while (got < size) {
        ssize_t count = read(fd, data + got, size - got);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            free(data);
            return RELAIS_SYSTEM;
        }
        if (count == 0) {
            break; /* shortened meanwhile: what is there */
        }
        got += (size_t)count;
    }
    data[got] = '\0';
    *out_data = data;
    *out_size = got;
    return RELAIS_OK;
}

relais_status file_read(const char *path, size_t max, char **out_data, size_t *out_size,
                        relais_error *error)
{
    /* O_NONBLOCK: a FIFO at this place must not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return complain(errno == ENOENT ? RELAIS_NOT_FOUND : RELAIS_SYSTEM, path,
                        _("a file that exists and may be read"), error);
    }
    relais_status status = read_open(fd, max, out_data, out_size);
    int system_errno = errno;
    (void)close(fd);
    errno = system_errno;
    if (status != RELAIS_OK) {
        char right[64];
        (void)snprintf(right, sizeof right, _("a plain file of at most %zu bytes"), max);
        return complain(status, path, right, error);
    }
    return RELAIS_OK;
}

relais_status file_make_folder(const char *path, mode_t mode, relais_error *error)
{
    char partial[PATH_MAX];
    int length = snprintf(partial, sizeof partial, "%s", path);
    if (length <= 0 || length >= (int)sizeof partial) {
        errno = length <= 0 ? EINVAL : ENAMETOOLONG;
        return complain(RELAIS_SYSTEM, path, _("a shorter path"), error);
    }
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char end = *at;
        *at = '\0';
        if (mkdir(partial, mode) == 0) {
            (void)sync_folder(partial);
        } else if (errno != EEXIST) {
            return complain(RELAIS_SYSTEM, partial, _("a parent folder that can be written to"),
                            error);
        }
        *at = end;
        if (end == '\0') {
            break;
        }
    }
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        errno = ENOTDIR;
        return complain(RELAIS_SYSTEM, path, _("a folder"), error);
    }
    return RELAIS_OK;
}
