/* SPDX-License-Identifier: EUPL-1.2
 *
 * The PAIR that libzmq reports to. See monitor.h.
 */
#include "net/monitor.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

static const char monitor_endpoint[] = "inproc://relais.monitor";

void *monitor_open(void *context, void *watched)
{
    const int events = ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED |
                       ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (zmq_socket_monitor(watched, monitor_endpoint, events) != 0) {
        return NULL;
    }
    void *socket = zmq_socket(context, ZMQ_PAIR);
    if (socket == NULL) {
        return NULL;
    }
    /* No high-water mark: the io thread waits for room while it holds the lock that stopping the
     * monitor takes, so a full queue could hang both threads. */
    const int unbounded = 0;
    const int linger = 0;
    if (zmq_setsockopt(socket, ZMQ_RCVHWM, &unbounded, sizeof unbounded) != 0 ||
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_connect(socket, monitor_endpoint) != 0) {
        const int kept = errno;
        (void)zmq_close(socket);
        errno = kept;
        return NULL;
    }
    return socket;
}

void monitor_close(void *socket, void *watched)
{
    if (watched != NULL) {
        (void)zmq_socket_monitor(watched, NULL, 0);
    }
    if (socket != NULL) {
        (void)zmq_close(socket);
    }
}

static enum monitor_kind kind_of(uint16_t event)
{
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        return MONITOR_ACCEPTED;
    case ZMQ_EVENT_DISCONNECTED:
        return MONITOR_GONE;
    case ZMQ_EVENT_ACCEPT_FAILED:
        return MONITOR_ACCEPT_FAILED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return MONITOR_BAD_PROTOCOL;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return MONITOR_LEFT_HANDSHAKE;
    case ZMQ_EVENT_LISTENING:
        return MONITOR_LISTENING;
    default:
        return MONITOR_OTHER;
    }
}

bool monitor_next(void *socket, struct monitor_event *out_event)
{
    uint8_t head[6] = {0}; /* event in 2 bytes, value in 4, in the machine's order */
    const int size = zmq_recv(socket, head, sizeof head, ZMQ_DONTWAIT);
    if (size < 0) {
        return false;
    }
    int more = 0;
    size_t more_size = sizeof more;
    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) == 0 && more != 0) {
        char address[1]; /* the endpoint: cut off, not wanted */
        (void)zmq_recv(socket, address, sizeof address, ZMQ_DONTWAIT);
    }
    uint16_t event = 0;
    int32_t value = 0;
    memcpy(&event, head, sizeof event);
    memcpy(&value, head + sizeof event, sizeof value);
    out_event->kind = size == (int)sizeof head ? kind_of(event) : MONITOR_OTHER;
    out_event->value = value;
    return true;
}
