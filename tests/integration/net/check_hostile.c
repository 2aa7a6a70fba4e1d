/* SPDX-License-Identifier: EUPL-1.2
 *
 * Peers that mean harm, before and after the handshake. Whatever they do, an honest client is
 * served at the end.
 */
#include "bus.h"
#include "wiretap.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct bus bus;
static int port;
static struct wiretap tap;

static void set_up(void)
{
    bus_open(&bus, 2);
    port = endpoint_port(net_endpoint(bus.net));
}

static void honest_client_is_served(void)
{
    void *client = client_new(&bus, &bus.admitted[1]);
    client_say(client, "honest");
    struct net_event event;
    do {
        bus_expect(&bus, NET_FRAMES, &event);
    } while (!frame_is(&event, 0, "honest"));
    ck_assert_str_eq(event.key, bus.admitted[1].public_key);
    ck_assert(net_send(bus.net, event.connection, text("served"), NULL, 0));
    client_expect(&bus, client, "served");
    client_close(client);
}

static void tear_down(void)
{
    honest_client_is_served();
    bus_close(&bus);
}

/* The greeting of ZMTP 3.1 for CURVE, as a client sends it. */
static const uint8_t greeting[64] = {
    0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1, 'C', 'U', 'R', 'V', 'E',
};
static const uint8_t plain_greeting[64] = {
    0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1, 'N', 'U', 'L', 'L',
};

START_TEST(garbage_is_hung_up_on)
{
    uint8_t bytes[8192];
    for (int round = 0; round < 200; round++) {
        const int fd = raw_connect(port);
        const size_t size = 1 + dice(sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)dice(256);
        }
        /* Half of them look right for a while. */
        if (round % 2 == 0 && size > sizeof greeting) {
            memcpy(bytes, greeting, sizeof greeting);
        }
        raw_write(fd, bytes, size);
        struct net_event event;
        bus_next(&bus, &event, 1);
        ck_assert_int_ne(event.kind, NET_FRAMES);
        close(fd);
    }
    ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 300), 0);
}
END_TEST

START_TEST(other_mechanisms_are_not_spoken)
{
    static const uint8_t ready[] = "\x04\x19\x05READY\x0bSocket-Type\0\0\0\x06"
                                   "DEALER";
    const int fd = raw_connect(port);
    raw_write(fd, plain_greeting, sizeof plain_greeting);
    raw_write(fd, ready, sizeof ready - 1);
    raw_write(fd, "\x00\x05hello", 7);
    for (int i = 0; i < 100 && !raw_hung_up(fd); i++) {
        struct net_event event;
        bus_next(&bus, &event, 20);
        ck_assert_int_ne(event.kind, NET_FRAMES);
    }
    ck_assert(raw_hung_up(fd));
    close(fd);
}
END_TEST

enum { CROWD = 200 };

static size_t crowd_gone(const int *fds)
{
    size_t gone = 0;
    for (size_t i = 0; i < CROWD; i++) {
        gone += raw_hung_up(fds[i]) ? 1 : 0;
    }
    return gone;
}

START_TEST(handshakes_left_half_open_are_ended_in_time)
{
    static int fds[CROWD];
    for (size_t i = 0; i < CROWD; i++) {
        fds[i] = raw_connect(port);
        if (i % 2 == 0) {
            raw_write(fds[i], greeting, sizeof greeting);
        }
    }
    honest_client_is_served();
    const int64_t began = clock_ms();
    while (crowd_gone(fds) < CROWD && clock_ms() - began < 8000) {
        ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 200), 0);
    }
    ck_assert_uint_eq(crowd_gone(fds), CROWD);
    for (size_t i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
}
END_TEST

static size_t resident_pages(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    char line[128] = {0};
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    char *end = NULL;
    (void)strtoul(line, &end, 10);
    pages = strtoul(end, NULL, 10);
    return pages;
}

START_TEST(announced_gigabytes_reserve_nothing)
{
    static int fds[CROWD];
    static const uint8_t gigabyte[] = {0x06, 0, 0, 0, 0, 0x40, 0, 0, 0};
    static const uint8_t filling[4096] = {5, 'H', 'E', 'L', 'L', 'O'};
    const size_t before = resident_pages();
    for (size_t i = 0; i < CROWD; i++) {
        fds[i] = raw_connect(port);
        raw_write(fds[i], greeting, sizeof greeting);
        raw_write(fds[i], gigabyte, sizeof gigabyte);
        raw_write(fds[i], filling, sizeof filling);
    }
    const int64_t began = clock_ms();
    while (crowd_gone(fds) < CROWD && clock_ms() - began < 2000) {
        ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 50), 0);
    }
    ck_assert_uint_eq(crowd_gone(fds), CROWD);
    ck_assert_uint_lt(resident_pages() - before, 20UL * 1024); /* 80 MiB, sanitizers included */
    for (size_t i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
}
END_TEST

/* A client of ours whose wire goes through the tap. */
static void *tapped_client(const uint8_t *id)
{
    wiretap_open(&tap, port);
    void *client = zmq_socket(bus.clients, ZMQ_DEALER);
    const int linger = 0;
    const int reconnect = -1;
    const int unbounded = 0;
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client, ZMQ_RECONNECT_IVL, &reconnect, sizeof reconnect);
    zmq_setsockopt(client, ZMQ_SNDHWM, &unbounded, sizeof unbounded);
    zmq_setsockopt(client, ZMQ_ROUTING_ID, id, 16);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, bus.keys.public_key, NET_KEY_CHARACTERS + 1);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, bus.admitted[0].public_key, NET_KEY_CHARACTERS + 1);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, bus.admitted[0].secret_key, NET_KEY_CHARACTERS + 1);
    ck_assert_int_eq(zmq_connect(client, tap.endpoint), 0);
    return client;
}

static enum net_event_kind tapped_next(struct net_event *out_event, int64_t patience_ms)
{
    const int64_t began = clock_ms();
    do {
        wiretap_pump(&tap);
        bus_next(&bus, out_event, 1);
    } while (out_event->kind == NET_NOTHING && clock_ms() - began < patience_ms);
    return out_event->kind;
}

START_TEST(replayed_bytes_are_not_heard_again)
{
    void *client = tapped_client((const uint8_t *)"replayed routing");
    client_say(client, "pay once");
    struct net_event event;
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_FRAMES);
    ck_assert(frame_is(&event, 0, "pay once"));
    client_close(client);
    wiretap_close(&tap);
    bus_expect(&bus, NET_CLOSED, &event);
    ck_assert_uint_gt(tap.recorded, sizeof greeting);
    for (int i = 0; i < 5; i++) {
        const int fd = raw_connect(port);
        raw_write(fd, tap.record, tap.recorded);
        ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 200), 0);
        close(fd);
    }
}
END_TEST

START_TEST(a_changed_byte_ends_the_connection)
{
    void *client = tapped_client((const uint8_t *)"altered  routing");
    client_say(client, "hello");
    struct net_event event;
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_FRAMES);
    /* A frame that nobody encrypted, in the middle of the stream. */
    ck_assert(raw_write(tap.server, "\x00\x20 this was not said by the client", 34));
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_REFUSED);
    ck_assert_str_eq(event.reason, "the peer broke the protocol");
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_CLOSED);
    client_close(client);
    wiretap_close(&tap);
}
END_TEST

START_TEST(a_message_without_an_end_is_cut)
{
    static uint8_t part[1024 * 1024];
    enum { PARTS = 70, RATE_BYTES_PER_MS = 40 * 1024 };
    void *client = tapped_client((const uint8_t *)"endless  routing");
    tap.bytes_per_ms = RATE_BYTES_PER_MS;
    client_say(client, "hello");
    struct net_event event;
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_FRAMES);
    for (int i = 0; i < PARTS; i++) {
        zmq_send(client, part, sizeof part, i + 1 < PARTS ? ZMQ_SNDMORE : 0);
    }
    ck_assert_int_eq(tapped_next(&event, 20000), NET_REFUSED);
    ck_assert_str_eq(event.reason, "a message without an end");
    ck_assert_str_eq(event.key, bus.admitted[0].public_key);
    ck_assert_int_eq(tapped_next(&event, BUS_PATIENCE_MS), NET_CLOSED);
    ck_assert_uint_lt(tap.carried, (uint64_t)PARTS * sizeof part);
    wiretap_close(&tap);
    client_settle(&bus);
    client_close(client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net against hostile peers");
    TCase *cases = tcase_create("an honest client is served at the end");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 40);
    tcase_add_test(cases, garbage_is_hung_up_on);
    tcase_add_test(cases, other_mechanisms_are_not_spoken);
    tcase_add_test(cases, handshakes_left_half_open_are_ended_in_time);
    tcase_add_test(cases, announced_gigabytes_reserve_nothing);
    tcase_add_test(cases, replayed_bytes_are_not_heard_again);
    tcase_add_test(cases, a_changed_byte_ends_the_connection);
    tcase_add_test(cases, a_message_without_an_end_is_cut);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
