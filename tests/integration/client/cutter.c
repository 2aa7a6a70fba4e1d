/* SPDX-License-Identifier: EUPL-1.2
 *
 * The relay of cutter.h: a listener, at most one client, at most one way to the broker.
 */
#include "tests/integration/client/cutter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CUTTER_BUFFER_BYTES = 64 * 1024, CUTTER_TICK_MS = 1, CUTTER_QUEUE_BYTES = 16 * 1024 };

struct cutter {
    int listener;
    int client; /* -1: none */
    int broker;
    unsigned short broker_port;
    char endpoint[64];
    pthread_t thread;
    atomic_bool stop;
    atomic_int way;
    atomic_int done; /* the way that the thread has taken */
    atomic_uint delay_us;
    char kept[CUTTER_BUFFER_BYTES];
    size_t kept_bytes;
    char buffer[CUTTER_BUFFER_BYTES];
};

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct sockaddr_in loopback(unsigned short port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static void hang_up(struct cutter *cutter)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (cutter->client >= 0) {
        (void)setsockopt(cutter->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        (void)close(cutter->client);
        (void)close(cutter->broker);
    }
    cutter->client = -1;
    cutter->broker = -1;
    cutter->kept_bytes = 0;
}

static void take_client(struct cutter *cutter)
{
    struct sockaddr_in address = loopback(cutter->broker_port);
    int client = accept(cutter->listener, NULL, NULL);
    if (client < 0) {
        return;
    }
    cutter->client = client;
    cutter->broker = socket(AF_INET, SOCK_STREAM, 0);
    assert(cutter->broker >= 0);
    if (connect(cutter->broker, (struct sockaddr *)&address, sizeof address) != 0) {
        hang_up(cutter);
    }
}

static void write_all(int to, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = send(to, bytes, size, MSG_NOSIGNAL);
        if (written <= 0) {
            return;
        }
        bytes += written;
        size -= (size_t)written;
    }
}

/* False: that end has gone. */
static bool pass_on(struct cutter *cutter, int from, int to)
{
    ssize_t size = recv(from, cutter->buffer, sizeof cutter->buffer, 0);
    if (size > 0) {
        write_all(to, cutter->buffer, (size_t)size);
    }
    return size > 0;
}

static bool keep(struct cutter *cutter)
{
    ssize_t size = recv(cutter->broker, cutter->kept + cutter->kept_bytes,
                        sizeof cutter->kept - cutter->kept_bytes, 0);
    cutter->kept_bytes += size > 0 ? (size_t)size : 0;
    return size > 0;
}

static void cut(struct cutter *cutter)
{
    int64_t at_us = now_us() + (int64_t)atomic_load(&cutter->delay_us);
    write_all(cutter->client, cutter->kept, cutter->kept_bytes);
    while (now_us() < at_us) { /* a sleep is not precise enough */
    }
    hang_up(cutter);
    atomic_store(&cutter->way, CUTTER_RELAYS);
}

static void relay(struct cutter *cutter, bool holds)
{
    struct pollfd fds[] = {{.fd = cutter->client < 0 ? cutter->listener : -1, .events = POLLIN},
                           {.fd = cutter->broker, .events = POLLIN},
                           {.fd = holds ? -1 : cutter->client, .events = POLLIN}};
    (void)poll(fds, 3, CUTTER_TICK_MS);
    bool open = true;
    if (fds[1].revents != 0) {
        open = holds ? keep(cutter) : pass_on(cutter, cutter->broker, cutter->client);
    }
    if (open && fds[2].revents != 0) {
        open = pass_on(cutter, cutter->client, cutter->broker);
    }
    if (!open) {
        hang_up(cutter);
    }
    if (fds[0].revents != 0) {
        take_client(cutter);
    }
}

static void *work(void *given)
{
    struct cutter *cutter = given;
    while (!atomic_load(&cutter->stop)) {
        int way = atomic_load(&cutter->way);
        atomic_store(&cutter->done, way);
        if (way == CUTTER_CUTS) {
            cut(cutter);
        } else {
            relay(cutter, way == CUTTER_HOLDS);
        }
    }
    hang_up(cutter);
    return NULL;
}

struct cutter *cutter_start(const char *broker_endpoint)
{
    struct cutter *cutter = calloc(1, sizeof *cutter);
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int small = CUTTER_QUEUE_BYTES;
    assert(cutter != NULL);
    cutter->client = -1;
    cutter->broker = -1;
    cutter->broker_port = (unsigned short)strtoul(strrchr(broker_endpoint, ':') + 1, NULL, 10);
    cutter->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(cutter->listener >= 0);
    (void)setsockopt(cutter->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int bound = bind(cutter->listener, (struct sockaddr *)&address, sizeof address);
    assert(bound == 0 && listen(cutter->listener, 8) == 0);
    (void)getsockname(cutter->listener, (struct sockaddr *)&address, &size);
    (void)snprintf(cutter->endpoint, sizeof cutter->endpoint, "tcp://127.0.0.1:%u",
                   (unsigned)ntohs(address.sin_port));
    int started = pthread_create(&cutter->thread, NULL, work, cutter);
    assert(started == 0);
    return cutter;
}

void cutter_stop(struct cutter *cutter)
{
    atomic_store(&cutter->stop, true);
    (void)pthread_join(cutter->thread, NULL);
    (void)close(cutter->listener);
    free(cutter);
}

const char *cutter_endpoint(const struct cutter *cutter)
{
    return cutter->endpoint;
}

void cutter_hold(struct cutter *cutter)
{
    atomic_store(&cutter->way, CUTTER_HOLDS);
    while (atomic_load(&cutter->done) != CUTTER_HOLDS) {
        (void)poll(NULL, 0, CUTTER_TICK_MS);
    }
}

void cutter_cut(struct cutter *cutter, unsigned delay_us)
{
    atomic_store(&cutter->delay_us, delay_us);
    atomic_store(&cutter->way, CUTTER_CUTS);
}
