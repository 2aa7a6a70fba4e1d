/* SPDX-License-Identifier: EUPL-1.2
 *
 * SIGINT and SIGTERM as something to wait for, so that work in hand is finished before the end.
 */
#ifndef RELAIS_CLI_INTERRUPT_H
#define RELAIS_CLI_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>

struct interrupt {
    struct pollfd poll; /* for relais_wait() */
};

/* From now on the signals do nothing but make `poll` ready. */
bool interrupt_init(struct interrupt *interrupt);
void interrupt_fini(struct interrupt *interrupt);

/* True once a signal has come. */
bool interrupt_came(const struct interrupt *interrupt);

#endif
