/* SPDX-License-Identifier: EUPL-1.2
 *
 * Signals by signalfd(2). The signal stays in the descriptor: it is asked about, never read, so
 * that every later question is answered likewise.
 */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool interrupt_init(struct interrupt *interrupt)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    interrupt->poll = (struct pollfd){.fd = -1, .events = POLLIN};
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0) {
        return false;
    }
    interrupt->poll.fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return interrupt->poll.fd >= 0;
}

void interrupt_fini(struct interrupt *interrupt)
{
    if (interrupt->poll.fd >= 0) {
        close(interrupt->poll.fd);
        interrupt->poll.fd = -1;
    }
}

bool interrupt_came(const struct interrupt *interrupt)
{
    struct pollfd look = {.fd = interrupt->poll.fd, .events = POLLIN};
    return poll(&look, 1, 0) == 1;
}
