/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who gets in, who is said to speak, and how a connection ends. Promises 1 to 3 of net.h.
 */
#include "bus.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bus bus;

static void set_up(void)
{
    bus_open(&bus, 2);
}

static void tear_down(void)
{
    bus_close(&bus);
}

START_TEST(an_unknown_key_is_refused_and_never_heard)
{
    struct key_pair stranger;
    key_pair_make(&stranger);
    void *client = client_new(&bus, &stranger);
    client_say(client, "let me in");
    struct net_event event;
    bus_expect(&bus, NET_REFUSED, &event);
    ck_assert_str_eq(event.reason, "the key is not registered");
    ck_assert_str_eq(event.key, stranger.public_key);
    ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 500), 0);
    client_close(client);
}
END_TEST

START_TEST(a_known_key_is_heard_with_its_key_and_frames)
{
    void *client = client_new(&bus, &bus.admitted[1]);
    ck_assert_int_eq(zmq_send(client, "command", 7, ZMQ_SNDMORE), 7);
    ck_assert_int_eq(zmq_send(client, "", 0, ZMQ_SNDMORE), 0);
    ck_assert_int_eq(zmq_send(client, "body", 4, 0), 4);
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert_str_eq(event.key, bus.admitted[1].public_key);
    ck_assert_uint_eq(event.frame_count, 3);
    ck_assert(frame_is(&event, 0, "command") && frame_is(&event, 1, "") &&
              frame_is(&event, 2, "body"));
    ck_assert(net_send(bus.net, event.connection, text("answer"), NULL, 0));
    client_expect(&bus, client, "answer");
    client_close(client);
}
END_TEST

START_TEST(two_clients_have_numbers_of_their_own)
{
    void *first = client_new(&bus, &bus.admitted[0]);
    void *second = client_new(&bus, &bus.admitted[0]);
    client_say(first, "first");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    const uint64_t number = event.connection;
    client_say(second, "second");
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert(frame_is(&event, 0, "second"));
    ck_assert_uint_ne(event.connection, number);
    ck_assert(net_send(bus.net, event.connection, text("to second"), NULL, 0));
    ck_assert(net_send(bus.net, number, text("to first"), NULL, 0));
    client_expect(&bus, first, "to first");
    client_expect(&bus, second, "to second");
    client_close(first);
    client_close(second);
}
END_TEST

START_TEST(a_buffer_outlives_its_event)
{
    void *client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "kept for the disk");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    struct buffer *kept = buffer_ref(event.buffers[0]);
    client_say(client, "another");
    bus_expect(&bus, NET_FRAMES, &event);
    client_close(client);
    bus_expect(&bus, NET_CLOSED, &event);
    ck_assert_uint_eq(kept->bytes.size, 17);
    ck_assert_mem_eq(kept->bytes.data, "kept for the disk", 17);
    buffer_unref(kept);
}
END_TEST

static const struct {
    const char *id;
    size_t size;
} bad_ids[] = {
    {NULL, 0},                 /* the broker would make one: guessable */
    {"mairie", 6},             /* a name: others can guess it */
    {"seventeen bytes !", 17}, /* not what the protocol says */
};

START_TEST(a_routing_id_that_is_not_16_random_bytes_is_cut)
{
    void *client = client_with_id(&bus, &bus.admitted[0], bad_ids[_i].id, bad_ids[_i].size);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_REFUSED, &event);
    ck_assert_str_eq(event.reason, "the routing id is not 16 random bytes");
    ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 300), 0);
    /* Cut: what it says later is not read either. */
    zmq_send(client, "hello", 5, ZMQ_DONTWAIT);
    struct net_event after;
    bus_next(&bus, &after, 300);
    ck_assert_int_eq(after.kind, NET_NOTHING);
    client_close(client);
}
END_TEST

START_TEST(a_routing_id_that_begins_with_zero_is_cut)
{
    static const uint8_t id[16] = {0x00, 0x01, 0x02, 0x03};
    void *client = client_with_id(&bus, &bus.admitted[0], id, sizeof id);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_REFUSED, &event);
    ck_assert_str_eq(event.reason, "the routing id is not 16 random bytes");
    client_close(client);
}
END_TEST

START_TEST(squatting_a_routing_id_gets_nothing)
{
    static const uint8_t id[16] = "sixteen bytes id";
    void *owner = client_with_id(&bus, &bus.admitted[0], id, sizeof id);
    client_say(owner, "mine");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    const uint64_t number = event.connection;
    void *squatter = client_with_id(&bus, &bus.admitted[1], id, sizeof id);
    client_say(squatter, "mine too");
    ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 500), 0);
    ck_assert(net_send(bus.net, number, text("for the owner"), NULL, 0));
    client_expect(&bus, owner, "for the owner");
    zmq_msg_t message;
    zmq_msg_init(&message);
    ck_assert(!client_receive(&bus, squatter, &message, 200));
    zmq_msg_close(&message);
    client_close(owner);
    client_close(squatter);
}
END_TEST

/* Also when it never says what the broker wants to hear: each holds a descriptor of all members. */
START_TEST(a_key_holds_no_more_connections_than_its_share)
{
    enum { SHARE = 3 };
    void *clients[SHARE];
    struct net_event event;
    struct net_settings settings = bus_settings(&bus);
    struct net_problem problem;
    settings.connections_per_key = SHARE;
    net_close(bus.net, 0);
    ck_assert(net_open(&settings, &bus.net, &problem));
    for (int i = 0; i < SHARE; i++) {
        clients[i] = client_new(&bus, &bus.admitted[0]);
        client_say(clients[i], "something");
        bus_expect(&bus, NET_FRAMES, &event);
    }
    void *extra = client_new(&bus, &bus.admitted[0]);
    client_say(extra, "something");
    bus_next(&bus, &event, BUS_PATIENCE_MS);
    ck_assert_int_eq(event.kind, NET_REFUSED);
    ck_assert_str_eq(event.reason, "too many connections of one key");
    ck_assert_str_eq(event.key, bus.admitted[0].public_key);
    ck_assert_uint_eq(bus_count(&bus, NET_FRAMES, 300), 0);
    client_close(extra);
    void *neighbour = client_new(&bus, &bus.admitted[1]);
    client_say(neighbour, "mine");
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert(frame_is(&event, 0, "mine"));
    client_close(clients[0]);
    bus_expect(&bus, NET_CLOSED, &event);
    clients[0] = client_new(&bus, &bus.admitted[0]);
    client_say(clients[0], "room again");
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert(frame_is(&event, 0, "room again"));
    for (int i = 0; i < SHARE; i++) {
        client_close(clients[i]);
    }
    client_close(neighbour);
}
END_TEST

START_TEST(a_client_that_vanishes_is_reported_once)
{
    void *client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    const uint64_t number = event.connection;
    client_close(client);
    bus_expect(&bus, NET_CLOSED, &event);
    ck_assert_uint_eq(event.connection, number);
    ck_assert_str_eq(event.key, bus.admitted[0].public_key);
    ck_assert_uint_eq(bus_count(&bus, NET_CLOSED, 400), 0);
    ck_assert(!net_send(bus.net, number, text("too late"), NULL, 0));
    net_cut(bus.net, number);
    ck_assert_uint_eq(bus_count(&bus, NET_CLOSED, 400), 0);
}
END_TEST

START_TEST(what_a_client_said_before_it_left_is_heard_before_its_end)
{
    void *client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    const int linger = 1000;
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    for (int i = 0; i < 50; i++) {
        client_say(client, "ack");
    }
    client_close(client);
    ck_assert_int_eq(zmq_ctx_term(bus.clients), 0); /* all sent, connection gone */
    bus.clients = zmq_ctx_new();
    for (int i = 0; i < 50; i++) {
        bus_next(&bus, &event, 1000);
        ck_assert_int_eq(event.kind, NET_FRAMES);
    }
    bus_next(&bus, &event, 1000);
    ck_assert_int_eq(event.kind, NET_CLOSED);
}
END_TEST

START_TEST(a_port_in_use_is_said_with_the_way_out)
{
    struct net_settings settings = bus_settings(&bus);
    settings.endpoint = net_endpoint(bus.net);
    struct net *second = NULL;
    struct net_problem problem = {0};
    ck_assert(!net_open(&settings, &second, &problem));
    ck_assert_ptr_null(second);
    ck_assert_int_eq(problem.system_errno, EADDRINUSE);
    char expected[256];
    snprintf(expected, sizeof expected,
             "port in use: %s; another program (maybe another relaisd) listens there; stop it or "
             "change listen",
             settings.endpoint);
    ck_assert_str_eq(problem.detail, expected);
}
END_TEST

static const struct {
    const char *endpoint;
    int system_errno;
    const char *says;
} bad_endpoints[] = {
    {"tcp://203.0.113.7:5770", ENODEV, "this machine has no such address: tcp://203.0.113.7:5770"},
    {"tcp://127.0.0.1", EINVAL, "not an address to listen on: tcp://127.0.0.1"},
    {"5770", EINVAL, "not an address to listen on: 5770"},
    {"https://127.0.0.1:1", EPROTONOSUPPORT, "not an address to listen on: https://"},
};

START_TEST(an_endpoint_that_cannot_be_bound_is_explained)
{
    struct net_settings settings = bus_settings(&bus);
    settings.endpoint = bad_endpoints[_i].endpoint;
    struct net *second = NULL;
    struct net_problem problem = {0};
    ck_assert(!net_open(&settings, &second, &problem));
    ck_assert_ptr_null(second);
    ck_assert_msg(strncmp(problem.detail, bad_endpoints[_i].says, strlen(bad_endpoints[_i].says)) ==
                      0,
                  "%s", problem.detail);
}
END_TEST

START_TEST(keys_that_are_not_a_pair_are_refused_at_the_start)
{
    struct net_settings settings = bus_settings(&bus);
    settings.public_key = bus.admitted[0].public_key;
    struct net *second = NULL;
    struct net_problem problem = {0};
    ck_assert(!net_open(&settings, &second, &problem));
    ck_assert_ptr_nonnull(strstr(problem.detail, "are not a pair"));
    ck_assert_ptr_null(strstr(problem.detail, bus.keys.secret_key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net admission");
    TCase *cases = tcase_create("who gets in, who speaks, how it ends");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 20);
    tcase_add_test(cases, an_unknown_key_is_refused_and_never_heard);
    tcase_add_test(cases, a_known_key_is_heard_with_its_key_and_frames);
    tcase_add_test(cases, two_clients_have_numbers_of_their_own);
    tcase_add_test(cases, a_buffer_outlives_its_event);
    tcase_add_loop_test(cases, a_routing_id_that_is_not_16_random_bytes_is_cut, 0,
                        (int)(sizeof bad_ids / sizeof bad_ids[0]));
    tcase_add_test(cases, a_routing_id_that_begins_with_zero_is_cut);
    tcase_add_test(cases, squatting_a_routing_id_gets_nothing);
    tcase_add_test(cases, a_key_holds_no_more_connections_than_its_share);
    tcase_add_test(cases, a_client_that_vanishes_is_reported_once);
    tcase_add_test(cases, what_a_client_said_before_it_left_is_heard_before_its_end);
    tcase_add_test(cases, a_port_in_use_is_said_with_the_way_out);
    tcase_add_loop_test(cases, an_endpoint_that_cannot_be_bound_is_explained, 0,
                        (int)(sizeof bad_endpoints / sizeof bad_endpoints[0]));
    tcase_add_test(cases, keys_that_are_not_a_pair_are_refused_at_the_start);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
