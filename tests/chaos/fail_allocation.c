/* SPDX-License-Identifier: EUPL-1.2
 *
 * Preloaded: the N-th allocation ($FAIL_ALLOCATION) that the program itself, LMDB or protobuf-c
 * asks for fails, once. libzmq aborts by design when it has no memory: its own are left alone. How
 * many there were is written to $FAIL_ALLOCATION_COUNT at the end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static atomic_ulong allocations;
static unsigned long failing;
static bool ready;

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("FAIL_ALLOCATION");
    failing = number != NULL ? strtoul(number, NULL, 10) : 0;
    ready = true;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAIL_ALLOCATION_COUNT");
    char text[32];
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int size = snprintf(text, sizeof text, "%lu\n", atomic_load(&allocations));
    if (fd >= 0 && write(fd, text, (size_t)size) == size) {
        (void)close(fd);
    }
}

/* Whose code asks: by the object that its return address lies in. */
static bool is_ours(const void *caller)
{
    Dl_info info;
    if (!ready || dladdr(caller, &info) == 0 || info.dli_fname == NULL) {
        return false;
    }
    return strstr(info.dli_fname, "relaisd") != NULL ||
           strstr(info.dli_fname, "librelais") != NULL ||
           strstr(info.dli_fname, "liblmdb") != NULL ||
           strstr(info.dli_fname, "libprotobuf-c") != NULL;
}

static bool fails(const void *caller)
{
    if (!is_ours(caller) || atomic_fetch_add(&allocations, 1) + 1 != failing) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
