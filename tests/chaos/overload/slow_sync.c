/* SPDX-License-Identifier: EUPL-1.2
 *
 * Preloaded into the broker: each sync of the store takes RELAIS_SLOW_SYNC_MS longer, so that the
 * machine that runs the test can offer ten times what the broker carries. A library of its own;
 * any thread.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd);

int fdatasync(int fd)
{
    const char *text = getenv("RELAIS_SLOW_SYNC_MS"); /* NOLINT(concurrency-mt-unsafe) */
    long ms = text != NULL ? strtol(text, NULL, 10) : 0;
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int (*real)(int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    (void)nanosleep(&rest, NULL);
    return real(fd);
}
