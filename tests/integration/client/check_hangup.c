/* SPDX-License-Identifier: EUPL-1.2
 *
 * Lines that are given up while half a message is on its way and the connection breaks at the same
 * moment: the process of whoever uses the library must live on. The pause before the cut sweeps
 * over the moments around the close.
 */
#include "tests/integration/client/cutter.h"
#include "tests/integration/client/fixture.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD_BYTES = 100 * 1024, /* ten to a batch, each in its own frame */
    MESSAGES = 80,              /* 8 MiB: more than the loopback takes */
    ROUNDS_USUAL = 60,
    SWEEP_STEPS = 60,
    FILL_MS = 15,
    CLOSE_LONGEST_MS = 3000,
    CLOSE_USUAL_MS = 30, /* on average, under a sanitizer and beside other tests */
};

struct line {
    struct fake_broker *broker;
    struct cutter *cutter;
    relais_client *client;
    char *payload;
};

/* More rounds: RELAIS_TEST_ROUNDS. */
static unsigned rounds(void)
{
    const char *said = getenv("RELAIS_TEST_ROUNDS");
    unsigned long wanted = said != NULL ? strtoul(said, NULL, 10) : 0;
    return wanted > 0 ? (unsigned)wanted : ROUNDS_USUAL;
}

struct goodbye {
    atomic_bool asked;
    atomic_bool held;
    atomic_bool said;
};

/* Answers Goodbye once the relay holds it back. */
static bool say_goodbye(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    struct goodbye *goodbye = context;
    if (heard->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_SUBMIT) {
        atomic_store(&goodbye->asked, true);
        while (!atomic_load(&goodbye->held)) {
            (void)poll(NULL, 0, 1);
        }
        fake_say_goodbye(broker, RELAIS__V1__CODE__CODE_DRAINING);
        atomic_store(&goodbye->said, true);
        return false;
    }
    return true;
}

static void submit(struct line *line, const char *id, size_t size)
{
    relais_error error;
    relais_message message = fixture_message(id, "");
    message.payload = (relais_bytes){line->payload, size};
    ck_assert_int_eq(relais_submit(line->client, &message, NULL, NULL, &error), RELAIS_OK);
}

static void work_for(relais_client *client, int64_t ms)
{
    int64_t end_ms = fixture_now_ms() + ms;
    int64_t left_ms = ms;
    while (left_ms > 0) {
        (void)relais_wait(client, (int)left_ms, NULL, 0);
        left_ms = end_ms - fixture_now_ms();
    }
}

static void open_line(struct line *line)
{
    relais_key key;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {.endpoint = cutter_endpoint(line->cutter),
                                     .broker_key = fake_key(line->broker),
                                     .key = &key};
    ck_assert_int_eq(relais_client_open(&options, &line->client, &error), RELAIS_OK);
    ck_assert_int_eq(relais_client_connect(line->client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
}

/* Leaves the line with a broken-off message: the queues between client and relay are full. */
static void fill(struct line *line)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "m-%u", i);
        submit(line, id, PAYLOAD_BYTES);
    }
    work_for(line->client, FILL_MS);
}

static void start(struct line *line, const struct fake_script *script)
{
    line->broker = fake_start(script);
    line->cutter = cutter_start(fake_endpoint(line->broker));
    line->payload = calloc(1, PAYLOAD_BYTES);
    ck_assert_ptr_nonnull(line->payload);
}

static void stop(struct line *line)
{
    cutter_stop(line->cutter);
    fake_stop(line->broker);
    free(line->payload);
}

START_TEST(a_goodbye_that_meets_a_cut)
{
    struct goodbye goodbye = {false, false, false};
    struct fake_script script = {.answer = say_goodbye, .context = &goodbye};
    struct line line = {0};
    start(&line, &script);
    for (unsigned i = 0; i < rounds(); i++) {
        relais_session session = {.connected = true};
        atomic_store(&goodbye.asked, false);
        atomic_store(&goodbye.held, false);
        atomic_store(&goodbye.said, false);
        open_line(&line);
        submit(&line, "bye", 1);
        while (!atomic_load(&goodbye.asked)) {
            work_for(line.client, 1);
        }
        cutter_hold(line.cutter);
        atomic_store(&goodbye.held, true);
        while (!atomic_load(&goodbye.said)) {
            work_for(line.client, 1);
        }
        fill(&line);
        relais_client_session(line.client, &session);
        ck_assert(session.connected);
        cutter_cut(line.cutter, i % SWEEP_STEPS * 10);
        while (session.connected) {
            (void)relais_wait(line.client, 1, NULL, 0);
            relais_client_session(line.client, &session);
        }
        relais_client_close(line.client);
    }
    stop(&line);
}
END_TEST

START_TEST(a_close_that_meets_a_cut)
{
    struct fake_script script = {.answer = NULL};
    struct line line = {0};
    start(&line, &script);
    for (unsigned i = 0; i < rounds(); i++) {
        open_line(&line);
        cutter_hold(line.cutter);
        fill(&line);
        int64_t begun_ms = fixture_now_ms();
        cutter_cut(line.cutter, 99000 + i % SWEEP_STEPS * 50);
        relais_client_close(line.client);
        ck_assert_int_lt(fixture_now_ms() - begun_ms, CLOSE_LONGEST_MS);
    }
    stop(&line);
}
END_TEST

static bool count_goodbyes(struct fake_broker *broker, void *context,
                           const struct fake_heard *heard)
{
    atomic_uint *goodbyes = context;
    (void)broker;
    if (heard->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_GOODBYE) {
        atomic_fetch_add(goodbyes, 1);
    }
    return true;
}

START_TEST(an_ordinary_close_is_fast_and_says_goodbye)
{
    atomic_uint goodbyes = 0;
    struct fake_script script = {.answer = count_goodbyes, .context = &goodbyes};
    struct line line = {0};
    int64_t closing_ms = 0;
    start(&line, &script);
    for (unsigned i = 0; i < rounds(); i++) {
        open_line(&line);
        submit(&line, "m-1", PAYLOAD_BYTES);
        submit(&line, "m-2", PAYLOAD_BYTES);
        (void)relais_wait(line.client, 0, NULL, 0);
        int64_t begun_ms = fixture_now_ms();
        relais_client_close(line.client);
        closing_ms += fixture_now_ms() - begun_ms;
    }
    for (int i = 0; i < 1000 && atomic_load(&goodbyes) < rounds(); i++) {
        (void)poll(NULL, 0, 5);
    }
    stop(&line);
    ck_assert_uint_eq(atomic_load(&goodbyes), rounds());
    ck_assert_int_lt(closing_ms, (int64_t)rounds() * CLOSE_USUAL_MS);
}
END_TEST

static void add(void *tcase)
{
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, a_goodbye_that_meets_a_cut);
    tcase_add_test(tcase, a_close_that_meets_a_cut);
    tcase_add_test(tcase, an_ordinary_close_is_fast_and_says_goodbye);
}

int main(void)
{
    return fixture_run("client hangup", add);
}
