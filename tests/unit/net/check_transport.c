/* SPDX-License-Identifier: EUPL-1.2
 *
 * Bytes in both directions, packed or as they lie; cuts; peers that do not read. Promise 4 of
 * net.h.
 */
#include "bus.h"

#include "net/outgoing.h"
#include "wire/body.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { MESSAGES_MAX = OUTGOING_MESSAGES_MAX, FRAMES_MAX = NET_FRAMES_MAX };

static const size_t MEBIBYTE = 1024UL * 1024;
static const size_t TRIES_MAX = 10000000;

static struct bus bus;
static void *client;
static uint64_t number;

static void set_up(void)
{
    bus_open(&bus, 2);
    client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    number = event.connection;
}

static void tear_down(void)
{
    client_close(client);
    bus_close(&bus);
}

static struct buffer *random_buffer(size_t size)
{
    uint8_t *data = NULL;
    struct buffer *buffer = buffer_new(size, &data);
    ck_assert_ptr_nonnull(buffer);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)dice(256);
    }
    return buffer;
}

static struct held_message message_of(size_t envelope, size_t payload)
{
    struct held_message message = {
        .envelope_buffer = random_buffer(envelope),
        .payload_buffer = random_buffer(payload),
    };
    message.envelope = message.envelope_buffer->bytes;
    message.payload = message.payload_buffer->bytes;
    return message;
}

static size_t random_size(void)
{
    switch (dice(5)) {
    case 0:
        return 0;
    case 1:
        return dice(200);
    case 2:
        return OUTGOING_OWN_FRAME_BYTES - 2 + dice(4);
    case 3:
        return dice(300ULL * 1024);
    default:
        return dice(5000);
    }
}

/* The body frames of one message to the client. */
struct received {
    zmq_msg_t parts[FRAMES_MAX];
    struct bytes frames[FRAMES_MAX];
    size_t count;
};

static void receive_all(struct received *received)
{
    received->count = 0;
    bool more = true;
    while (more) {
        ck_assert_uint_lt(received->count, FRAMES_MAX);
        zmq_msg_t *part = &received->parts[received->count];
        zmq_msg_init(part);
        ck_assert(client_receive(&bus, client, part, BUS_PATIENCE_MS));
        received->frames[received->count] = (struct bytes){zmq_msg_data(part), zmq_msg_size(part)};
        received->count++;
        more = zmq_msg_more(part) != 0;
    }
}

static void release_all(struct received *received)
{
    for (size_t i = 0; i < received->count; i++) {
        zmq_msg_close(&received->parts[i]);
    }
}

static void piece_check(struct body_reader *reader, struct bytes expected)
{
    struct bytes piece;
    size_t frame = 0;
    ck_assert(body_reader_next(reader, expected.size, &piece, &frame));
    if (expected.size > 0) {
        ck_assert_mem_eq(piece.data, expected.data, expected.size);
    }
}

static void body_check(const struct received *received, const struct held_message *messages,
                       size_t count)
{
    ck_assert_uint_eq(received->frames[0].size, strlen("deliver"));
    struct body_reader reader;
    body_reader_init(&reader, received->frames + 1, received->count - 1);
    for (size_t i = 0; i < count; i++) {
        piece_check(&reader, messages[i].envelope);
        piece_check(&reader, messages[i].payload);
    }
    ck_assert(body_reader_done(&reader));
}

static struct received received;

START_TEST(bodies_to_a_client_arrive_as_they_were)
{
    static struct held_message messages[MESSAGES_MAX];
    for (int round = 0; round < 40; round++) {
        const size_t count = dice(20);
        for (size_t i = 0; i < count; i++) {
            messages[i] = message_of(1 + random_size(), random_size());
        }
        ck_assert(net_send(bus.net, number, text("deliver"), messages, count));
        receive_all(&received);
        body_check(&received, messages, count);
        release_all(&received);
        for (size_t i = 0; i < count; i++) {
            held_message_drop(&messages[i]);
        }
    }
}
END_TEST

START_TEST(a_thousand_small_messages_travel_in_one_frame)
{
    static struct held_message messages[MESSAGES_MAX];
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        messages[i] = message_of(300, 500);
    }
    ck_assert(net_send(bus.net, number, text("deliver"), messages, MESSAGES_MAX));
    receive_all(&received);
    ck_assert_uint_eq(received.count, 2);
    body_check(&received, messages, MESSAGES_MAX);
    release_all(&received);
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        held_message_drop(&messages[i]);
    }
}
END_TEST

START_TEST(a_packed_frame_is_at_most_1_mib)
{
    static struct held_message messages[400];
    for (size_t i = 0; i < 400; i++) {
        messages[i] = message_of(0, 10UL * 1024);
    }
    ck_assert(net_send(bus.net, number, text("deliver"), messages, 400));
    receive_all(&received);
    ck_assert_uint_eq(received.count, 1 + 4);
    for (size_t i = 1; i < received.count; i++) {
        ck_assert_uint_le(received.frames[i].size, OUTGOING_PACKED_BYTES_MAX);
    }
    body_check(&received, messages, 400);
    release_all(&received);
    for (size_t i = 0; i < 400; i++) {
        held_message_drop(&messages[i]);
    }
}
END_TEST

START_TEST(a_large_piece_is_not_copied_and_its_reference_comes_back)
{
    struct held_message message = message_of(100, MEBIBYTE);
    ck_assert(net_send(bus.net, number, text("deliver"), &message, 1));
    receive_all(&received);
    body_check(&received, &message, 1);
    release_all(&received);
    /* Our own reference is the last one as soon as libzmq has sent it. */
    for (int i = 0; i < 100 && atomic_load(&message.payload_buffer->references) != 1; i++) {
        usleep(10000);
    }
    ck_assert_uint_eq(atomic_load(&message.payload_buffer->references), 1);
    held_message_drop(&message);
}
END_TEST

START_TEST(frames_from_a_client_arrive_as_they_were)
{
    static uint8_t bytes[40][70000];
    for (int round = 0; round < 30; round++) {
        const size_t count = 1 + dice(40);
        size_t sizes[40];
        for (size_t i = 0; i < count; i++) {
            sizes[i] = dice(3) == 0 ? dice(sizeof bytes[0]) : dice(64);
            ck_assert_int_ge(getrandom(bytes[i], sizes[i] < 256 ? sizes[i] : 256, 0), 0);
            zmq_send(client, bytes[i], sizes[i], i + 1 < count ? ZMQ_SNDMORE : 0);
        }
        struct net_event event;
        bus_expect(&bus, NET_FRAMES, &event);
        ck_assert_uint_eq(event.frame_count, count);
        for (size_t i = 0; i < count; i++) {
            ck_assert_uint_eq(event.frames[i].size, sizes[i]);
            ck_assert(sizes[i] == 0 || memcmp(event.frames[i].data, bytes[i], sizes[i]) == 0);
            ck_assert_ptr_eq(event.buffers[i]->bytes.data, event.frames[i].data);
        }
    }
}
END_TEST

START_TEST(too_many_frames_are_cut)
{
    for (size_t i = 0; i < NET_FRAMES_MAX; i++) {
        zmq_send(client, "x", 1, ZMQ_SNDMORE);
    }
    zmq_send(client, "x", 1, 0);
    struct net_event event;
    bus_next(&bus, &event, BUS_PATIENCE_MS);
    ck_assert_int_eq(event.kind, NET_REFUSED);
    ck_assert_str_eq(event.reason, "too many frames in a message");
    ck_assert_uint_eq(event.connection, number);
    ck_assert_str_eq(event.key, bus.admitted[0].public_key);
    bus_next(&bus, &event, BUS_PATIENCE_MS);
    ck_assert_int_eq(event.kind, NET_CLOSED);
    ck_assert_uint_eq(event.connection, number);
}
END_TEST

START_TEST(too_many_bytes_in_a_message_are_cut)
{
    static uint8_t megabyte[1024 * 1024];
    for (size_t i = 0; i < 7; i++) { /* each within the frame limit of 3 MiB, together beyond 6 */
        zmq_send(client, megabyte, sizeof megabyte, i + 1 < 7 ? ZMQ_SNDMORE : 0);
    }
    struct net_event event;
    bus_expect(&bus, NET_REFUSED, &event);
    ck_assert_str_eq(event.reason, "too many bytes in a message");
    bus_expect(&bus, NET_CLOSED, &event);
    client_settle(&bus);
}
END_TEST

START_TEST(a_frame_beyond_the_limit_ends_the_connection)
{
    const size_t size = 4 * MEBIBYTE;
    void *huge = calloc(1, size);
    zmq_send(client, huge, size, 0);
    free(huge);
    struct net_event event;
    bus_next(&bus, &event, BUS_PATIENCE_MS);
    ck_assert_int_eq(event.kind, NET_CLOSED);
    ck_assert_uint_eq(event.connection, number);
    client_settle(&bus);
    void *other = client_new(&bus, &bus.admitted[1]);
    client_say(other, "still there?");
    bus_expect(&bus, NET_FRAMES, &event);
    client_close(other);
}
END_TEST

/* Whether the peer has hung up on us, seen from the client. */
static bool hung_up(void *monitor)
{
    uint8_t head[6];
    struct net_event event;
    for (int i = 0; i < 100; i++) {
        if (zmq_recv(monitor, head, sizeof head, ZMQ_DONTWAIT) == (int)sizeof head) {
            return true;
        }
        bus_next(&bus, &event, 20);
        ck_assert_int_ne(event.kind, NET_FRAMES);
    }
    return false;
}

START_TEST(a_cut_delivers_what_was_sent_then_closes)
{
    zmq_socket_monitor(client, "inproc://seen", ZMQ_EVENT_DISCONNECTED);
    void *monitor = zmq_socket(bus.clients, ZMQ_PAIR);
    ck_assert_int_eq(zmq_connect(monitor, "inproc://seen"), 0);
    struct held_message message = message_of(100, 2 * MEBIBYTE);
    ck_assert(net_send(bus.net, number, text("deliver"), &message, 1));
    ck_assert(net_send(bus.net, number, text("goodbye"), NULL, 0));
    net_cut(bus.net, number);
    net_cut(bus.net, number);
    ck_assert(!net_send(bus.net, number, text("after"), NULL, 0));
    client_say(client, "is anybody there");
    struct net_event event;
    bus_next(&bus, &event, 100);
    ck_assert_int_eq(event.kind, NET_CLOSED);
    ck_assert_uint_eq(event.connection, number);
    ck_assert(hung_up(monitor));
    receive_all(&received);
    body_check(&received, &message, 1);
    release_all(&received);
    held_message_drop(&message);
    client_expect(&bus, client, "goodbye");
    ck_assert_uint_eq(bus_count(&bus, NET_CLOSED, 300), 0);
    zmq_socket_monitor(client, NULL, 0);
    zmq_close(monitor);
    /* The same key may come back. */
    void *again = client_new(&bus, &bus.admitted[0]);
    client_say(again, "hello again");
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert_uint_ne(event.connection, number);
    client_close(again);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_cut_not_waited_for)
{
    struct held_message message = message_of(100, MEBIBYTE);
    size_t taken = 0;
    const int64_t before = clock_ms();
    while (taken < 200 && net_send(bus.net, number, text("deliver"), &message, 1)) {
        taken++;
    }
    ck_assert_uint_lt(taken, 200);
    ck_assert_uint_ge(taken, OUTGOING_UNSENT_BYTES_MAX / MEBIBYTE);
    ck_assert_int_lt(clock_ms() - before, 5000);
    struct net_event event;
    bus_next(&bus, &event, BUS_PATIENCE_MS);
    ck_assert_int_eq(event.kind, NET_CLOSED);
    ck_assert_uint_eq(bus_count(&bus, NET_CLOSED, 300), 0);
    for (int i = 0; i < 300 && atomic_load(&message.payload_buffer->references) != 1; i++) {
        bus_next(&bus, &event, 10);
    }
    ck_assert_uint_eq(atomic_load(&message.payload_buffer->references), 1);
    held_message_drop(&message);
}
END_TEST

START_TEST(small_answers_to_a_client_that_does_not_read_are_bounded_too)
{
    size_t taken = 0;
    while (taken < TRIES_MAX && net_send(bus.net, number, text("answer"), NULL, 0)) {
        taken++;
        if (taken % 1000 == 0) {
            struct net_event event;
            net_next(bus.net, &event);
        }
    }
    ck_assert_uint_ge(taken, 4096);
    ck_assert_uint_lt(taken, TRIES_MAX);
    struct net_event event;
    bus_expect(&bus, NET_CLOSED, &event);
}
END_TEST

START_TEST(waiting_sees_foreign_descriptors_and_signals_time)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    bool ready[1] = {true};
    struct net_event event;
    bus_next(&bus, &event, 50);
    ck_assert(net_wait(bus.net, ends, 1, ready, 0));
    ck_assert(!ready[0]);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert(net_wait(bus.net, ends, 1, ready, 1000));
    ck_assert(ready[0]);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(closing_sends_what_is_queued)
{
    /* Once before, since a sanitizer may stop libzmq's thread at its first message for long. */
    ck_assert(net_send(bus.net, number, text("welcome"), NULL, 0));
    client_expect(&bus, client, "welcome");
    ck_assert(net_send(bus.net, number, text("goodbye"), NULL, 0));
    net_close(bus.net, 2000);
    bus.net = NULL;
    char said[16] = {0};
    const int patience = BUS_PATIENCE_MS;
    zmq_setsockopt(client, ZMQ_RCVTIMEO, &patience, sizeof patience);
    const int got = zmq_recv(client, said, sizeof said, 0);
    ck_assert_msg(got == 7, "%d: %s", got, zmq_strerror(zmq_errno()));
    ck_assert_str_eq(said, "goodbye");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net transport");
    TCase *cases = tcase_create("bytes, cuts, slow readers");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, bodies_to_a_client_arrive_as_they_were);
    tcase_add_test(cases, a_thousand_small_messages_travel_in_one_frame);
    tcase_add_test(cases, a_packed_frame_is_at_most_1_mib);
    tcase_add_test(cases, a_large_piece_is_not_copied_and_its_reference_comes_back);
    tcase_add_test(cases, frames_from_a_client_arrive_as_they_were);
    tcase_add_test(cases, too_many_frames_are_cut);
    tcase_add_test(cases, too_many_bytes_in_a_message_are_cut);
    tcase_add_test(cases, a_frame_beyond_the_limit_ends_the_connection);
    tcase_add_test(cases, a_cut_delivers_what_was_sent_then_closes);
    tcase_add_test(cases, a_client_that_does_not_read_is_cut_not_waited_for);
    tcase_add_test(cases, small_answers_to_a_client_that_does_not_read_are_bounded_too);
    tcase_add_test(cases, waiting_sees_foreign_descriptors_and_signals_time);
    tcase_add_test(cases, closing_sends_what_is_queued);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
