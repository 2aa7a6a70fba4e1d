/* SPDX-License-Identifier: EUPL-1.2
 *
 * The process as the system sees it.
 */
#include "broker/process.h"

#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    FILES_OWN = 64,       /* store, log, libzmq's threads and mailboxes, reserve for reloading */
    CONNECTIONS_LEAST = 8 /* one key's worth: below, a service makes no sense */
};

uint64_t process_raise_files(void)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return before;
    }
    return limit.rlim_cur;
}

uint64_t process_files_min(void)
{
    return FILES_OWN + CONNECTIONS_LEAST + CONNECTIONS_LEAST / 5;
}

uint64_t process_connections(uint64_t files, uint64_t wanted)
{
    if (files < process_files_min()) {
        return 0;
    }
    /* A fifth more than connections: handshakes and sockets that are being closed. */
    uint64_t possible = (files - FILES_OWN) * 5 / 6;
    return possible < wanted ? possible : wanted;
}

void process_hide_memory(void)
{
    const struct rlimit none = {0};
    struct rlimit kept = {0};

    if (getrlimit(RLIMIT_CORE, &kept) == 0) {
        const struct rlimit soft = {.rlim_cur = none.rlim_cur, .rlim_max = kept.rlim_max};

        (void)setrlimit(RLIMIT_CORE, &soft);
    }
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void process_show_memory(void)
{
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

bool process_seed(uint64_t *out_seed)
{
    unsigned seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed ||
        getrandom(out_seed, sizeof *out_seed, 0) != (ssize_t)sizeof *out_seed) {
        return false;
    }
    srand(seed);
    return true;
}

/* What SIGSEGV did before us: a sanitizer's report. Written once, before there are threads. */
static struct sigaction segv_before;

/* These handlers do only what signal-safety(7) allows. */
static void end_for_store(const char *line, size_t size)
{
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
    _exit(EXIT_STORE);
}

static void on_bus_error(int number)
{
    static const char line[] =
        "level=error event=store.damaged detail=\"SIGBUS: the store's file is damaged, truncated "
        "or its disk is gone; restore it from a backup, or check the disk\"\n";

    (void)number;
    end_for_store(line, sizeof line - 1);
}

/* LMDB believes what it reads: a broken page leads it astray, or to one of its assertions. */
static void on_crash(int number)
{
    static const char line[] =
        "level=error event=store.damaged detail=\"SIGSEGV or SIGABRT while the store was read: its "
        "file is damaged; keep a copy of it, check the disk, restore it from a backup\"\n";
    char name[16] = "";

    (void)prctl(PR_GET_NAME, name, 0, 0, 0);
    if (strcmp(name, STORE_THREAD_NAME) == 0) {
        end_for_store(line, sizeof line - 1);
    }
    if (number == SIGSEGV) { /* once more, as if we were not there; abort() does so by itself */
        (void)sigaction(SIGSEGV, &segv_before, NULL);
    }
}

void process_guard_signals(void)
{
    struct sigaction ignored = {0};
    struct sigaction bus = {0};
    struct sigaction crash = {0};

    ignored.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &ignored, NULL);
    bus.sa_handler = on_bus_error;
    bus.sa_flags = (int)SA_RESETHAND;
    (void)sigaction(SIGBUS, &bus, NULL);
    crash.sa_handler = on_crash;
    (void)sigaction(SIGSEGV, &crash, &segv_before);
    (void)sigaction(SIGABRT, &crash, NULL);
}

int process_signal_fd(void)
{
    sigset_t wanted;

    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigaddset(&wanted, SIGINT);
    (void)sigaddset(&wanted, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

int process_next_signal(int fd)
{
    struct signalfd_siginfo news = {0};

    return read(fd, &news, sizeof news) == (ssize_t)sizeof news ? (int)news.ssi_signo : 0;
}
