/* SPDX-License-Identifier: EUPL-1.2
 *
 * The end of a line, before its socket is closed.
 *
 * libzmq 4.3.4 aborts the process when a connection fails at the moment in which its socket, being
 * closed, has half a message on it. So no connection is left when the socket is closed: we shut it
 * down, and wait until libzmq has told its end. Nor does ZMQ_LINGER send our last words; we wait
 * for that too.
 *   1. A descriptor is libzmq's: it is touched only after the monitor was read empty, and only
 *      while it has the cookie that it had when it was connected. libzmq tells the end before it
 *      closes the descriptor, so one that another thread has got since is never touched.
 * Thread: the client's, except that libzmq's says when it has taken the goodbye.
 */
#ifndef RELAIS_CLIENT_HANGUP_H
#define RELAIS_CLIENT_HANGUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct connection;

enum { HANGUP_GOODBYE_BYTES = 16 };

struct hangup {
    int descriptor; /* -1: not connected, or told to have ended */
    uint64_t cookie;
    bool goodbye_said;
    atomic_bool goodbye_taken; /* written or, with the connection, dropped */
    uint8_t goodbye[HANGUP_GOODBYE_BYTES];
};

void hangup_init(struct hangup *hangup);

/* The monitor has told of the connection; of its end. */
void hangup_connected(struct hangup *hangup, int descriptor);
void hangup_ended(struct hangup *hangup);

/* Puts Goodbye behind all that was said: hangup_line() then waits a moment for it to go. */
void hangup_say_goodbye(struct connection *connection);

/* Ends the connection. Reads and drops what the broker still says. */
void hangup_line(struct connection *connection);

#endif
