/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A limit, not a peer: libzmq with CURVE and nothing else. A ROUTER in a child process hands on
 * what the producers' DEALERs send to the consumers', in turn, one frame a message, and confirms
 * cumulatively when nothing waits, or every CONFIRM_EVERY. Nothing is stored, nothing is
 * acknowledged. An identity is a letter, 'p' or 'c', and the number of the thread from 'A'.
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

enum { KEY_BYTES = 41, CONFIRM_EVERY = 64, COUNT_BYTES = 8, NAME_BYTES = 64, IDENTITY_BYTES = 2 };

struct keys { /* Z85; one pair for the relay, one for both clients */
    char relay[2][KEY_BYTES];
    char client[2][KEY_BYTES];
};
enum { PUBLIC, SECRET };

struct limit {
    struct keys keys;
    char endpoint[NAME_BYTES];
};

struct relay {
    uint64_t unconfirmed[CELL_PAIRS_MAX]; /* of each producer */
    uint64_t count;                       /* of all */
    uint32_t pairs;
    uint32_t turn;
};

static void need(bool good, const char *what)
{
    if (!good) {
        cell_fail(what, zmq_strerror(errno));
    }
}

static void confirm(void *socket, struct relay *relay)
{
    for (int i = 0; i < CELL_PAIRS_MAX; i++) {
        uint64_t *count = &relay->unconfirmed[i];
        if (*count > 0) {
            const char name[IDENTITY_BYTES] = {'p', (char)('A' + i)};
            need(zmq_send(socket, name, sizeof name, ZMQ_SNDMORE) == IDENTITY_BYTES, "relay");
            need(zmq_send(socket, count, COUNT_BYTES, 0) == COUNT_BYTES, "relay");
            *count = 0;
        }
    }
    relay->count = 0;
}

/* A message to the next consumer; a consumer's hello back to it. A full consumer blocks the relay,
 * and so the producers. */
static void hand_on(void *socket, struct relay *relay, zmq_msg_t *part)
{
    char name[IDENTITY_BYTES];
    memcpy(name, zmq_msg_data(part), sizeof name);
    need(zmq_msg_recv(part, socket, 0) >= 0, "relay");
    if (name[0] == 'p') {
        relay->unconfirmed[(size_t)(name[1] - 'A')]++;
        relay->count++;
        name[0] = 'c';
        name[1] = (char)('A' + (char)(relay->turn++ % relay->pairs));
    }
    need(zmq_send(socket, name, sizeof name, ZMQ_SNDMORE) == IDENTITY_BYTES, "relay");
    need(zmq_msg_send(part, socket, 0) >= 0, "relay");
}

static _Noreturn void relay_all(void *socket, uint32_t pairs)
{
    struct relay relay = {.pairs = pairs};
    zmq_msg_t part;
    zmq_msg_init(&part);
    for (;;) {
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
            confirm(socket, &relay);
            need(zmq_msg_recv(&part, socket, 0) > 0, "relay");
        }
        hand_on(socket, &relay, &part);
        if (relay.count >= CONFIRM_EVERY) {
            confirm(socket, &relay);
        }
    }
}

static _Noreturn void serve(const struct limit *limit, uint32_t pairs, int out)
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
    relay_all(socket, pairs);
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
        serve(&limit, cell->pairs, ends[1]);
    }
    (void)close(ends[1]);
    need(read(ends[0], limit.endpoint, sizeof limit.endpoint) == sizeof limit.endpoint, "relay");
    cell->target = (const char *)&limit;
}

static void *open_line(const struct cell *cell, void *context, char role)
{
    const char name[IDENTITY_BYTES] = {role, (char)('A' + (char)cell->number)};
    const struct limit *limit = (const struct limit *)cell->target;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    need(socket != NULL, "socket");
    zmq_setsockopt(socket, ZMQ_IDENTITY, name, sizeof name);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, limit->keys.relay[PUBLIC], KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, limit->keys.client[PUBLIC], KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, limit->keys.client[SECRET], KEY_BYTES);
    need(zmq_connect(socket, limit->endpoint) == 0, "connect");
    return socket;
}

static void produce(struct cell *cell)
{
    void *context = zmq_ctx_new();
    void *socket = open_line(cell, context, 'p');
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
    void *socket = open_line(cell, context, 'c');
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
