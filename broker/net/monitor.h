/* SPDX-License-Identifier: EUPL-1.2
 *
 * What libzmq's io thread tells of the listening socket: descriptors accepted, descriptors gone,
 * handshakes failed.
 *
 * Relied upon: with one io thread, a descriptor's DISCONNECTED is told before it is closed, and its
 * ACCEPTED before the connection's ZAP request is sent. Whoever drains the monitor after receiving
 * something therefore knows of everything that came before it.
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_MONITOR_H
#define RELAIS_NET_MONITOR_H

#include <stdbool.h>

enum monitor_kind {
    MONITOR_ACCEPTED,      /* value: descriptor */
    MONITOR_GONE,          /* value: descriptor */
    MONITOR_ACCEPT_FAILED, /* value: errno */
    MONITOR_BAD_PROTOCOL,  /* not ZMTP, not CURVE, a wrong server key; later: bytes that do not
                              decrypt */
    MONITOR_LEFT_HANDSHAKE,
    MONITOR_LISTENING, /* value: descriptor */
    MONITOR_OTHER,
};

struct monitor_event {
    enum monitor_kind kind;
    int value;
};

/* NULL with errno set. */
void *monitor_open(void *context, void *watched);

/* The watched socket must still be open: it is told to stop first. NULL is fine. */
void monitor_close(void *socket, void *watched);

bool monitor_next(void *socket, struct monitor_event *out_event);

#endif
