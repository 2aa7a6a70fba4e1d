/* SPDX-License-Identifier: EUPL-1.2
 *
 * A net under test with real clients on loopback, all driven from the test's own thread: libzmq's
 * io threads do the rest.
 */
#ifndef RELAIS_TESTS_UNIT_NET_BUS_H
#define RELAIS_TESTS_UNIT_NET_BUS_H

#include "net/net.h"

#include <zmq.h>

enum { BUS_KEYS_MAX = 16, BUS_PATIENCE_MS = 5000 };

struct key_pair {
    char public_key[NET_KEY_CHARACTERS + 1];
    char secret_key[NET_KEY_CHARACTERS + 1];
};

struct bus {
    struct net *net;
    struct key_pair keys;
    struct key_pair admitted[BUS_KEYS_MAX];
    size_t admitted_count;
    void *clients; /* their zmq context */
    size_t asked;  /* how often the gatekeeper was asked */
};

void key_pair_make(struct key_pair *out_keys);

/* Settings as relaisd would give them, for this bus. */
struct net_settings bus_settings(struct bus *bus);

/* Opens a net on a free port with `keys` admitted client keys. */
void bus_open(struct bus *bus, size_t keys);
void bus_close(struct bus *bus);

/* A DEALER with this key and, unless NULL, this routing id (of id_size bytes). */
void *client_with_id(struct bus *bus, const struct key_pair *keys, const void *id, size_t id_size);

/* A DEALER as the protocol wants it. */
void *client_new(struct bus *bus, const struct key_pair *keys);
void client_close(void *client);

/* Gives clients time to see that they were hung up on. Needed before closing one that is in the
 * middle of a message: libzmq 4.3.4 aborts when a socket is closed and its connection fails at the
 * same moment. */
void client_settle(struct bus *bus);
void client_say(void *client, const char *text);

/* The next event within so long; NET_NOTHING when time is up. */
void bus_next(struct bus *bus, struct net_event *out_event, int timeout_ms);

/* Goes on until an event of this kind comes; others are dropped. Fails the test when none does. */
void bus_expect(struct bus *bus, enum net_event_kind kind, struct net_event *out_event);

/* Lets everything run for so long; gives the number of events of this kind. */
size_t bus_count(struct bus *bus, enum net_event_kind kind, int duration_ms);

/* Receives a frame while the net runs; false when time is up. The message must be initialised. */
bool client_receive(struct bus *bus, void *client, zmq_msg_t *message, int timeout_ms);

/* The same for a short text; fails the test when it is another. */
void client_expect(struct bus *bus, void *client, const char *text);

/* 0 to sides - 1, from RELAIS_TEST_SEED or a new seed; bus_open() prints it. */
uint32_t dice(size_t sides);

struct bytes text(const char *characters);
bool frame_is(const struct net_event *event, size_t index, const char *characters);
int64_t clock_ms(void);

#endif
