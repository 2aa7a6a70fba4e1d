/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A limit, not a peer: libzmq with CURVE and nothing else. A ROUTER in a child process hands on
 * what the producer's DEALER sends to the consumer's, one frame a message, and confirms
 * cumulatively when nothing waits, or every CONFIRM_EVERY. Nothing is stored, nothing is
 * acknowledged.
 */
#include "tests/bench/cell.h"

#include <zmq.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEY_BYTES = 41, CONFIRM_EVERY = 64, COUNT_BYTES = 8, NAME_BYTES = 64 };

struct keys { /* Z85; one pair for the relay, one for both clients */
    char relay[2][KEY_BYTES];
    char client[2][KEY_BYTES];
};
enum { PUBLIC, SECRET };

struct limit {
    struct keys keys;
    char endpoint[NAME_BYTES];
};

static void need(bool good, const char *what)
{
    if (!good) {
        cell_fail(what, zmq_strerror(errno));
    }
}

static void confirm(void *socket, uint64_t *count)
{
    if (*count > 0) {
        need(zmq_send(socket, "p", 1, ZMQ_SNDMORE) == 1, "relay");
        need(zmq_send(socket, count, COUNT_BYTES, 0) == COUNT_BYTES, "relay");
        *count = 0;
    }
}

/* From "p" to "c". A full consumer blocks the relay, and so the producer. */
static _Noreturn void relay(void *socket)
{
    uint64_t count = 0;
    zmq_msg_t part;
    zmq_msg_init(&part);
    for (;;) {
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
            confirm(socket, &count);
            need(zmq_msg_recv(&part, socket, 0) > 0, "relay");
        }
        bool from_producer = *(const char *)zmq_msg_data(&part) == 'p';
        need(zmq_msg_recv(&part, socket, 0) >= 0, "relay");
        need(zmq_send(socket, "c", 1, ZMQ_SNDMORE) == 1, "relay");
        need(zmq_msg_send(&part, socket, 0) >= 0, "relay");
        count += from_producer ? 1 : 0; /* the consumer's hello comes back to it */
        if (count >= CONFIRM_EVERY) {
            confirm(socket, &count);
        }
    }
}

static _Noreturn void serve(const struct limit *limit, int out)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    const int on = 1;
    char endpoint[NAME_BYTES] = {0};
    size_t size = sizeof endpoint;
    need(socket != NULL, "socket");
    zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, limit->keys.relay[SECRET], KEY_BYTES);
    need(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "bind");
    need(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0, "bind");
    need(write(out, endpoint, sizeof endpoint) == sizeof endpoint, "bind");
    relay(socket);
}

static void prepare(struct cell *cell)
{
    static struct limit limit;
    int ends[2];
    need(zmq_curve_keypair(limit.keys.relay[PUBLIC], limit.keys.relay[SECRET]) == 0, "keys");
    need(zmq_curve_keypair(limit.keys.client[PUBLIC], limit.keys.client[SECRET]) == 0, "keys");
    need(pipe(ends) == 0, "pipe");
    cell->server = fork();
    need(cell->server >= 0, "fork");
    if (cell->server == 0) {
        serve(&limit, ends[1]);
    }
    (void)close(ends[1]);
    need(read(ends[0], limit.endpoint, sizeof limit.endpoint) == sizeof limit.endpoint, "relay");
    cell->target = (const char *)&limit;
}

static void *open_line(const struct cell *cell, void *context, const char *name)
{
    const struct limit *limit = (const struct limit *)cell->target;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    need(socket != NULL, "socket");
    zmq_setsockopt(socket, ZMQ_IDENTITY, name, 1);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, limit->keys.relay[PUBLIC], KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, limit->keys.client[PUBLIC], KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, limit->keys.client[SECRET], KEY_BYTES);
    need(zmq_connect(socket, limit->endpoint) == 0, "connect");
    return socket;
}

static void produce(struct cell *cell)
{
    void *context = zmq_ctx_new();
    void *socket = open_line(cell, context, "p");
    cell_ready(cell);
    while (cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (cell_unconfirmed(cell) < cell->window && cell_going(cell)) {
            need(zmq_send(socket, cell_next(cell), cell->bytes, 0) >= 0, "send");
        }
        uint64_t count = 0;
        need(zmq_recv(socket, &count, sizeof count, 0) == COUNT_BYTES, "confirm");
        do {
            cell_confirmed(cell, count);
        } while (zmq_recv(socket, &count, sizeof count, ZMQ_DONTWAIT) == COUNT_BYTES);
    }
    zmq_close(socket);
    zmq_ctx_term(context);
}

static void consume(struct cell *cell)
{
    void *context = zmq_ctx_new();
    void *socket = open_line(cell, context, "c");
    const int turn = CELL_TURN_MS;
    zmq_msg_t message;
    zmq_msg_init(&message);
    need(zmq_send(socket, "", 0, 0) == 0, "hello");
    need(zmq_msg_recv(&message, socket, 0) == 0, "hello");
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &turn, sizeof turn);
    cell_ready(cell);
    while (!cell_drained(cell)) {
        if (zmq_msg_recv(&message, socket, 0) >= 0) {
            cell_got(cell, zmq_msg_data(&message), zmq_msg_size(&message));
        }
    }
    zmq_msg_close(&message);
    zmq_close(socket);
    zmq_ctx_term(context);
}

static void finish(struct cell *cell)
{
    (void)kill(cell->server, SIGKILL);
    (void)waitpid(cell->server, NULL, 0);
}

const struct peer peer = {
    .name = "zmq", .prepare = prepare, .produce = produce, .consume = consume, .finish = finish};
