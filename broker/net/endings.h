/* SPDX-License-Identifier: EUPL-1.2
 *
 * How connections end, and when that is reported.
 *
 *   open -> gone       the descriptor went: reported once every message that it left behind has
 *                      been read (endings_gone, endings_drained)
 *   open -> cut        reported at once, ignored from then on; the descriptor is shut down when
 *                      what was sent has reached the peer, or immediately for whoever broke a rule
 *                      or takes nothing any more (endings_cut, endings_tick)
 *
 * A cut waits until libzmq's queue and the kernel's have been empty for CUT_GRACE_MS, at most
 * CUT_MAX_MS in all. The grace lets a peer that was told Goodbye hang up by itself, and covers the
 * moment in which libzmq's io thread has a frame in hand that is in neither queue. Shutting down
 * only the reading side would not do: libzmq takes the end of its input for the end of the
 * connection and drops what it still had to send.
 *
 * Invariants:
 *   1. An announced connection is reported exactly once; one that was never announced, never.
 *   2. A descriptor is shut down only through its cookie (descriptor.h).
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_ENDINGS_H
#define RELAIS_NET_ENDINGS_H

#include "net/connection.h"

enum {
    CUT_GRACE_MS = 200,
    CUT_MAX_MS = 900, /* a key that was revoked is gone within a second, whatever it reads */
    CUT_TICK_MS = 20,
    /* When the socket never falls silent, an ended connection is reported after so many reads:
     * more than libzmq can have kept of it. */
    ENDINGS_READS_MAX = 4096,
};

struct ended_queue {
    struct connection *first;
    struct connection *last;
};

struct endings {
    struct ended_queue waiting; /* gone, its last messages may still be unread */
    struct ended_queue ready;
    struct connection *cutting;
    int64_t next_tick_ms;
};

void endings_gone(struct endings *endings, struct connection_table *table,
                  struct connection *connection, uint64_t reads);

void endings_cut(struct endings *endings, struct connection *connection, int64_t now_ms);
void endings_cut_at_once(struct endings *endings, struct connection *connection);

/* The socket has been read empty: all that has gone before can be reported. */
void endings_drained(struct endings *endings);

/* The next to report, or NULL; the caller then drops HOLD_REPORT. */
struct connection *endings_next(struct endings *endings, uint64_t reads);

/* Shuts down those cut that are due. */
void endings_tick(struct endings *endings, struct connection_table *table, int64_t now_ms);

#endif
