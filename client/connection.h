/* SPDX-License-Identifier: EUPL-1.2
 *
 * One line to the broker after the other: a socket for each attempt, its monitor, hello, back-off.
 *
 *   PAUSED --attempt()--> CONNECTING --HANDSHAKE_SUCCEEDED--> GREETING --Welcome--> READY
 *   any of the last three --connection_lose()--> PAUSED
 *
 *   1. A socket is used for one connection only; libzmq never reconnects by itself.
 *   2. The routing id is 16 random bytes, the first not 0, new for each attempt.
 *   3. Between two attempts lie 100 ms doubling to 30 s, with jitter; 30 s at once where the broker
 *      will not have us.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_CONNECTION_H
#define RELAIS_CLIENT_CONNECTION_H

#include "client/hangup.h"
#include "relais/v1/command.pb-c.h"

#include <relais/client.h>
#include <stdbool.h>
#include <stdint.h>

enum connection_phase {
    CONNECTION_PAUSED,
    CONNECTION_CONNECTING,
    CONNECTION_GREETING,
    CONNECTION_READY,
};

/* The broker's, from its Welcome; zeros before. */
struct connection_limits {
    uint32_t payload_bytes;
    uint32_t envelope_bytes;
    uint32_t batch_messages;
    uint32_t batch_bytes;
    uint32_t window_messages;
    uint32_t window_bytes;
    uint32_t credit;
    uint64_t stored_bytes;
};

struct connection {
    void *context; /* of libzmq, with one I/O thread */
    void *socket;  /* DEALER; NULL while paused */
    void *monitor; /* PAIR; NULL while paused */
    enum connection_phase phase;
    bool blocked; /* the socket took nothing more: wait until it can be written */
    bool line_gone;
    struct hangup hangup;
    int64_t deadline_ms; /* PAUSED: next attempt; CONNECTING, GREETING: the end of patience */
    int64_t ready_ms;    /* since when READY */
    uint32_t pause_ms;
    unsigned dropped_handshakes; /* in a row: the sign of a wrong broker key */
    unsigned attempts;           /* numbers the monitor's address */
    uint64_t welcomes;
    struct connection_limits limits;
    int64_t broker_ahead_ms; /* its clock, of ours */
    uint32_t minor;          /* of the broker */
    relais_status trouble;
    relais_error complaint; /* the broker's last Error, the reason of the Goodbye that follows */
};

/* Makes the context. RELAIS_SYSTEM: too few file descriptors. */
relais_status connection_init(struct connection *connection, relais_error *error);
void connection_fini(struct connection *connection);

/* Begins an attempt at once. RELAIS_USAGE: the endpoint cannot be used. */
relais_status connection_attempt(relais_client *client, int64_t now_ms, relais_error *error);

/* What the monitor has to say, and deadlines that have passed. */
void connection_watch_monitor(relais_client *client, int64_t now_ms);
void connection_watch_clock(relais_client *client, int64_t now_ms);

/* Gives the line up because of `status`, and what was under way on it back to its owners. */
void connection_lose(relais_client *client, relais_status status, int64_t now_ms);

/* Hello was answered. */
void connection_welcome(relais_client *client, const Relais__V1__Welcome *welcome, int64_t now_ms);

/* True for a status after which only the operator can help. */
bool connection_is_verdict(relais_status status);

#endif
