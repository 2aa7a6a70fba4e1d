/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PID_TEXT_BYTES = 24, PATH_BYTES = 4096 };

void store_problem_set(struct store_problem *problem, enum store_problem_kind kind,
                       int system_errno, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem->kind = kind;
    problem->system_errno = system_errno;
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is two lines above */
    (void)vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
    va_end(arguments);
}

static bool path_problem(struct store_problem *problem, const char *path, const char *what)
{
    int error = errno;
    store_problem_set(problem, STORE_PROBLEM_PATH, error, "%s: %s: %s", path, what,
                      strerror(error)); /* NOLINT(concurrency-mt-unsafe): opening, one thread */
    return false;
}

bool folder_is_network_type(unsigned long type)
{
    /* statfs(2), linux/magic.h and the file systems' own headers. FUSE stands for sshfs, glusterfs
     * and their like: the kernel does not tell them from local ones. */
    static const unsigned long types[] = {
        0x6969,     /* NFS */
        0x517B,     /* SMB */
        0xFE534D42, /* SMB2 */
        0xFF534D42, /* CIFS */
        0x01021997, /* 9p */
        0x65735546, /* FUSE */
        0x5346414F, /* AFS */
        0x6B414653, /* kAFS */
        0x73757245, /* Coda */
        0x564C,     /* NCP */
        0x00C36400, /* Ceph */
        0x0BD00BD0, /* Lustre */
        0x01161970, /* GFS2 */
        0x7461636F, /* OCFS2 */
        0x786F4256, /* VirtualBox shared folder */
        0xBACBACBC, /* VMware shared folder */
        0x47504653, /* GPFS */
        0x20030528, /* OrangeFS */
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if ((type & 0xFFFFFFFF) == types[i]) {
            return true;
        }
    }
    return false;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool synced = fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return synced;
}

static bool make(const char *path, struct store_problem *out_problem)
{
    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? true : path_problem(out_problem, path, "cannot make the folder");
    }
    char parent[PATH_BYTES];
    if (strlen(path) >= sizeof parent) {
        errno = ENAMETOOLONG;
        return path_problem(out_problem, path, "cannot make the folder");
    }
    memcpy(parent, path, strlen(path) + 1);
    if (!sync_folder(dirname(parent))) {
        return path_problem(out_problem, path, "cannot sync the folder above");
    }
    return true;
}

static bool check_type(const struct folder *folder, const char *path,
                       struct store_problem *out_problem)
{
    struct statfs info;
    if (fstatfs(folder->fd, &info) != 0) {
        return path_problem(out_problem, path, "cannot ask for the file system");
    }
    if (folder_is_network_type((unsigned long)info.f_type)) {
        store_problem_set(out_problem, STORE_PROBLEM_NETWORK_FS, 0,
                          "%s: lies on a network or FUSE file system (type 0x%lx); a store needs a "
                          "local disk",
                          path, (unsigned long)info.f_type & 0xFFFFFFFF);
        return false;
    }
    return true;
}

static bool take_lock(struct folder *folder, const char *path, struct store_problem *out_problem)
{
    folder->lock_fd = openat(folder->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (folder->lock_fd < 0) {
        return path_problem(out_problem, path, "cannot write the file lock in it");
    }
    bool locked = flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0;
    int error = errno;
    char text[PID_TEXT_BYTES] = "";
    ssize_t size = pread(folder->lock_fd, text, sizeof text - 1, 0);
    folder->used = size > 0;
    if (locked) {
        return true;
    }
    if (error != EWOULDBLOCK) {
        errno = error;
        return path_problem(out_problem, path, "cannot lock the file lock in it");
    }
    store_problem_set(out_problem, STORE_PROBLEM_LOCKED, 0,
                      "%s: another broker has it (process %ld, says its file lock)", path,
                      strtol(text, NULL, 10));
    return false;
}

bool folder_open(struct folder *folder, const char *path, struct store_problem *out_problem)
{
    *folder = (struct folder){.fd = -1, .lock_fd = -1};
    bool done = false;
    if (!make(path, out_problem)) {
        goto done;
    }
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0) {
        (void)path_problem(out_problem, path, "cannot enter the folder");
        goto done;
    }
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        (void)path_problem(out_problem, path, "cannot write into the folder");
        goto done;
    }
    done = check_type(folder, path, out_problem) && take_lock(folder, path, out_problem);
done:
    if (!done) {
        folder_close(folder);
    }
    return done;
}

bool folder_mark(struct folder *folder, const char *path, struct store_problem *out_problem)
{
    char text[PID_TEXT_BYTES];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(folder->lock_fd, 0) != 0 ||
        pwrite(folder->lock_fd, text, (size_t)size, 0) != size || fsync(folder->lock_fd) != 0 ||
        fsync(folder->fd) != 0) {
        return path_problem(out_problem, path, "cannot write the file lock in it");
    }
    return true;
}

void folder_close(struct folder *folder)
{
    if (folder->lock_fd >= 0) {
        close(folder->lock_fd);
    }
    if (folder->fd >= 0) {
        close(folder->fd);
    }
    folder->fd = -1;
    folder->lock_fd = -1;
}
