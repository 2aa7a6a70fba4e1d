/* SPDX-License-Identifier: EUPL-1.2
 *
 * Preloaded into relaisd: numbers every call that it makes to the files of its store, and lets one
 * of them fail, or that one and all that follow.
 *   CHAOS_FOLDER   the store's folder; calls about anything else are left alone
 *   CHAOS_LOG      a line a call is appended: number, name, 1 when it failed, CLOCK_MONOTONIC in ns
 *   CHAOS_AT       the number of the call that fails, from 1; 0 or absent: none
 *   CHAOS_HOW      EIO, ENOSPC, EINTR, or SHORT: half of a write; what is no write then fails (EIO)
 *   CHAOS_LASTING  1: those after it fail too; EINTR only every second one, or nothing would move
 *
 * A descriptor is the store's when its path was in the folder on opening. The line is written
 * before a failing call returns. Any thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024, SHORT_WRITE = -1, NO_FAULT = 0 };

static atomic_bool is_store[DESCRIPTORS];
static atomic_long calls;
static long fault_at;
static int fault_how;
static bool fault_lasts;
static const char *folder;
static size_t folder_bytes;
static int log_fd = -1;

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* The function of this name behind ours. */
#define REAL(name) ((__typeof__(&(name)))real(#name))

static int how_named(const char *name)
{
    return strcmp(name, "EIO") == 0      ? EIO
           : strcmp(name, "ENOSPC") == 0 ? ENOSPC
           : strcmp(name, "EINTR") == 0  ? EINTR
                                         : SHORT_WRITE;
}

static const char *setting(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): before there are threads */
    return value != NULL ? value : "";
}

__attribute__((constructor)) static void disk_fault_start(void)
{
    folder = setting("CHAOS_FOLDER");
    folder_bytes = strlen(folder);
    fault_at = strtol(setting("CHAOS_AT"), NULL, 10);
    fault_how = how_named(setting("CHAOS_HOW"));
    fault_lasts = strcmp(setting("CHAOS_LASTING"), "1") == 0;
    log_fd = REAL(open)(setting("CHAOS_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static bool in_folder(const char *path)
{
    return folder_bytes > 0 && strncmp(path, folder, folder_bytes) == 0 &&
           (path[folder_bytes] == '\0' || path[folder_bytes] == '/');
}

static bool is_ours(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && atomic_load(&is_store[fd]);
}

static void tell(long number, const char *name, bool fails)
{
    char line[96];
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int size = snprintf(line, sizeof line, "%ld %s %d %lld%09ld\n", number, name, fails ? 1 : 0,
                        (long long)now.tv_sec, now.tv_nsec);
    ssize_t written = REAL(write)(log_fd, line, (size_t)size);
    (void)written;
}

/* What is to happen to the next call about the store: NO_FAULT, SHORT_WRITE or an errno. */
static int next_fault(const char *name)
{
    long number = atomic_fetch_add(&calls, 1) + 1;
    long after = number - fault_at;
    bool lasts = fault_lasts && after > 0 && (fault_how != EINTR || after % 2 == 0);
    bool fails = fault_at > 0 && (after == 0 || lasts);
    tell(number, name, fails);
    return fails ? fault_how : NO_FAULT;
}

/* True: the call is to fail; errno says how. */
static bool fails(const char *name)
{
    int fault = next_fault(name);
    if (fault != NO_FAULT) {
        errno = fault == SHORT_WRITE ? EIO : fault;
    }
    return fault != NO_FAULT;
}

static bool fails_about(int fd, const char *name)
{
    return is_ours(fd) && fails(name);
}

/* How much of `size` is written; -1 and errno when nothing is. */
static ssize_t allowed(int fd, const char *name, size_t size)
{
    int fault = is_ours(fd) ? next_fault(name) : NO_FAULT;
    if (fault == NO_FAULT) {
        return (ssize_t)size;
    }
    errno = fault == SHORT_WRITE ? 0 : fault;
    return fault == SHORT_WRITE ? (ssize_t)(size / 2) : -1;
}

static int opened(int fd, bool ours)
{
    if (fd >= 0 && fd < DESCRIPTORS) {
        atomic_store(&is_store[fd], ours);
    }
    return fd;
}

static unsigned mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = mode_of(flags, arguments);
    va_end(arguments);
    bool ours = in_folder(path);
    return ours && fails("open") ? -1 : opened(REAL(open)(path, flags, mode), ours);
}

int openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = mode_of(flags, arguments);
    va_end(arguments);
    bool ours = in_folder(path) || (path[0] != '/' && is_ours(at));
    return ours && fails("openat") ? -1 : opened(REAL(openat)(at, path, flags, mode), ours);
}

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS) {
        atomic_store(&is_store[fd], false);
    }
    return REAL(close)(fd);
}

ssize_t read(int fd, void *data, size_t size)
{
    return fails_about(fd, "read") ? -1 : REAL(read)(fd, data, size);
}

ssize_t pread(int fd, void *data, size_t size, off_t at)
{
    return fails_about(fd, "pread") ? -1 : REAL(pread)(fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t some = allowed(fd, "write", size);
    return some < 0 ? -1 : REAL(write)(fd, data, (size_t)some);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ssize_t some = allowed(fd, "pwrite", size);
    return some < 0 ? -1 : REAL(pwrite)(fd, data, (size_t)some, at);
}

/* A short one writes the first of its parts: at most half of it when there is one alone. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t some = allowed(fd, "writev", 2);
    if (some < 0) {
        return -1;
    }
    if (some == 2) {
        return REAL(writev)(fd, parts, count);
    }
    return REAL(write)(fd, parts[0].iov_base, count > 1 ? parts[0].iov_len : parts[0].iov_len / 2);
}

int ftruncate(int fd, off_t size)
{
    return fails_about(fd, "ftruncate") ? -1 : REAL(ftruncate)(fd, size);
}

int fsync(int fd)
{
    return fails_about(fd, "fsync") ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return fails_about(fd, "fdatasync") ? -1 : REAL(fdatasync)(fd);
}

int rename(const char *from, const char *to)
{
    return in_folder(from) && fails("rename") ? -1 : REAL(rename)(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return is_ours(from_at) && fails("renameat") ? -1 : REAL(renameat)(from_at, from, to_at, to);
}

int mkdir(const char *path, mode_t mode)
{
    return in_folder(path) && fails("mkdir") ? -1 : REAL(mkdir)(path, mode);
}
