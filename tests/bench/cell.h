/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One cell of the comparison: one server, one payload size, one window, so many pairs of a producer
 * and a consumer, a second or two. A peer_<name>.c says how its server is asked; what is the same
 * for all of them is here: arguments, clock, threads, latencies, what server and driver used, and
 * the JSON line.
 *
 *   peer_<name> PORT TARGET SERVER_PID BYTES WINDOW MILLISECONDS PAIRS
 *
 * 1. The producers and the consumers of one queue run at once, a thread and a connection each, with
 *    a `struct cell` of its own. A consumer takes what any producer has sent.
 * 2. A producer keeps up to `window` messages unconfirmed; a confirm means what that server's
 *    strictest setting makes it mean.
 * 3. It stops after the time given; the cell ends when the consumers have taken everything and
 * their last acknowledgements are settled. All of that time counts.
 * 4. Payloads are random bytes: what a server would compress away is not work saved.
 */
#ifndef TESTS_BENCH_CELL_H
#define TESTS_BENCH_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CELL_HOST_BYTES = 16,
    CELL_PAIRS_MAX = 16,
    CELL_TURN_MS = 100 /* how long a consumer may sleep in one call */
};

struct cell {
    int port;
    const char *target; /* what the peer needs beside the port: a profile, a user, a folder */
    pid_t server;       /* it and its children are what is measured; prepare() may set it */
    size_t bytes;
    uint32_t window;
    uint32_t credit; /* messages that one consumer may hold */
    uint32_t pairs;  /* so many producers, and as many consumers */
    uint32_t number; /* which of them this thread is, from 0 */
    struct cell_lane *lane;
    struct cell_state *state;
};

/* What a peer_<name>.c provides. Each may end the process with cell_fail(). */
struct peer {
    const char *name;
    void (*prepare)(struct cell *cell); /* an empty queue; before the threads; may be NULL */
    void (*produce)(struct cell *cell); /* in a thread each */
    void (*consume)(struct cell *cell);
    void (*finish)(struct cell *cell); /* after the threads; may be NULL */
};
extern const struct peer peer;

extern const char cell_host[CELL_HOST_BYTES];

_Noreturn void cell_fail(const char *what, const char *detail);

/* Each thread calls it once when connected; returns when all have. */
void cell_ready(struct cell *cell);

/* Producer: whether to go on; the payload of the next message, stamped, and counted as sent (the
 * bytes live until the next call); that the `count` oldest of those not confirmed are. */
bool cell_going(const struct cell *cell);
const char *cell_next(struct cell *cell);
uint64_t cell_unconfirmed(const struct cell *cell);
void cell_confirmed(struct cell *cell, uint64_t count);

/* Consumer: one message is here; whether there will be no other, for any consumer. */
void cell_got(struct cell *cell, const void *payload, size_t bytes);
bool cell_drained(const struct cell *cell);

#endif
