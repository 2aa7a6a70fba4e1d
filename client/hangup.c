/* SPDX-License-Identifier: EUPL-1.2
 *
 * Last words, then the end of a connection. Why: hangup.h.
 */
#include "client/hangup.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "client/clock.h"
#include "client/connection.h"
#include "client/line_monitor.h"

enum {
    LAST_WORDS_MS = 100,    /* for answers that were given just before the end */
    LAST_WORDS_TICK_MS = 1, /* libzmq's thread sets a flag, and cannot wake us */
    QUIET_END_MS = 50,      /* for libzmq to see that nothing more will come */
    /* libzmq's thread has only to look, but may have 64 MiB to encrypt or no processor before that.
     * Leaving earlier is what aborts, and later than this the machine stands still. */
    END_MAX_MS = 2000,
    FRAMES_A_TURN = 64,
};

void hangup_init(struct hangup *hangup)
{
    hangup->descriptor = -1;
    hangup->cookie = 0;
    hangup->goodbye_said = false;
    atomic_store(&hangup->goodbye_taken, false);
}

/* Unique among all sockets since the machine was started; 0: not a socket. */
static uint64_t cookie_of(int descriptor)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
        return 0;
    }
    return cookie;
}

void hangup_connected(struct hangup *hangup, int descriptor)
{
    hangup->descriptor = descriptor;
    hangup->cookie = cookie_of(descriptor);
}

void hangup_ended(struct hangup *hangup)
{
    hangup->descriptor = -1;
}

/* Called by libzmq, from its thread, when it needs the bytes no more. */
static void note_taken(void *data, void *hint)
{
    struct hangup *hangup = hint;
    (void)data;
    atomic_store(&hangup->goodbye_taken, true);
}

void hangup_say_goodbye(struct connection *connection)
{
    struct hangup *hangup = &connection->hangup;
    Relais__V1__Goodbye goodbye = RELAIS__V1__GOODBYE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    zmq_msg_t frame;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_GOODBYE;
    command.goodbye = &goodbye;
    size_t size = relais__v1__to_broker__get_packed_size(&command);
    if (size > sizeof hangup->goodbye) {
        return;
    }
    (void)relais__v1__to_broker__pack(&command, hangup->goodbye);
    if (zmq_msg_init_data(&frame, hangup->goodbye, size, note_taken, hangup) != 0) {
        return;
    }
    hangup->goodbye_said = zmq_msg_send(&frame, connection->socket, ZMQ_DONTWAIT) >= 0;
    if (!hangup->goodbye_said) {
        (void)zmq_msg_close(&frame);
    }
}

/* Whether libzmq has told the end. */
static bool has_ended(struct connection *connection)
{
    struct line_event event;
    while (line_monitor_next(connection->monitor, &event)) {
        if (event.kind == ZMQ_EVENT_DISCONNECTED) {
            hangup_ended(&connection->hangup);
        }
    }
    return connection->hangup.descriptor < 0;
}

/* Makes room: libzmq does not look at a connection whose messages nobody takes. */
static void drop_incoming(void *socket)
{
    char byte[1];
    for (int i = 0; i < FRAMES_A_TURN && zmq_recv(socket, byte, sizeof byte, ZMQ_DONTWAIT) >= 0;
         i++) {
    }
}

/* Waits for the end; false: it did not come. With `or_goodbye` also until the goodbye was taken. */
static bool await(struct connection *connection, int64_t patience_ms, bool or_goodbye)
{
    int64_t end_ms = clock_monotonic_ms() + patience_ms;
    while (!has_ended(connection)) {
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (or_goodbye && atomic_load(&connection->hangup.goodbye_taken)) {
            return true;
        }
        if (left_ms <= 0) {
            return false;
        }
        zmq_pollitem_t items[] = {{.socket = connection->monitor, .events = ZMQ_POLLIN},
                                  {.socket = connection->socket, .events = ZMQ_POLLIN}};
        (void)zmq_poll(items, 2, or_goodbye ? LAST_WORDS_TICK_MS : (long)left_ms);
        drop_incoming(connection->socket);
    }
    return true;
}

/* False: the descriptor is not, or no longer, the connection's. */
static bool shut(const struct hangup *hangup, int how)
{
    int held = fcntl(hangup->descriptor, F_DUPFD_CLOEXEC, 0);
    /* Without a free descriptor the plain one must do: the window is a few instructions wide. */
    int used = held >= 0 ? held : hangup->descriptor;
    bool same = hangup->cookie != 0 && cookie_of(used) == hangup->cookie;
    if (same) {
        (void)shutdown(used, how);
    }
    if (held >= 0) {
        (void)close(held);
    }
    return same;
}

void hangup_line(struct connection *connection)
{
    struct hangup *hangup = &connection->hangup;
    if (hangup->goodbye_said && await(connection, LAST_WORDS_MS, true) && !has_ended(connection)) {
        /* Taken is not yet written; but libzmq sees the end of its input after that. */
        if (shut(hangup, SHUT_RD)) {
            (void)await(connection, QUIET_END_MS, false);
        }
    }
    if (!has_ended(connection) && shut(hangup, SHUT_RDWR)) {
        (void)await(connection, END_MAX_MS, false);
    }
}
