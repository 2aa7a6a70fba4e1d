/* SPDX-License-Identifier: EUPL-1.2
 *
 * Plain TCP around a net under test: raw connections, and a wire between one client and the net
 * that records what the client sends and can slow it down. Driven from the test's thread.
 */
#ifndef RELAIS_TESTS_INTEGRATION_NET_WIRETAP_H
#define RELAIS_TESTS_INTEGRATION_NET_WIRETAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRETAP_RECORD_MAX = 256 * 1024 };

struct wiretap {
    int listening;
    int client;
    int server;
    char endpoint[64]; /* where the client connects */
    int server_port;
    uint8_t record[WIRETAP_RECORD_MAX];
    size_t recorded;
    int64_t began_ms;
    uint64_t carried;
    uint64_t bytes_per_ms; /* 0: as fast as it goes */
    bool broken;           /* one side has hung up */
};

int endpoint_port(const char *endpoint);

/* A blocking connection to this port on loopback. */
int raw_connect(int port);

/* Writes all of it if the peer takes it; false when it has hung up. */
bool raw_write(int fd, const void *data, size_t size);

/* Whether the peer has hung up by now. */
bool raw_hung_up(int fd);

void wiretap_open(struct wiretap *tap, int server_port);
void wiretap_close(struct wiretap *tap);

/* Carries what there is, without waiting. */
void wiretap_pump(struct wiretap *tap);

#endif
