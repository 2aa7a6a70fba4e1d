/* SPDX-License-Identifier: EUPL-1.2
 *
 * The life of a line: attempt, handshake, hello, loss. States and invariants: connection.h.
 */
#include "client/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/error.h"
#include "client/line_monitor.h"
#include "program/locale.h"

enum {
    CONNECT_MS = 10000,   /* TCP, CURVE and ZAP: a broker under load is slow, not ten seconds */
    HELLO_MS = 5000,      /* docs/protocol.md asks for an answer at once */
    PAUSE_FIRST_MS = 100, /* a broker that restarts is back in less */
    PAUSE_LONGEST_MS = 30000,
    STEADY_MS = 1000, /* READY for so long: the next pause is the first again */
    DROPS_OF_A_WRONG_KEY = 3,
    HEARTBEAT_MS = 5000,
    HEARTBEAT_TIMEOUT_MS = 15000,
    CONTEXT_DESCRIPTORS = 24, /* context, one socket, its monitor, TCP: about 14, and some air */
    CONTEXT_SOCKETS = 16,
    SOCKET_QUEUE = 1000,
    MESSAGE_BYTES_MAX = 65 * 1024 * 1024, /* the largest payload that a broker may allow + 1 MiB */
    ROUTING_ID_BYTES = 16,
};

/* libzmq aborts where it lacks a descriptor for its own threads: look before. */
static bool descriptors_left(int wanted)
{
    int held[CONTEXT_DESCRIPTORS];
    int count = 0;
    int first = eventfd(0, EFD_CLOEXEC);
    if (first < 0) {
        return false;
    }
    while (count < wanted) {
        held[count] = fcntl(first, F_DUPFD_CLOEXEC, 0);
        if (held[count] < 0) {
            break;
        }
        count++;
    }
    bool enough = count == wanted;
    while (count > 0) {
        (void)close(held[--count]);
    }
    (void)close(first);
    return enough;
}

relais_status connection_init(struct connection *connection, relais_error *error)
{
    *connection = (struct connection){.phase = CONNECTION_PAUSED};
    hangup_init(&connection->hangup);
    if (!descriptors_left(CONTEXT_DESCRIPTORS)) {
        return error_fill(error, RELAIS_SYSTEM, "RLIMIT_NOFILE", strerror(EMFILE),
                          _("24 free file descriptors for each client"));
    }
    connection->context = zmq_ctx_new();
    if (connection->context == NULL) {
        return error_fill_errno(error, "zmq_ctx_new", zmq_errno());
    }
    (void)zmq_ctx_set(connection->context, ZMQ_IO_THREADS, 1);
    (void)zmq_ctx_set(connection->context, ZMQ_MAX_SOCKETS, CONTEXT_SOCKETS);
    connection->trouble = RELAIS_UNREACHABLE;
    return RELAIS_OK;
}

static void close_line(struct connection *connection)
{
    if (connection->phase == CONNECTION_READY) { /* before, no message had more than one frame */
        hangup_line(connection);
    }
    if (connection->socket != NULL) {
        (void)zmq_socket_monitor(connection->socket, NULL, 0);
        (void)zmq_close(connection->socket);
    }
    if (connection->monitor != NULL) {
        (void)zmq_close(connection->monitor);
    }
    connection->socket = NULL;
    connection->monitor = NULL;
    connection->phase = CONNECTION_PAUSED;
    connection->blocked = false;
    connection->line_gone = false;
    hangup_init(&connection->hangup);
}

void connection_fini(struct connection *connection)
{
    close_line(connection);
    if (connection->context != NULL) {
        while (zmq_ctx_term(connection->context) != 0 && zmq_errno() == EINTR) {
        }
        connection->context = NULL;
    }
}

static bool set_number(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const char *key)
{
    return zmq_setsockopt(socket, option, key, RELAIS_KEY_CHARACTERS + 1) == 0;
}

static bool set_routing_id(void *socket)
{
    unsigned char id[ROUTING_ID_BYTES];
    do {
        randombytes_buf(id, sizeof id);
    } while (id[0] == 0); /* such ids are the broker's own */
    return zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, sizeof id) == 0;
}

static bool set_options(void *socket, const relais_client *client)
{
    int64_t largest = MESSAGE_BYTES_MAX;
    return set_routing_id(socket) && set_number(socket, ZMQ_LINGER, 0) &&
           set_number(socket, ZMQ_RECONNECT_IVL, -1) && set_number(socket, ZMQ_IPV6, 1) &&
           set_number(socket, ZMQ_SNDHWM, SOCKET_QUEUE) &&
           set_number(socket, ZMQ_RCVHWM, SOCKET_QUEUE) &&
           set_number(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS) &&
           set_number(socket, ZMQ_HANDSHAKE_IVL, CONNECT_MS) &&
           set_number(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_number(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0 &&
           set_key(socket, ZMQ_CURVE_SERVERKEY, client->broker_key) &&
           set_key(socket, ZMQ_CURVE_PUBLICKEY, client->key.public_key) &&
           set_key(socket, ZMQ_CURVE_SECRETKEY, client->key.secret_key);
}

static bool open_monitor(struct connection *connection)
{
    connection->monitor =
        line_monitor_open(connection->context, connection->socket, ++connection->attempts);
    return connection->monitor != NULL;
}

/* Hello goes into the socket's queue and leaves when the handshake is done. */
static bool say_hello(relais_client *client)
{
    Relais__V1__Hello hello = RELAIS__V1__HELLO__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    hello.major = 1;
    hello.minor = 2;
    hello.software = client->software;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_HELLO;
    command.hello = &hello;
    return frames_send(client->connection.socket, &command, NULL, 0) == FRAMES_DONE;
}

relais_status connection_attempt(relais_client *client, int64_t now_ms, relais_error *error)
{
    struct connection *connection = &client->connection;
    connection->complaint = (relais_error){.status = RELAIS_OK};
    if (!descriptors_left(CONTEXT_DESCRIPTORS / 2)) {
        connection_lose(client, RELAIS_SYSTEM, now_ms);
        return error_fill_errno(error, "RLIMIT_NOFILE", EMFILE);
    }
    connection->socket = zmq_socket(connection->context, ZMQ_DEALER);
    if (connection->socket == NULL || !set_options(connection->socket, client) ||
        !open_monitor(connection)) {
        int reason = zmq_errno();
        connection_lose(client, RELAIS_SYSTEM, now_ms);
        return error_fill_errno(error, "zmq_socket", reason);
    }
    if (zmq_connect(connection->socket, client->endpoint) != 0) {
        connection_lose(client, RELAIS_UNREACHABLE, now_ms);
        return error_fill(error, RELAIS_USAGE, "endpoint", client->endpoint, "tcp://host:port");
    }
    if (!say_hello(client)) {
        int reason = zmq_errno();
        connection_lose(client, RELAIS_SYSTEM, now_ms);
        return error_fill_errno(error, "zmq_msg_send", reason);
    }
    connection->phase = CONNECTION_CONNECTING;
    connection->deadline_ms = now_ms + CONNECT_MS;
    return RELAIS_OK;
}

bool connection_is_verdict(relais_status status)
{
    return status == RELAIS_KEY_REFUSED || status == RELAIS_KEY_REVOKED ||
           status == RELAIS_VERSION_UNSUPPORTED || status == RELAIS_MALFORMED;
}

/* Half of the pause for certain, half by chance: a thousand clients do not come back at once. */
static int64_t next_pause(struct connection *connection, bool slowest)
{
    if (slowest || connection->pause_ms > PAUSE_LONGEST_MS / 2) {
        connection->pause_ms = PAUSE_LONGEST_MS;
    } else if (connection->pause_ms == 0) {
        connection->pause_ms = PAUSE_FIRST_MS;
    } else {
        connection->pause_ms *= 2;
    }
    uint32_t half = connection->pause_ms / 2;
    return (int64_t)half + randombytes_uniform(half + 1);
}

void connection_lose(relais_client *client, relais_status status, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    if (connection->phase == CONNECTION_READY && now_ms - connection->ready_ms >= STEADY_MS) {
        connection->pause_ms = 0;
    }
    close_line(connection);
    bool verdict = connection_is_verdict(status);
    /* dropped handshakes only hint at a wrong key: keep the pace of a broker that may be back */
    bool hint = status == RELAIS_KEY_REFUSED && connection->dropped_handshakes > 0;
    connection->deadline_ms = now_ms + next_pause(connection, verdict && !hint);
    connection->trouble = status;
    if (verdict) {
        client->verdict = status;
    }
    client->happened = true;
    sender_rewind(client);
    receiver_rewind(client);
}

static void handshake_failed(relais_client *client, int event, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        connection->dropped_handshakes = 0;
        connection_lose(client, RELAIS_KEY_REFUSED, now_ms);
        return;
    }
    connection->dropped_handshakes++;
    connection_lose(client,
                    connection->dropped_handshakes >= DROPS_OF_A_WRONG_KEY ? RELAIS_KEY_REFUSED
                                                                           : RELAIS_UNREACHABLE,
                    now_ms);
}

static void handle_event(relais_client *client, const struct line_event *event, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    switch (event->kind) {
    case ZMQ_EVENT_CONNECTED:
        hangup_connected(&connection->hangup, event->value);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        connection->dropped_handshakes = 0;
        if (connection->phase == CONNECTION_CONNECTING) {
            connection->phase = CONNECTION_GREETING;
            connection->deadline_ms = now_ms + HELLO_MS;
        }
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        handshake_failed(client, event->kind, now_ms);
        break;
    default: /* CLOSED, DISCONNECTED: what came before is read first */
        hangup_ended(&connection->hangup);
        connection->line_gone = true;
        break;
    }
}

void connection_watch_monitor(relais_client *client, int64_t now_ms)
{
    struct line_event event;
    while (client->connection.monitor != NULL &&
           line_monitor_next(client->connection.monitor, &event)) {
        handle_event(client, &event, now_ms);
    }
}

void connection_watch_clock(relais_client *client, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    if (connection->phase == CONNECTION_READY || now_ms < connection->deadline_ms) {
        return;
    }
    if (connection->phase == CONNECTION_PAUSED) {
        (void)connection_attempt(client, now_ms, NULL);
    } else {
        connection_lose(client, RELAIS_UNREACHABLE, now_ms);
    }
}

static void keep_limits(struct connection_limits *limits, const Relais__V1__Limits *said)
{
    *limits = (struct connection_limits){
        .payload_bytes = said->payload_bytes,
        .stored_bytes = said->stored_bytes,
        .envelope_bytes = said->envelope_bytes,
        .batch_messages = said->batch_messages,
        .batch_bytes = said->batch_bytes,
        .window_messages = said->window_messages,
        .window_bytes = said->window_bytes,
        .credit = said->credit,
    };
}

void connection_welcome(relais_client *client, const Relais__V1__Welcome *welcome, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    if (welcome->limits != NULL) {
        keep_limits(&connection->limits, welcome->limits);
    }
    connection->minor = welcome->minor;
    error_copy_text(client->member, sizeof client->member, welcome->member);
    error_copy_text(client->name, sizeof client->name, welcome->client);
    error_copy_text(client->broker_software, sizeof client->broker_software, welcome->software);
    connection->broker_ahead_ms = welcome->time_ms != 0 ? welcome->time_ms - clock_wall_ms() : 0;
    client->welcomed = true;
    connection->phase = CONNECTION_READY;
    connection->ready_ms = now_ms;
    connection->dropped_handshakes = 0;
    connection->trouble = RELAIS_OK;
    connection->welcomes++;
    client->happened = true;
}
