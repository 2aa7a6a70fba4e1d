/* SPDX-License-Identifier: EUPL-1.2
 *
 * The events of line_monitor.h.
 */
#include "client/line_monitor.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum {
    ADDRESS_BYTES = 48,
    EVENT_BYTES = 6, /* kind in 2 bytes, value in 4, in the machine's order */
    EVENTS = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
             ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

void *line_monitor_open(void *context, void *socket, unsigned number)
{
    char address[ADDRESS_BYTES];
    int linger = 0;
    (void)snprintf(address, sizeof address, "inproc://monitor-%u", number);
    if (zmq_socket_monitor(socket, address, EVENTS) != 0) {
        return NULL;
    }
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    if (monitor == NULL) {
        return NULL;
    }
    if (zmq_setsockopt(monitor, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_connect(monitor, address) != 0) {
        int reason = zmq_errno();
        (void)zmq_close(monitor);
        errno = reason;
        return NULL;
    }
    return monitor;
}

bool line_monitor_next(void *monitor, struct line_event *out_event)
{
    unsigned char frame[EVENT_BYTES];
    int size = zmq_recv(monitor, frame, sizeof frame, ZMQ_DONTWAIT);
    if (size != (int)sizeof frame) {
        return false;
    }
    memcpy(&out_event->kind, frame, sizeof out_event->kind);
    memcpy(&out_event->value, frame + sizeof out_event->kind, sizeof out_event->value);
    (void)zmq_recv(monitor, frame, sizeof frame, ZMQ_DONTWAIT); /* the address */
    return true;
}
