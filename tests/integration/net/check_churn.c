/* SPDX-License-Identifier: EUPL-1.2
 *
 * Thousands of connections that come, speak, are cut or leave, so that descriptors are reused all
 * the time: nobody is ever taken for somebody else. And too few descriptors for those who come.
 */
#include "bus.h"
#include "wiretap.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 4, LIFE_COUNT = 2000, AT_ONCE = 8 };

static struct bus bus;

struct life {
    void *client;
    int key;
};

struct tally {
    size_t heard;
    size_t closed;
    uint64_t numbers[LIFE_COUNT];
    struct life lives[AT_ONCE];
};

static void life_begin(struct life *life)
{
    char say[32];
    life->key = (int)dice(KEYS);
    life->client = client_new(&bus, &bus.admitted[life->key]);
    snprintf(say, sizeof say, "key %d", life->key);
    client_say(life->client, say);
}

static bool seen(const struct tally *tally, uint64_t number)
{
    for (size_t i = 0; i < tally->heard; i++) {
        if (tally->numbers[i] == number) {
            return true;
        }
    }
    return false;
}

/* A first message: a number never seen, and the key that the client says it has. */
static void heard(struct tally *tally, const struct net_event *event)
{
    ck_assert(!seen(tally, event->connection));
    ck_assert_uint_lt(tally->heard, LIFE_COUNT);
    char say[32] = {0};
    ck_assert_uint_lt(event->frames[0].size, sizeof say);
    memcpy(say, event->frames[0].data, event->frames[0].size);
    const int key = (int)strtol(say + 4, NULL, 10);
    ck_assert_str_eq(event->key, bus.admitted[key].public_key);
    tally->numbers[tally->heard] = event->connection;
    tally->heard++;
    char answer[64];
    snprintf(answer, sizeof answer, "%s", say);
    ck_assert(net_send(bus.net, event->connection, text(answer), NULL, 0));
    if (dice(3) == 0) {
        net_cut(bus.net, event->connection);
    }
}

static void step(struct tally *tally)
{
    struct net_event event;
    bus_next(&bus, &event, 1);
    if (event.kind == NET_FRAMES) {
        heard(tally, &event);
    }
    tally->closed += event.kind == NET_CLOSED ? 1 : 0;
    ck_assert_int_ne(event.kind, NET_REFUSED);
}

/* Ends a life as soon as it has its answer, which must be its own. */
static bool life_over(struct life *life)
{
    char answer[32] = {0};
    char expected[32];
    if (zmq_recv(life->client, answer, sizeof answer - 1, ZMQ_DONTWAIT) < 0) {
        return false;
    }
    snprintf(expected, sizeof expected, "key %d", life->key);
    ck_assert_str_eq(answer, expected);
    client_close(life->client);
    return true;
}

/* One exchange before the rest, since a sanitizer may stop libzmq's thread at its first for long.
 */
static void warm_up(void)
{
    void *client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "hello");
    struct net_event event;
    bus_expect(&bus, NET_FRAMES, &event);
    ck_assert(net_send(bus.net, event.connection, text("welcome"), NULL, 0));
    client_expect(&bus, client, "welcome");
    client_close(client);
    bus_expect(&bus, NET_CLOSED, &event);
}

START_TEST(two_thousand_lives_are_never_mixed_up)
{
    static struct tally tally;
    bus_open(&bus, KEYS);
    warm_up();
    size_t begun = 0;
    size_t over = 0;
    for (; begun < AT_ONCE; begun++) {
        life_begin(&tally.lives[begun]);
    }
    const int64_t began = clock_ms();
    while (over < LIFE_COUNT && clock_ms() - began < 100000) {
        step(&tally);
        for (size_t i = 0; i < AT_ONCE; i++) {
            struct life *life = &tally.lives[i];
            if (life->client == NULL || !life_over(life)) {
                continue;
            }
            over++;
            life->client = NULL;
            if (begun < LIFE_COUNT) {
                life_begin(life);
                begun++;
            }
        }
    }
    ck_assert_uint_eq(over, LIFE_COUNT);
    ck_assert_uint_eq(tally.heard, LIFE_COUNT);
    for (int i = 0; i < 5000 && tally.closed < tally.heard; i++) {
        step(&tally);
    }
    tally.closed += bus_count(&bus, NET_CLOSED, 500);
    ck_assert_uint_eq(tally.closed, LIFE_COUNT);
    bus_close(&bus);
}
END_TEST

/* A process of its own, so that its descriptors are not ours: occupies the port until told to end.
 */
static pid_t flood_start(int *out_port, int *out_stop)
{
    int ports[2];
    int stop[2];
    ck_assert_int_eq(pipe(ports), 0);
    ck_assert_int_eq(pipe(stop), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int port = 0;
        char byte = 0;
        close(stop[1]);
        if (read(ports[0], &port, sizeof port) == (ssize_t)sizeof port) {
            for (int i = 0; i < 300; i++) {
                (void)raw_connect(port);
            }
        }
        _exit(read(stop[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ports[0]);
    close(stop[0]);
    *out_port = ports[1];
    *out_stop = stop[1];
    return child;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

START_TEST(too_few_descriptors_are_reported_and_do_not_burn_the_processor)
{
    int port_pipe = -1;
    int stop_pipe = -1;
    const pid_t child = flood_start(&port_pipe, &stop_pipe);
    bus_open(&bus, KEYS);
    const struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    const int port = endpoint_port(net_endpoint(bus.net));
    ck_assert_int_eq(write(port_pipe, &port, sizeof port), sizeof port);
    struct net_event event;
    do {
        bus_expect(&bus, NET_REFUSED, &event);
    } while (strcmp(event.reason, "too few file descriptors: raise LimitNOFILE") != 0);
    const double before = cpu_seconds();
    (void)bus_count(&bus, NET_REFUSED, 2000);
    ck_assert_msg(cpu_seconds() - before < 0.6, "%.2f s of 2", cpu_seconds() - before);
    /* Once the crowd has gone, all is well. */
    close(stop_pipe);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    (void)bus_count(&bus, NET_REFUSED, 500);
    void *client = client_new(&bus, &bus.admitted[0]);
    client_say(client, "hello");
    bus_expect(&bus, NET_FRAMES, &event);
    client_close(client);
    bus_close(&bus);
    close(port_pipe);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net under churn");
    TCase *cases = tcase_create("descriptors come and go");
    tcase_set_timeout(cases, 110);
    tcase_add_test(cases, two_thousand_lives_are_never_mixed_up);
    tcase_add_test(cases, too_few_descriptors_are_reported_and_do_not_burn_the_processor);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
