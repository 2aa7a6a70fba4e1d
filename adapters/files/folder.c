/* SPDX-License-Identifier: EUPL-1.2
 *
 * Folders held open, and moving files between them: see folder.h.
 */
#include "adapters/files/folder.h"

#include "adapters/files/safe_name.h"
#include "program/error.h"
#include "program/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct file_mark file_mark_of(const struct stat *from)
{
    return (struct file_mark){
        .device = from->st_dev,
        .inode = from->st_ino,
        .size = from->st_size,
        .mtime_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec,
    };
}

bool file_mark_same(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns;
}

static relais_status refuse_folder(const char *path, int number, relais_error *error)
{
    relais_status status = number == ENOENT ? RELAIS_NOT_FOUND : RELAIS_SYSTEM;
    const char *right = number == ENOENT ? _("make this folder, or name another one")
                                         : _("a folder that the adapter's user may read and write");
    return error_set(error, status, path, right, "%s", strerror(number));
}

relais_status folder_open(const char *path, bool create, int *out_fd, relais_error *error)
{
    if (create && mkdir(path, 0750) != 0 && errno != EEXIST) {
        return refuse_folder(path, errno, error);
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return refuse_folder(path, errno, error);
    }
    if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
        int number = errno;
        (void)close(fd);
        return refuse_folder(path, number, error);
    }
    *out_fd = fd;
    return RELAIS_OK;
}

relais_status folder_open_at(int folder, const char *name, mode_t mode, int *out_fd,
                             relais_error *error)
{
    if (mkdirat(folder, name, mode) != 0 && errno != EEXIST) {
        return refuse_folder(name, errno, error);
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return refuse_folder(name, errno, error);
    }
    *out_fd = fd;
    return RELAIS_OK;
}

bool folder_lock(int fd)
{
    /* some network file systems know no locks: better without one than not at all */
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

int folder_move(int from_folder, const char *from, int to_folder, const char *to)
{
    if (renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    if (linkat(from_folder, from, to_folder, to, 0) != 0) {
        return errno;
    }
    /* it is in its new place from here on, whatever becomes of the old name */
    (void)unlinkat(from_folder, from, 0);
    return 0;
}

void folder_variant(const char *name, unsigned number, const char *tag,
                    char out_name[FOLDER_NAME_BYTES + 1])
{
    char mark[FOLDER_TAG_BYTES + 16] = "";
    if (number >= FOLDER_TRIES) {
        (void)snprintf(mark, sizeof mark, "-%s-%u", tag, number - FOLDER_TRIES);
    } else if (number > 0) {
        (void)snprintf(mark, sizeof mark, "-%u", number);
    }
    size_t stem = safe_name_stem(name);
    size_t room = FOLDER_PLACED_BYTES - strlen(mark) - strlen(name + stem);
    size_t kept = safe_name_cut(name, stem < room ? stem : room);
    (void)snprintf(out_name, FOLDER_NAME_BYTES + 1, "%.*s%s%s", (int)kept, name, mark, name + stem);
}

int folder_place(int from_folder, const char *from, int to_folder, const char *wanted,
                 const char *tag, char out_name[FOLDER_NAME_BYTES + 1])
{
    int number = EEXIST;
    for (unsigned i = 0; number == EEXIST && i < FOLDER_TRIES_MAX; i++) {
        folder_variant(wanted, i, tag, out_name);
        number = folder_move(from_folder, from, to_folder, out_name);
    }
    return number;
}
