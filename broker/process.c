/* SPDX-License-Identifier: EUPL-1.2
 *
 * The process as the system sees it.
 */
#include "broker/process.h"

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

/* Only what signal-safety(7) allows. */
static void on_bus_error(int number)
{
    static const char line[] =
        "level=error event=store.damaged detail=\"SIGBUS: the store's file is damaged, truncated "
        "or its disk is gone; restore it from a backup, or check the disk\"\n";

    (void)number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(EXIT_STORE);
}

void process_guard_signals(void)
{
    struct sigaction ignored = {0};
    struct sigaction bus = {0};

    ignored.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &ignored, NULL);
    bus.sa_handler = on_bus_error;
    bus.sa_flags = (int)SA_RESETHAND;
    (void)sigaction(SIGBUS, &bus, NULL);
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
