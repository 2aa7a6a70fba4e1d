/* SPDX-License-Identifier: EUPL-1.2
 *
 * The network as net.h has it: sockets opened in the right order, waited for together, read in
 * turns.
 *
 * Relied upon: one io thread (monitor.h says for what).
 * Invariant: a connection's first message is looked at only after the monitor has been drained, so
 * that a descriptor is never taken for the one before it.
 */
#include "net/net.h"
#include "net/budget.h"

#include "net/connection.h"
#include "net/descriptor.h"
#include "net/endings.h"
#include "net/incoming.h"
#include "net/listener.h"
#include "net/monitor.h"
#include "net/outgoing.h"
#include "net/refusals.h"
#include "net/relief.h"
#include "net/sweep.h"
#include "net/zap.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum {
    NET_WAIT_FDS_MAX = 8,
    /* Messages between two looks at the gatekeeper's desk and the monitor: a handshake waits for
     * at most so many. */
    NET_MESSAGES_A_TURN = 64,
    /* Handshakes answered in one look: messages wait for at most so many. */
    NET_REQUESTS_A_TURN = 64,
    /* A command in a frame of its own and a body in others: twice the largest frame holds both. */
    NET_FRAMES_OF_MESSAGE = 2,
    NET_CLOSE_TICK_MS = 20,
    NET_CLOSE_FLUSHED_MS = 100,
    /* For libzmq to notice that every connection has been shut down. */
    NET_CLOSE_MAX_MS = 1000,
};

struct net {
    void *context;
    void *router;
    void *zap;
    void *monitor;
    bool (*admit)(void *context, const char *key);
    void *admit_context;
    char endpoint[NET_ENDPOINT_BYTES];
    uint64_t moment; /* dates accepts and numbers connections */
    uint64_t reads;
    unsigned turn;
    size_t connections_per_key;
    bool closing;
    bool unread; /* net_next() has not yet said that there is nothing */
    atomic_size_t unsent;
    struct endings endings;
    struct budget budget;
    struct refusals refusals;
    struct relief relief;
    struct sweep sweep;
    struct connection_table table;
    struct incoming incoming;
    struct outgoing outgoing;
};

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool sockets_open(struct net *net, const struct net_settings *settings,
                         struct net_problem *out_problem)
{
    net->context = zmq_ctx_new();
    if (net->context != NULL) {
        net->zap = zap_open(net->context);
    }
    if (net->zap != NULL) {
        net->router = listener_new(net->context, settings, out_problem);
        if (net->router == NULL) {
            return false;
        }
        net->monitor = monitor_open(net->context, net->router);
    }
    if (net->monitor == NULL) {
        out_problem->system_errno = errno;
        (void)snprintf(out_problem->detail, sizeof out_problem->detail,
                       "cannot prepare the network: %s; raise LimitNOFILE or free memory",
                       zmq_strerror(errno));
        return false;
    }
    return listener_bind(net->router, settings->endpoint, net->endpoint, out_problem);
}

static void sockets_close(struct net *net)
{
    monitor_close(net->monitor, net->router);
    if (net->router != NULL) {
        (void)zmq_close(net->router);
    }
    if (net->zap != NULL) {
        (void)zmq_close(net->zap);
    }
    if (net->context != NULL) {
        while (zmq_ctx_term(net->context) != 0 && errno == EINTR) {
            /* A signal is no reason to leave threads behind. */
        }
    }
    connection_table_fini(&net->table);
    relief_fini(&net->relief);
    free(net);
}

bool net_open(const struct net_settings *settings, struct net **out_net,
              struct net_problem *out_problem)
{
    struct net *net = calloc(1, sizeof *net);
    if (net == NULL) {
        *out_problem = (struct net_problem){ENOMEM, "out of memory; nothing was opened"};
        return false;
    }
    const uint64_t message_bytes_max = settings->frame_bytes * NET_FRAMES_OF_MESSAGE;
    relief_init(&net->relief);
    atomic_init(&net->unsent, 0);
    net->admit = settings->admit;
    net->admit_context = settings->admit_context;
    net->budget = (struct budget){.unsent = &net->unsent, .bytes = (size_t)settings->sending_bytes};
    net->connections_per_key =
        settings->connections_per_key > 0 ? settings->connections_per_key : SIZE_MAX;
    net->incoming.message_bytes_max = message_bytes_max;
    net->sweep.message_bytes_max = message_bytes_max;
    net->sweep.silence_ms = (int64_t)settings->handshake_ms + SWEEP_SILENCE_MS;
    if (!sockets_open(net, settings, out_problem)) {
        sockets_close(net);
        return false;
    }
    *out_net = net;
    return true;
}

const char *net_endpoint(const struct net *net)
{
    return net->endpoint;
}

static void descriptor_gone(struct net *net, int descriptor)
{
    struct connection *connection = connection_table_release(&net->table, descriptor);
    if (connection != NULL) {
        endings_gone(&net->endings, &net->table, connection, net->reads);
    }
}

static void descriptor_accepted(struct net *net, int descriptor)
{
    const int64_t now_ms = now();
    descriptor_gone(net, descriptor); /* in case its end was not told */
    if (!connection_table_accept(&net->table, descriptor, ++net->moment, now_ms)) {
        /* Its messages will be dropped for want of a slot, and it must not stay. */
        descriptor_shutdown(descriptor, descriptor_cookie(descriptor));
        return;
    }
    if (relief_lost(&net->relief)) {
        connection_table_turn_away(&net->table, descriptor);
    }
}

static void accept_failed(struct net *net, int system_errno)
{
    if (relief_turn_away(&net->relief, system_errno, now())) {
        refusals_add(&net->refusals, "too few file descriptors: raise LimitNOFILE", 0, NULL);
    }
    if (relief_lost(&net->relief)) {
        connection_table_turn_newest_away(&net->table);
    }
}

static void monitor_drain(struct net *net)
{
    struct monitor_event event;
    while (monitor_next(net->monitor, &event)) {
        switch (event.kind) {
        case MONITOR_LISTENING:
            relief_listen(&net->relief, event.value);
            break;
        case MONITOR_ACCEPTED:
            descriptor_accepted(net, event.value);
            break;
        case MONITOR_GONE:
            descriptor_gone(net, event.value);
            break;
        case MONITOR_ACCEPT_FAILED:
            accept_failed(net, event.value);
            break;
        case MONITOR_BAD_PROTOCOL:
            refusals_add(&net->refusals, "the peer broke the protocol", 0, NULL);
            break;
        case MONITOR_LEFT_HANDSHAKE:
            refusals_add(&net->refusals, "the handshake was not finished", 0, NULL);
            break;
        case MONITOR_OTHER:
            break;
        }
    }
}

/* The gatekeeper's desk. The monitor is drained before a number is given, so that the moment of the
 * connection's own accept is the smaller one. */
static void requests_answer(struct net *net)
{
    struct zap_request request;
    for (unsigned i = 0; i < NET_REQUESTS_A_TURN && zap_receive(net->zap, &request); i++) {
        monitor_drain(net);
        if (request.valid && !net->closing && net->admit(net->admit_context, request.key)) {
            zap_admit(net->zap, &request, ++net->moment);
            continue;
        }
        zap_refuse(net->zap, &request);
        if (net->closing) {
            continue;
        }
        refusals_add(&net->refusals, "the key is not registered", 0,
                     request.valid ? request.key : NULL);
    }
}

static void housekeeping(struct net *net)
{
    requests_answer(net);
    monitor_drain(net);
    endings_tick(&net->endings, &net->table, now());
}

static int wait_ms(const struct net *net, int timeout_ms)
{
    const struct endings *endings = &net->endings;
    if (net->unread || net->refusals.count > 0 || endings->ready.first != NULL ||
        endings->waiting.first != NULL) {
        return 0;
    }
    int limit_ms = -1;
    if (endings->cutting != NULL) {
        limit_ms = CUT_TICK_MS;
    } else if (net->table.open_count > 0) {
        limit_ms = SWEEP_INTERVAL_MS;
    }
    return limit_ms >= 0 && (timeout_ms < 0 || timeout_ms > limit_ms) ? limit_ms : timeout_ms;
}

bool net_wait(struct net *net, const int *fds, size_t count, bool *out_ready, int timeout_ms)
{
    assert(count <= NET_WAIT_FDS_MAX);
    zmq_pollitem_t items[3 + NET_WAIT_FDS_MAX] = {
        {.socket = net->router, .events = ZMQ_POLLIN},
        {.socket = net->zap, .events = ZMQ_POLLIN},
        {.socket = net->monitor, .events = ZMQ_POLLIN},
    };
    for (size_t i = 0; i < count; i++) {
        items[3 + i] = (zmq_pollitem_t){.fd = fds[i], .events = ZMQ_POLLIN};
        out_ready[i] = false;
    }
    const int ready = zmq_poll(items, (int)(3 + count), wait_ms(net, timeout_ms));
    if (ready < 0) {
        return errno != EINTR;
    }
    for (size_t i = 0; i < count; i++) {
        out_ready[i] = items[3 + i].revents != 0;
    }
    net->turn = 0;
    return true;
}

/* The connection that the message in net->incoming is of; NULL when it has gone. */
static struct connection *speaker(struct net *net)
{
    struct incoming *incoming = &net->incoming;
    struct connection *connection = connection_table_find(&net->table, incoming->connection);
    if (connection != NULL || incoming->connection == 0) {
        return connection;
    }
    monitor_drain(net);
    connection =
        connection_table_add(&net->table, incoming->connection, incoming->descriptor, &net->unsent);
    if (connection != NULL) {
        memcpy(connection->routing_id, incoming->routing_id, ROUTING_ID_BYTES);
        if (connection_table_name(&net->table, connection, incoming->key) >
            net->connections_per_key) {
            incoming->foul = "too many connections of one key";
        }
    }
    return connection;
}

/* Turns the message in net->incoming into an event. False: it is to be ignored. */
static bool message_take(struct net *net, struct net_event *out_event)
{
    struct incoming *incoming = &net->incoming;
    struct connection *connection = speaker(net);
    if (connection != NULL) {
        connection->messages++;
        if (connection->cut) {
            return false;
        }
    }
    if (incoming->foul != NULL) {
        refusals_add(&net->refusals, incoming->foul, incoming->connection, incoming->key);
        if (connection != NULL) {
            endings_cut_at_once(&net->endings, connection);
        }
        return false;
    }
    if (connection == NULL) {
        return false;
    }
    connection->announced = true;
    *out_event = (struct net_event){
        .kind = NET_FRAMES,
        .connection = connection->number,
        .frames = incoming->frames,
        .buffers = incoming->buffers,
        .frame_count = incoming->frame_count,
    };
    memcpy(out_event->key, connection->key, sizeof out_event->key);
    return true;
}

/* What happened to connections, as an event. */
static bool news(struct net *net, struct net_event *out_event)
{
    if (refusals_next(&net->refusals, out_event)) {
        return true;
    }
    struct connection *connection = endings_next(&net->endings, net->reads);
    if (connection == NULL) {
        return false;
    }
    *out_event = (struct net_event){.kind = NET_CLOSED, .connection = connection->number};
    memcpy(out_event->key, connection->key, sizeof out_event->key);
    connection_table_drop(&net->table, connection, HOLD_REPORT);
    return true;
}

void net_next(struct net *net, struct net_event *out_event)
{
    *out_event = (struct net_event){.kind = NET_NOTHING};
    net->unread = true;
    if (net->turn++ % NET_MESSAGES_A_TURN == 0) {
        housekeeping(net);
    }
    if (news(net, out_event)) {
        return;
    }
    for (unsigned i = 0; incoming_receive(&net->incoming, net->router); i++) {
        net->reads++;
        if (message_take(net, out_event) || news(net, out_event) || i >= NET_MESSAGES_A_TURN) {
            return; /* at the latest after so many messages that were to be ignored */
        }
    }
    endings_drained(&net->endings);
    housekeeping(net);
    sweep_run(&net->sweep, &net->table, &net->refusals, now());
    net->unread = news(net, out_event);
}

static size_t message_bytes(struct bytes command, const struct held_message *messages, size_t count)
{
    size_t bytes = command.size;
    for (size_t i = 0; i < count; i++) {
        bytes += messages[i].envelope.size + messages[i].payload.size;
    }
    return bytes;
}

uint64_t net_unsent(const struct net *net)
{
    return atomic_load_explicit(&net->unsent, memory_order_relaxed);
}

bool net_send(struct net *net, uint64_t connection, struct bytes command,
              const struct held_message *messages, size_t count)
{
    struct connection *to = connection_table_find(&net->table, connection);
    if (to == NULL || to->cut || (to->holds & HOLD_DESCRIPTOR) == 0) {
        return false;
    }
    if (budget_make_room(&net->budget, &net->table, &net->endings, to,
                         message_bytes(command, messages, count)) &&
        outgoing_send(&net->outgoing, net->router, to, command, messages, count)) {
        return true;
    }
    endings_cut_at_once(&net->endings, to);
    return false;
}

void net_cut(struct net *net, uint64_t connection)
{
    struct connection *to = connection_table_find(&net->table, connection);
    if (to != NULL) {
        endings_cut(&net->endings, to, now());
    }
}

/* Goes on for one tick, ignoring what comes. */
static void closing_tick(struct net *net)
{
    struct net_event event;
    (void)net_wait(net, NULL, 0, NULL, NET_CLOSE_TICK_MS);
    do {
        net_next(net, &event);
    } while (event.kind != NET_NOTHING);
}

/* libzmq 4.3.4 aborts the process when a connection fails at the moment in which a closing socket
 * takes back the second half of a message from it. So no connection is left when the socket is
 * closed: what is queued is sent here, not by ZMQ_LINGER, then all are shut down and seen gone. */
static void connections_end(struct net *net, int linger_ms)
{
    net->closing = true;
    (void)zmq_unbind(net->router, net->endpoint);
    const int64_t until_ms = now() + linger_ms;
    int64_t waiting_ms = now();
    /* Empty for a while: libzmq may just hold in its hand what is in neither queue. */
    while (net->table.open_count > 0 && now() - waiting_ms < NET_CLOSE_FLUSHED_MS &&
           now() < until_ms) {
        closing_tick(net);
        if (atomic_load_explicit(&net->unsent, memory_order_relaxed) > 0 ||
            !connection_table_flushed(&net->table)) {
            waiting_ms = now();
        }
    }
    const int64_t gone_ms = now() + NET_CLOSE_MAX_MS;
    while (net->table.open_count > 0 && now() < gone_ms) {
        connection_table_turn_all_away(&net->table);
        closing_tick(net);
    }
}

void net_close(struct net *net, int linger_ms)
{
    if (net == NULL) {
        return;
    }
    connections_end(net, linger_ms);
    incoming_clear(&net->incoming);
    sockets_close(net);
}
