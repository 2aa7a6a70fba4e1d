/* SPDX-License-Identifier: EUPL-1.2
 *
 * Memory runs out at every single allocation of a client's life: it says RELAIS_NO_MEMORY or does
 * it again later; it never crashes, never leaks (the sanitizer looks), never blames the broker, and
 * never refuses a message for it. Counted are the library's own allocations and libzmq's for
 * frames.
 */
#include "tests/integration/client/deliveries.h"
#include "tests/unit/core/allocation.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ADDRESS "dila/comedec"

enum {
    LARGE_BYTES = 64 * 1024, /* a frame of its own */
    DELIVERIES = 160,        /* one command of so many is more than the arena's first block */
    OUTAGE_MS = 30,
    MESSAGES = 3,
};

/* NOLINTBEGIN(cert-dcl51-cpp,bugprone-reserved-identifier): the linker's names for --wrap */
int __real_zmq_msg_init_size(zmq_msg_t *frame, size_t size);
int __real_zmq_msg_init_data(zmq_msg_t *frame, void *data, size_t size, zmq_free_fn *done,
                             void *hint);
int __wrap_zmq_msg_init_size(zmq_msg_t *frame, size_t size);
int __wrap_zmq_msg_init_data(zmq_msg_t *frame, void *data, size_t size, zmq_free_fn *done,
                             void *hint);

/* Whether the allocation that libzmq is about to make shall fail. */
static bool fails(void)
{
    void *volatile probe = malloc(1);
    bool failed = probe == NULL;
    free(probe);
    return failed;
}

int __wrap_zmq_msg_init_size(zmq_msg_t *frame, size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return -1;
    }
    return __real_zmq_msg_init_size(frame, size);
}

int __wrap_zmq_msg_init_data(zmq_msg_t *frame, void *data, size_t size, zmq_free_fn *done,
                             void *hint)
{
    if (fails()) {
        errno = ENOMEM;
        return -1;
    }
    return __real_zmq_msg_init_data(frame, data, size, done, hint);
}
/* NOLINTEND(cert-dcl51-cpp,bugprone-reserved-identifier) */

struct story {
    struct fake_broker *broker;
    relais_client *client;
    relais_consumer *consumer;
    unsigned submitted;
    unsigned accepted;
    unsigned left; /* without an outcome at the end */
    unsigned received;
    char *payload;
};

/* Asserts nothing itself: that takes memory. */
static void count_outcome(void *context, const relais_outcome *outcome)
{
    struct story *story = context;
    story->accepted += outcome->error.status == RELAIS_OK ? 1 : 0;
    story->left += outcome->error.status == RELAIS_CLOSED ? 1 : 0;
}

static void open_client(struct story *story)
{
    relais_key key;
    relais_error error = {.status = RELAIS_OK};
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {.endpoint = fake_endpoint(story->broker),
                                     .broker_key = fake_key(story->broker),
                                     .key = &key};
    allocation_arm(true);
    relais_status status = relais_client_open(&options, &story->client, &error);
    allocation_arm(false);
    if (status != RELAIS_OK) {
        ck_assert_ptr_null(story->client);
        ck_assert_msg(status == RELAIS_NO_MEMORY, "%s", relais_status_name(status));
        ck_assert_int_eq(error.status, status);
    }
}

static void submit(struct story *story)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        char id[32];
        relais_error error;
        (void)snprintf(id, sizeof id, "m-%u", i);
        relais_message message = fixture_message(id, id);
        if (i == 1) {
            message.payload = (relais_bytes){story->payload, LARGE_BYTES};
        }
        allocation_arm(true);
        relais_status status = relais_submit(story->client, &message, count_outcome, story, &error);
        allocation_arm(false);
        ck_assert(status == RELAIS_OK || status == RELAIS_NO_MEMORY);
        story->submitted += status == RELAIS_OK ? 1 : 0;
    }
}

static void attach(struct story *story)
{
    relais_error error;
    allocation_arm(true);
    relais_status status =
        relais_attach(story->client, ADDRESS, DELIVERIES, &story->consumer, &error);
    allocation_arm(false);
    ck_assert(status == RELAIS_OK || status == RELAIS_NO_MEMORY);
    ck_assert((status == RELAIS_OK) == (story->consumer != NULL));
}

static void receive(struct story *story, int timeout_ms)
{
    relais_delivery *delivery = NULL;
    relais_error error;
    allocation_arm(true);
    relais_status status = relais_receive(story->consumer, timeout_ms, &delivery, &error);
    if (status == RELAIS_OK) {
        (void)relais_ack(delivery);
        relais_delivery_free(delivery);
        story->received++;
    }
    allocation_arm(false);
    ck_assert_msg(status == RELAIS_OK || status == RELAIS_TIMED_OUT, "%s",
                  relais_status_name(status));
}

static void work(struct story *story, int timeout_ms)
{
    allocation_arm(true);
    relais_status status = relais_wait(story->client, timeout_ms, NULL, 0);
    allocation_arm(false);
    ck_assert_msg(status == RELAIS_OK || status == RELAIS_TIMED_OUT, "%s",
                  relais_status_name(status));
}

static bool is_done(const struct story *story)
{
    return relais_unanswered(story->client) == 0 &&
           (story->consumer == NULL || story->received >= DELIVERIES);
}

/* With `all`, what cannot be done a while after memory has run out is left. */
static void work_off(struct story *story, bool all)
{
    int64_t end_ms = fixture_now_ms() + FIXTURE_PATIENCE_MS;
    bool ending = false;
    while (!is_done(story) && fixture_now_ms() < end_ms) {
        int patience_ms = all ? OUTAGE_MS / 5 : FIXTURE_PATIENCE_MS;
        if (story->consumer != NULL && story->received < DELIVERIES) {
            receive(story, patience_ms);
        } else {
            work(story, patience_ms);
        }
        if (all && !ending && allocation_has_failed()) {
            ending = true;
            end_ms = fixture_now_ms() + OUTAGE_MS;
        }
    }
}

/* False once the story comes to its end without a failure. */
static bool fails_at(struct fake_broker *broker, char *payload, size_t n, bool all)
{
    struct story story = {.broker = broker, .payload = payload};
    allocation_fail(n, all);
    open_client(&story);
    if (story.client != NULL) {
        submit(&story);
        attach(&story);
        work_off(&story, all);
        if (!all) { /* a single failure delays, and loses nothing */
            ck_assert_uint_eq(story.accepted, story.submitted);
            ck_assert(story.consumer == NULL || story.received >= DELIVERIES);
        }
        allocation_arm(true);
        relais_client_close(story.client);
        allocation_arm(false);
        ck_assert_uint_eq(story.accepted + story.left, story.submitted);
    }
    return allocation_has_failed();
}

/* _i: 0 each allocation alone, 1 all from each on; 2, 3 the same with a command for each message.
 */
START_TEST(memory_runs_out)
{
    bool all = _i % 2 == 1;
    struct deliveries deliveries = {.count = DELIVERIES, .separate = _i >= 2};
    struct fake_script script = {.answer = deliveries_answer, .context = &deliveries};
    struct fake_broker *broker = fake_start(&script);
    char *payload = calloc(1, LARGE_BYTES);
    size_t n = 0;
    ck_assert_ptr_nonnull(payload);
    while (fails_at(broker, payload, n, all)) {
        n += n < 60 ? 1 : 17; /* then it is the same for each delivery */
    }
    ck_assert_uint_gt(n, DELIVERIES);
    fake_stop(broker);
    free(payload);
    ck_assert_uint_eq(deliveries.nacked, 0);
}
END_TEST

static void add(void *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, memory_runs_out, 0, 4);
}

int main(void)
{
    return fixture_run("client torture", add);
}
