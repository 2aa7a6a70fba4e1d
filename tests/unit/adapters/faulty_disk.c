/* SPDX-License-Identifier: EUPL-1.2
 *
 * System calls that go wrong: see faulty_disk.h.
 */
#include "tests/unit/adapters/faulty_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum faulty_kind fault_kind;
static unsigned fault_call;
static int fault_errno;
static int rename_errno;
static unsigned calls;
static bool happened;

void faulty_disk_set(enum faulty_kind kind, unsigned call, int number)
{
    fault_kind = kind;
    fault_call = call;
    fault_errno = number;
    calls = 0;
    happened = false;
}

void faulty_disk_refuse_rename(int number)
{
    rename_errno = number;
}

unsigned faulty_disk_calls(void)
{
    return calls;
}

bool faulty_disk_happened(void)
{
    return happened;
}

static bool fails(void)
{
    unsigned call = calls++;
    if (fault_kind == FAULTY_KILL_BEFORE && call == fault_call) {
        _exit(FAULTY_EXIT);
    }
    if ((fault_kind == FAULTY_ONCE && call == fault_call) ||
        (fault_kind == FAULTY_FROM && call >= fault_call)) {
        happened = true;
        errno = fault_errno;
        return true;
    }
    return false;
}

static void passed(void)
{
    if (fault_kind == FAULTY_KILL_AFTER && calls == fault_call + 1) {
        _exit(FAULTY_EXIT);
    }
}

/* The linker's names: __wrap_ is what the adapter calls, __real_ the C library's. */
/* NOLINTBEGIN(cert-dcl51-cpp): reserved names, because the linker forms them */
#define WRAP(result, name, parameters, arguments)                                                  \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        if (fails()) {                                                                             \
            return -1;                                                                             \
        }                                                                                          \
        result outcome = __real_##name arguments;                                                  \
        passed();                                                                                  \
        return outcome;                                                                            \
    }

WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WRAP(int, unlinkat, (int folder, const char *name, int flags), (folder, name, flags))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
WRAP(int, renameat, (int from, const char *name, int to, const char *other),
     (from, name, to, other))
WRAP(int, linkat, (int from, const char *name, int to, const char *other, int flags),
     (from, name, to, other, flags))

int __real_renameat2(int from, const char *name, int to, const char *other, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *other, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *other, unsigned flags)
{
    if (fails()) {
        return -1;
    }
    if (rename_errno != 0) {
        errno = rename_errno;
        return -1;
    }
    int outcome = __real_renameat2(from, name, to, other, flags);
    passed();
    return outcome;
}

int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (fails()) {
        return -1;
    }
    int outcome = __real_openat(folder, name, flags, mode);
    passed();
    return outcome;
}
/* NOLINTEND(cert-dcl51-cpp) */
