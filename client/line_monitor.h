/* SPDX-License-Identifier: EUPL-1.2
 *
 * What libzmq tells of the one connection of a socket. Thread: the client's.
 */
#ifndef RELAIS_CLIENT_LINE_MONITOR_H
#define RELAIS_CLIENT_LINE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct line_event {
    uint16_t kind; /* ZMQ_EVENT_... */
    int32_t value; /* the descriptor, for those that have one */
};

/* The PAIR on which events come; NULL: see zmq_errno(). `number` is new for each. */
void *line_monitor_open(void *context, void *socket, unsigned number);

/* The next event, without waiting. */
bool line_monitor_next(void *monitor, struct line_event *out_event);

#endif
