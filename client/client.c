/* SPDX-License-Identifier: EUPL-1.2
 *
 * Opening, closing, and the one loop in which all work is done.
 *   1. Nothing happens outside calls of the owner's thread but libzmq's I/O thread.
 *   2. One turn: deadlines, what the monitor says, what the broker said, what we have to say.
 *   3. What came before the line broke is read before the line is given up.
 */
#include <relais/client.h>

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/error.h"
#include "client/request.h"
#include "client/sealing.h"
#include "program/locale.h"
#include "wire/codec.h"
#include "wire/scan.h"

#include <relais/version.h>

enum {
    WINDOW_MESSAGES = 1024,
    WINDOW_MESSAGES_MAX = 65536, /* a table of pointers four times as long */
    WINDOW_BYTES = 32 * 1024 * 1024,
    WAIT_LONGEST_MS = 60000,
};

static relais_status check_options(const relais_client_options *options, relais_error *error)
{
    const char *software = options->software;
    if (options->endpoint == NULL || strlen(options->endpoint) >= CLIENT_ENDPOINT_BYTES ||
        strncmp(options->endpoint, "tcp://", 6) != 0) {
        return error_fill(error, RELAIS_USAGE, "endpoint", options->endpoint, "tcp://host:port");
    }
    if (!relais_key_is_public(options->broker_key)) {
        return error_fill(error, RELAIS_USAGE, "broker_key", options->broker_key,
                          _("40 characters of Z85"));
    }
    if (options->key == NULL || !relais_key_is_public(options->key->public_key) ||
        !relais_key_is_public(options->key->secret_key)) {
        return error_fill(error, RELAIS_USAGE, "key", NULL, _("a key pair"));
    }
    if (software != NULL &&
        (strlen(software) > CLIENT_SOFTWARE_BYTES ||
         !wire_is_text((struct bytes){(const uint8_t *)software, strlen(software)}))) {
        return error_fill(error, RELAIS_USAGE, "software", software, _("at most 64 bytes"));
    }
    if (options->window_messages > WINDOW_MESSAGES_MAX) {
        return error_fill(error, RELAIS_USAGE, "window_messages", NULL, _("at most 65536"));
    }
    return RELAIS_OK;
}

static relais_status init(relais_client *client, const relais_client_options *options,
                          relais_error *error)
{
    const char *software = options->software;
    error_copy_text(client->endpoint, sizeof client->endpoint, options->endpoint);
    memcpy(client->broker_key, options->broker_key, sizeof client->broker_key);
    client->key = *options->key;
    error_copy_text(client->software, sizeof client->software,
                    software != NULL ? software : "librelais/" RELAIS_VERSION);
    if (sender_init(&client->sender,
                    options->window_messages > 0 ? options->window_messages : WINDOW_MESSAGES,
                    options->window_bytes > 0 ? options->window_bytes : WINDOW_BYTES) !=
            RELAIS_OK ||
        !wire_arena_init(&client->commands, WIRE_ARENA_BYTES) ||
        !wire_arena_init(&client->envelopes, WIRE_ARENA_BYTES)) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    relais_status status = connection_init(&client->connection, error);
    if (status == RELAIS_OK) {
        status = connection_attempt(client, clock_monotonic_ms(), error);
    }
    return status;
}

relais_status relais_client_open(const relais_client_options *options, relais_client **out_client,
                                 relais_error *error)
{
    if (options == NULL || out_client == NULL) {
        return error_fill(error, RELAIS_USAGE, "options", NULL, NULL);
    }
    relais_status status = check_options(options, error);
    if (status != RELAIS_OK) {
        return status;
    }
    if (sodium_init() < 0) {
        return error_fill(error, RELAIS_SYSTEM, "sodium_init", NULL, _("a source of randomness"));
    }
    relais_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    status = init(client, options, error);
    if (status != RELAIS_OK) {
        relais_client_close(client);
        return status;
    }
    client->verdict = RELAIS_OK;
    *out_client = client;
    return RELAIS_OK;
}

/* Answers given just before go out, and a goodbye, so that leases come back at once. */
static void say_last_words(relais_client *client)
{
    const struct connection *connection = &client->connection;
    if (connection->phase != CONNECTION_READY) {
        return;
    }
    receiver_flush(client, clock_monotonic_ms());
    if (!connection->blocked && !connection->line_gone) {
        hangup_say_goodbye(&client->connection);
    }
}

void relais_client_close(relais_client *client)
{
    if (client == NULL) {
        return;
    }
    client->closing = true;
    say_last_words(client);
    connection_fini(&client->connection);
    sender_close(client);
    requester_close(client);
    receiver_close(client);
    sealing_free(client->sealing);
    sender_fini(&client->sender);
    frames_in_fini(&client->in);
    wire_arena_fini(&client->commands);
    wire_arena_fini(&client->envelopes);
    relais_key_wipe(&client->key);
    free(client);
}

bool client_say(relais_client *client, const Relais__V1__ToBroker *command, zmq_msg_t *frames,
                size_t count)
{
    struct connection *connection = &client->connection;
    if (connection->phase != CONNECTION_READY || connection->blocked) {
        return false;
    }
    switch (frames_send(connection->socket, command, frames, count)) {
    case FRAMES_DONE:
        return true;
    case FRAMES_LATER:
        connection->blocked = true;
        return false;
    default:
        connection->line_gone = true;
        return false;
    }
}

static void turn(relais_client *client, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    connection_watch_clock(client, now_ms);
    connection_watch_monitor(client, now_ms);
    dispatch_all(client, now_ms);
    requester_sort(client);
    if (connection->phase == CONNECTION_READY && !connection->line_gone) {
        connection->blocked = false;
        receiver_flush(client, now_ms);
        question_flush(client);
        sender_flush(client, now_ms);
        fetch_flush(client, now_ms);
        upload_flush(client, now_ms);
    }
    if (connection->line_gone && connection->phase != CONNECTION_PAUSED) {
        relais_status why = connection->complaint.status;
        connection_lose(client, why != RELAIS_OK ? why : RELAIS_UNREACHABLE, now_ms);
    }
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static long patience(const relais_client *client, int64_t deadline_ms, int64_t now_ms)
{
    int64_t next = deadline_ms;
    if (client->connection.phase != CONNECTION_READY) {
        next = earlier(next, client->connection.deadline_ms);
    } else {
        next = earlier(next, client->sender.rest_ms);
        next = earlier(next, receiver_next_ms(client));
    }
    if (next <= now_ms) {
        return 0;
    }
    return (long)earlier(next - now_ms, WAIT_LONGEST_MS);
}

/* Sleeps until the socket, the monitor or one of the caller's descriptors is ready. */
static relais_status sleep_until(relais_client *client, long timeout_ms, struct pollfd *fds,
                                 size_t fd_count)
{
    const struct connection *connection = &client->connection;
    zmq_pollitem_t items[CLIENT_FDS_MAX + 2];
    int count = 0;
    for (size_t i = 0; i < fd_count; i++) {
        short wanted = (short)(((fds[i].events & POLLIN) != 0 ? ZMQ_POLLIN : 0) |
                               ((fds[i].events & POLLOUT) != 0 ? ZMQ_POLLOUT : 0) |
                               ((fds[i].events & POLLPRI) != 0 ? ZMQ_POLLPRI : 0) | ZMQ_POLLERR);
        items[count++] = (zmq_pollitem_t){.fd = fds[i].fd, .events = wanted};
    }
    if (connection->socket != NULL) {
        short wanted = (short)(ZMQ_POLLIN | (connection->blocked ? ZMQ_POLLOUT : 0));
        items[count++] = (zmq_pollitem_t){.socket = connection->socket, .events = wanted};
        items[count++] = (zmq_pollitem_t){.socket = connection->monitor, .events = ZMQ_POLLIN};
    }
    if (zmq_poll(items, count, timeout_ms) < 0) {
        return zmq_errno() == EINTR ? RELAIS_INTERRUPTED : RELAIS_SYSTEM;
    }
    return RELAIS_OK;
}

/* Fills in revents; true when one is set. */
static bool look_at(struct pollfd *fds, size_t fd_count)
{
    return fd_count > 0 && poll(fds, (nfds_t)fd_count, 0) > 0;
}

static relais_status take_verdict(relais_client *client)
{
    relais_status verdict = client->verdict;
    client->verdict = RELAIS_OK;
    return verdict;
}

relais_status client_work(relais_client *client, int64_t deadline_ms, struct pollfd *fds,
                          size_t fd_count)
{
    client->happened = false;
    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        turn(client, now_ms);
        bool own = look_at(fds, fd_count);
        if (client->verdict != RELAIS_OK) {
            return take_verdict(client);
        }
        if (client->happened || own) {
            return RELAIS_OK;
        }
        if (now_ms >= deadline_ms) {
            return RELAIS_TIMED_OUT;
        }
        relais_status status =
            sleep_until(client, patience(client, deadline_ms, now_ms), fds, fd_count);
        if (status != RELAIS_OK) {
            return status;
        }
    }
}

int64_t client_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
}

relais_status relais_wait(relais_client *client, int timeout_ms, struct pollfd *fds,
                          size_t fd_count)
{
    if (client->calling || fd_count > CLIENT_FDS_MAX || (fd_count > 0 && fds == NULL)) {
        return RELAIS_USAGE;
    }
    if (!receiver_is_ready(client)) {
        return client_work(client, client_deadline(timeout_ms), fds, fd_count);
    }
    relais_status status = client_work(client, clock_monotonic_ms(), fds, fd_count);
    return status == RELAIS_TIMED_OUT ? RELAIS_OK : status;
}

static relais_status explain(const relais_client *client, relais_status status, relais_error *error)
{
    const relais_error *complaint = &client->connection.complaint;
    if (complaint->status == status && error != NULL) {
        *error = *complaint;
        return status;
    }
    if (status == RELAIS_KEY_REFUSED) {
        return error_fill(error, status, "key", client->key.public_key,
                          _("a key that the operator has registered, and the broker's own key"));
    }
    return error_fill(error, status, "endpoint", client->endpoint,
                      status == RELAIS_UNREACHABLE
                          ? _("a broker that runs at this address, and a network that leads there")
                          : NULL);
}

relais_status relais_client_connect(relais_client *client, int timeout_ms, relais_error *error)
{
    int64_t deadline_ms = client_deadline(timeout_ms);
    if (client->calling) {
        return error_fill(error, RELAIS_USAGE, NULL, NULL, _("a call outside callbacks"));
    }
    while (client->connection.phase != CONNECTION_READY) {
        relais_status status = client_work(client, deadline_ms, NULL, 0);
        if (status == RELAIS_TIMED_OUT) {
            return explain(client, RELAIS_UNREACHABLE, error);
        }
        if (status != RELAIS_OK) {
            return explain(client, status, error);
        }
    }
    return RELAIS_OK;
}

void relais_client_session(const relais_client *client, relais_session *out_session)
{
    const struct connection *connection = &client->connection;
    *out_session = (relais_session){
        .connected = connection->phase == CONNECTION_READY,
        .payload_bytes_max = connection->limits.payload_bytes,
        .stored_bytes_max = connection->limits.stored_bytes,
        .trouble = connection->trouble,
        .reconnects = connection->welcomes > 0 ? connection->welcomes - 1 : 0,
    };
    if (client->welcomed) {
        memcpy(out_session->member, client->member, sizeof out_session->member);
        memcpy(out_session->client, client->name, sizeof out_session->client);
        memcpy(out_session->software, client->broker_software, sizeof out_session->software);
    }
}
