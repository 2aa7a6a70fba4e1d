/* SPDX-License-Identifier: EUPL-1.2
 *
 * See bus.h.
 */
#include "bus.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void key_pair_make(struct key_pair *out_keys)
{
    ck_assert_int_eq(zmq_curve_keypair(out_keys->public_key, out_keys->secret_key), 0);
}

static bool admit(void *context, const char *key)
{
    struct bus *bus = context;
    bus->asked++;
    for (size_t i = 0; i < bus->admitted_count; i++) {
        if (strcmp(bus->admitted[i].public_key, key) == 0) {
            return true;
        }
    }
    return false;
}

struct net_settings bus_settings(struct bus *bus)
{
    return (struct net_settings){
        .endpoint = "tcp://127.0.0.1:*",
        .public_key = bus->keys.public_key,
        .secret_key = bus->keys.secret_key,
        .frame_bytes = 3ULL * 1024 * 1024,
        .backlog = 1024,
        .handshake_ms = 3000,
        .admit = admit,
        .admit_context = bus,
    };
}

static uint64_t dice_state;

static void dice_seed(uint64_t fresh)
{
    const char *wanted = getenv("RELAIS_TEST_SEED");
    dice_state = (wanted != NULL ? strtoull(wanted, NULL, 10) : fresh) | 1;
    printf("RELAIS_TEST_SEED=%" PRIu64 "\n", dice_state);
    fflush(stdout);
}

uint32_t dice(size_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (uint32_t)((dice_state >> 11) % sides);
}

void bus_open(struct bus *bus, size_t keys)
{
    uint64_t seed = 0;
    ck_assert_int_eq(getrandom(&seed, sizeof seed, 0), sizeof seed);
    srand((unsigned)seed);
    dice_seed(seed >> 32);
    memset(bus, 0, sizeof *bus);
    key_pair_make(&bus->keys);
    for (size_t i = 0; i < keys; i++) {
        key_pair_make(&bus->admitted[i]);
    }
    bus->admitted_count = keys;
    const struct net_settings settings = bus_settings(bus);
    struct net_problem problem = {0};
    ck_assert_msg(net_open(&settings, &bus->net, &problem), "%s", problem.detail);
    bus->clients = zmq_ctx_new();
    ck_assert_ptr_nonnull(bus->clients);
}

void bus_close(struct bus *bus)
{
    net_close(bus->net, 0);
    bus->net = NULL;
    ck_assert_int_eq(zmq_ctx_term(bus->clients), 0);
}

void *client_with_id(struct bus *bus, const struct key_pair *keys, const void *id, size_t id_size)
{
    void *client = zmq_socket(bus->clients, ZMQ_DEALER);
    ck_assert_ptr_nonnull(client);
    const int linger = 0;
    const int reconnect = -1;
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client, ZMQ_RECONNECT_IVL, &reconnect, sizeof reconnect);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, bus->keys.public_key, NET_KEY_CHARACTERS + 1);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, keys->public_key, NET_KEY_CHARACTERS + 1);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, keys->secret_key, NET_KEY_CHARACTERS + 1);
    if (id != NULL) {
        ck_assert_int_eq(zmq_setsockopt(client, ZMQ_ROUTING_ID, id, id_size), 0);
    }
    ck_assert_int_eq(zmq_connect(client, net_endpoint(bus->net)), 0);
    return client;
}

void *client_new(struct bus *bus, const struct key_pair *keys)
{
    uint8_t id[16];
    ck_assert_int_eq(getrandom(id, sizeof id, 0), sizeof id);
    id[0] |= 0x01;
    return client_with_id(bus, keys, id, sizeof id);
}

void client_close(void *client)
{
    ck_assert_int_eq(zmq_close(client), 0);
}

void client_say(void *client, const char *characters)
{
    const size_t size = strlen(characters);
    ck_assert_int_eq(zmq_send(client, characters, size, 0), (int)size);
}

void client_settle(struct bus *bus)
{
    (void)bus_count(bus, NET_CLOSED, 200);
}

int64_t clock_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void bus_next(struct bus *bus, struct net_event *out_event, int timeout_ms)
{
    const int64_t until = clock_ms() + timeout_ms;
    int64_t left = timeout_ms;
    do {
        net_next(bus->net, out_event);
        if (out_event->kind != NET_NOTHING || left <= 0) {
            return;
        }
        net_wait(bus->net, NULL, 0, NULL, (int)left);
        left = until - clock_ms();
    } while (true);
}

void bus_expect(struct bus *bus, enum net_event_kind kind, struct net_event *out_event)
{
    const int64_t until = clock_ms() + BUS_PATIENCE_MS;
    while (clock_ms() < until) {
        bus_next(bus, out_event, 100);
        if (out_event->kind == kind) {
            return;
        }
    }
    ck_abort_msg("no event of kind %d", (int)kind);
}

size_t bus_count(struct bus *bus, enum net_event_kind kind, int duration_ms)
{
    const int64_t until = clock_ms() + duration_ms;
    size_t count = 0;
    for (int64_t left = duration_ms; left > 0; left = until - clock_ms()) {
        struct net_event event;
        bus_next(bus, &event, (int)left);
        count += event.kind == kind ? 1 : 0;
    }
    return count;
}

bool client_receive(struct bus *bus, void *client, zmq_msg_t *message, int timeout_ms)
{
    const int64_t until = clock_ms() + timeout_ms;
    while (zmq_msg_recv(message, client, ZMQ_DONTWAIT) < 0) {
        if (clock_ms() >= until) {
            return false;
        }
        struct net_event event;
        bus_next(bus, &event, 5);
    }
    return true;
}

void client_expect(struct bus *bus, void *client, const char *characters)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    ck_assert_msg(client_receive(bus, client, &message, BUS_PATIENCE_MS), "nothing came");
    ck_assert_uint_eq(zmq_msg_size(&message), strlen(characters));
    ck_assert_mem_eq(zmq_msg_data(&message), characters, strlen(characters));
    zmq_msg_close(&message);
}

struct bytes text(const char *characters)
{
    return (struct bytes){(const uint8_t *)characters, strlen(characters)};
}

bool frame_is(const struct net_event *event, size_t index, const char *characters)
{
    return index < event->frame_count && event->frames[index].size == strlen(characters) &&
           memcmp(event->frames[index].data, characters, strlen(characters)) == 0;
}
