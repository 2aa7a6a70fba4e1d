/* SPDX-License-Identifier: EUPL-1.2
 *
 * Options and bind. See listener.h.
 */
#include "net/listener.h"

#include "net/zap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum {
    /* A peer on the other side of a dead link is noticed after 15 s, and notices us after 20. */
    HEARTBEAT_INTERVAL_MS = 5000,
    HEARTBEAT_TIMEOUT_MS = 15000,
    HEARTBEAT_TTL_MS = 20000,
    /* Written but not acknowledged by the peer's TCP for so long: gone. */
    UNACKNOWLEDGED_MAX_MS = 30000,
    /* Messages, not bytes. More than a consumer's whole credit (1,024) one by one, plus answers: an
     * honest client that is busy for a moment is not cut; bytes are bounded in outgoing.h. */
    SEND_QUEUE_MESSAGES = 4096,
    /* What libzmq may read ahead of us for one connection, over the largest frame, in this range.
     */
    RECEIVE_QUEUE_BYTES = 64 * 1024 * 1024,
    RECEIVE_QUEUE_MESSAGES_MIN = 4,
    RECEIVE_QUEUE_MESSAGES_MAX = 64,
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 20,
    KEEPALIVE_PROBES = 3,
    /* Of an endpoint in a problem: leaves room for the remedy. */
    PROBLEM_ENDPOINT_CHARACTERS = 120,
};

/* libzmq 4.3.4 has the option but shows its name to draft builds only. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

struct option {
    int name;
    int value;
};

static int receive_queue(uint64_t frame_bytes)
{
    const uint64_t messages =
        frame_bytes == 0 ? RECEIVE_QUEUE_MESSAGES_MAX : (uint64_t)RECEIVE_QUEUE_BYTES / frame_bytes;
    if (messages < RECEIVE_QUEUE_MESSAGES_MIN) {
        return RECEIVE_QUEUE_MESSAGES_MIN;
    }
    return messages > RECEIVE_QUEUE_MESSAGES_MAX ? RECEIVE_QUEUE_MESSAGES_MAX : (int)messages;
}

static bool options_set(void *router, const struct net_settings *settings)
{
    const struct option options[] = {
        {ZMQ_HANDSHAKE_IVL, (int)settings->handshake_ms},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_INTERVAL_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TTL_MS},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S},
        {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S},
        {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_PROBES},
        {ZMQ_TCP_MAXRT, UNACKNOWLEDGED_MAX_MS},
        {ZMQ_ROUTER_MANDATORY, 1}, /* else what cannot be sent is dropped in silence */
        {ZMQ_ROUTER_HANDOVER, 0},  /* else a second client with the same id gets the first's mail */
        {ZMQ_SNDHWM, SEND_QUEUE_MESSAGES},
        {ZMQ_RCVHWM, receive_queue(settings->frame_bytes)},
        {ZMQ_BACKLOG, (int)settings->backlog},
        {ZMQ_LINGER, 0},
        {ZMQ_IPV6, 1},
        {ZMQ_ZAP_ENFORCE_DOMAIN, 1}, /* else a missing gatekeeper lets everybody in */
        {ZMQ_CURVE_SERVER, 1},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (zmq_setsockopt(router, options[i].name, &options[i].value, sizeof(int)) != 0) {
            return false;
        }
    }
    const int64_t frame_bytes = (int64_t)settings->frame_bytes;
    return zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &frame_bytes, sizeof frame_bytes) == 0 &&
           zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) == 0;
}

static bool keys_set(void *router, const struct net_settings *settings)
{
    char derived[NET_KEY_CHARACTERS + 1];
    if (strlen(settings->secret_key) != NET_KEY_CHARACTERS ||
        zmq_curve_public(derived, settings->secret_key) != 0 ||
        strcmp(derived, settings->public_key) != 0) {
        errno = EINVAL;
        return false;
    }
    return zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, settings->secret_key,
                          NET_KEY_CHARACTERS + 1) == 0;
}

struct remedy {
    int system_errno;
    const char *before; /* the endpoint */
    const char *after;
};

static const struct remedy bind_remedies[] = {
    {EADDRINUSE, "port in use: ",
     "; another program (maybe another relaisd) listens there; stop it or change listen"},
    {EADDRNOTAVAIL, "this machine has no such address: ",
     "; use one of its own (`ip address` lists them), or * for all"},
    {ENODEV, "this machine has no such address: ",
     "; use one of its own (`ip address` lists them), or * for all"},
    {EACCES, "not allowed to listen on ",
     "; take a port from 1024 on, or give the service CAP_NET_BIND_SERVICE"},
    {EINVAL, "not an address to listen on: ",
     "; write tcp://ADDRESS:PORT, for example tcp://127.0.0.1:5770"},
    {EPROTONOSUPPORT, "not an address to listen on: ",
     "; write tcp://ADDRESS:PORT, for example tcp://127.0.0.1:5770"},
    {EMFILE, "too few file descriptors to listen on ", "; raise LimitNOFILE"},
    {0, "cannot listen on ", ""},
};

static void problem_set(struct net_problem *out_problem, const char *before, const char *what,
                        const char *after)
{
    out_problem->system_errno = errno;
    (void)snprintf(out_problem->detail, sizeof out_problem->detail, "%s%.*s%s", before,
                   PROBLEM_ENDPOINT_CHARACTERS, what, after);
}

void *listener_new(void *context, const struct net_settings *settings,
                   struct net_problem *out_problem)
{
    void *router = zmq_socket(context, ZMQ_ROUTER);
    if (router == NULL) {
        problem_set(out_problem, "cannot make a socket: ", zmq_strerror(errno),
                    "; raise the limit of open files");
        return NULL;
    }
    if (!keys_set(router, settings)) {
        problem_set(out_problem, "the broker's keys for ", settings->endpoint,
                    " are not a pair; both must come from the same `relais init`");
    } else if (!options_set(router, settings)) {
        problem_set(out_problem, "cannot set the limits of the socket: ", zmq_strerror(errno), "");
    } else {
        return router;
    }
    (void)zmq_close(router);
    return NULL;
}

static void bind_problem(const char *endpoint, struct net_problem *out_problem)
{
    const struct remedy *remedy = bind_remedies;
    while (remedy->system_errno != 0 && remedy->system_errno != errno) {
        remedy++;
    }
    if (remedy->system_errno == 0) {
        problem_set(out_problem, remedy->before, endpoint, ": ");
        const size_t used = strlen(out_problem->detail);
        (void)snprintf(out_problem->detail + used, sizeof out_problem->detail - used, "%s",
                       zmq_strerror(errno));
        return;
    }
    problem_set(out_problem, remedy->before, endpoint, remedy->after);
}

bool listener_bind(void *router, const char *endpoint, char out_endpoint[NET_ENDPOINT_BYTES],
                   struct net_problem *out_problem)
{
    if (zmq_bind(router, endpoint) != 0) {
        bind_problem(endpoint, out_problem);
        return false;
    }
    size_t size = NET_ENDPOINT_BYTES;
    if (zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, out_endpoint, &size) != 0) {
        bind_problem(endpoint, out_problem);
        return false;
    }
    return true;
}
