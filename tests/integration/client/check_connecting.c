/* SPDX-License-Identifier: EUPL-1.2
 *
 * Hello and what may come instead of a welcome; descriptors of the caller; questions.
 */
#include "tests/integration/client/fixture.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

START_TEST(the_broker_says_who_we_are)
{
    struct fake_script script = {.payload_bytes = 4096};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_session session;
    relais_error error;
    relais_client_session(client, &session);
    ck_assert(!session.connected);
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    relais_client_session(client, &session);
    ck_assert(session.connected);
    ck_assert_str_eq(session.member, "dila");
    ck_assert_str_eq(session.client, "files");
    ck_assert_str_eq(session.software, "fake/1");
    ck_assert_uint_eq(session.payload_bytes_max, 4096);
    ck_assert_int_eq(session.trouble, RELAIS_OK);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(a_key_that_is_not_registered_is_told)
{
    struct fake_script script = {.refuse_keys = true};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_error error;
    int64_t start = fixture_now_ms();
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error),
                     RELAIS_KEY_REFUSED);
    ck_assert_int_lt(fixture_now_ms() - start, 3000);
    ck_assert_str_eq(error.field, "key");
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(a_wrong_broker_key_is_told)
{
    struct fake_script script = {.refuse_keys = false};
    struct fake_broker *broker = fake_start(&script);
    relais_key key;
    relais_key other;
    relais_client *client = NULL;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    ck_assert_int_eq(relais_key_new(&other, &error), RELAIS_OK);
    relais_client_options options = {
        .endpoint = fake_endpoint(broker), .broker_key = other.public_key, .key = &key};
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_OK);
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error),
                     RELAIS_KEY_REFUSED);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(nobody_there_is_unreachable)
{
    relais_key key;
    relais_client *client = NULL;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {
        .endpoint = "tcp://127.0.0.1:1", .broker_key = key.public_key, .key = &key};
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_OK);
    ck_assert_int_eq(relais_client_connect(client, 500, &error), RELAIS_UNREACHABLE);
    ck_assert_str_eq(error.wrong, "tcp://127.0.0.1:1");
    relais_client_close(client);
}
END_TEST

START_TEST(wrong_options_are_named)
{
    relais_key key;
    relais_client *client = NULL;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {
        .endpoint = "ipc:///tmp/x", .broker_key = key.public_key, .key = &key};
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_USAGE);
    ck_assert_str_eq(error.field, "endpoint");
    options.endpoint = "tcp://";
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_USAGE);
    ck_assert_str_eq(error.field, "endpoint");
    options.endpoint = "tcp://127.0.0.1:1";
    options.broker_key = "short";
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_USAGE);
    ck_assert_str_eq(error.field, "broker_key");
    options.broker_key = key.public_key;
    key.secret_key[0] = '\0';
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_USAGE);
    ck_assert_str_eq(error.field, "key");
    ck_assert_ptr_null(client);
}
END_TEST

static bool say_garbage(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    (void)context;
    (void)heard;
    fake_say_bytes(broker, "\xFF\xFF\xFF\xFF garbage", 12);
    return false;
}

START_TEST(garbage_is_malformed)
{
    struct fake_script script = {.answer = say_garbage};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_session session;
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_MALFORMED);
    relais_client_session(client, &session);
    ck_assert_int_eq(session.trouble, RELAIS_MALFORMED);
    ck_assert(!session.connected);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

static bool say_other_version(struct fake_broker *broker, void *context,
                              const struct fake_heard *heard)
{
    (void)context;
    (void)heard;
    fake_say_error(broker, RELAIS__V1__CODE__CODE_VERSION_UNSUPPORTED, 0);
    fake_say_goodbye(broker, RELAIS__V1__CODE__CODE_VERSION_UNSUPPORTED);
    return false;
}

START_TEST(another_major_version_is_told)
{
    struct fake_script script = {.answer = say_other_version};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_error error;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error),
                     RELAIS_VERSION_UNSUPPORTED);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

static bool revoke_later(struct fake_broker *broker, void *context, const struct fake_heard *heard)
{
    (void)context;
    if (heard->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_SUBMIT) {
        fake_say_goodbye(broker, RELAIS__V1__CODE__CODE_KEY_REVOKED);
        return false;
    }
    return true;
}

START_TEST(a_withdrawn_key_ends_a_send)
{
    struct fake_script script = {.answer = revoke_later};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_message message = fixture_message("m", "payload");
    relais_error error;
    ck_assert_int_eq(relais_send(client, &message, FIXTURE_PATIENCE_MS, &error),
                     RELAIS_KEY_REVOKED);
    ck_assert_uint_eq(relais_unanswered(client), 0);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

static bool stay_silent_once(struct fake_broker *broker, void *context,
                             const struct fake_heard *heard)
{
    (void)broker;
    (void)context;
    return heard->connection > 1;
}

START_TEST(a_hello_without_an_answer_is_said_again)
{
    struct fake_script script = {.answer = stay_silent_once};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_error error;
    relais_status status = RELAIS_OK;
    int64_t start = fixture_now_ms();
    status = relais_client_connect(client, FIXTURE_PATIENCE_MS, &error);
    ck_assert_int_eq(status, RELAIS_OK);
    ck_assert_int_ge(fixture_now_ms() - start, 4900);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(a_descriptor_of_the_caller_ends_the_wait)
{
    struct fake_script script = {.refuse_keys = false};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_error error;
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    struct pollfd fds[] = {{.fd = ends[0], .events = POLLIN}};
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    ck_assert_int_eq(relais_wait(client, 50, fds, 1), RELAIS_TIMED_OUT);
    ck_assert_int_eq(fds[0].revents, 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(relais_wait(client, FIXTURE_PATIENCE_MS, fds, 1), RELAIS_OK);
    ck_assert_int_eq(fds[0].revents, POLLIN);
    relais_client_close(client);
    fake_stop(broker);
    (void)close(ends[0]);
    (void)close(ends[1]);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

START_TEST(a_signal_ends_the_wait)
{
    struct fake_script script = {.refuse_keys = false};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_error error;
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval soon = {.it_value = {.tv_usec = 200000}};
    sigset_t alarm;
    ck_assert_int_eq(relais_client_connect(client, FIXTURE_PATIENCE_MS, &error), RELAIS_OK);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    (void)sigemptyset(&alarm);
    (void)sigaddset(&alarm, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    relais_status status = relais_wait(client, 2000, NULL, 0);
    /* the broker's thread of this test may have taken the signal instead */
    ck_assert(status == RELAIS_INTERRUPTED || status == RELAIS_TIMED_OUT);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

START_TEST(too_few_descriptors_are_told)
{
    relais_key key;
    relais_client *client = NULL;
    relais_error error;
    struct rlimit limit;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {
        .endpoint = "tcp://127.0.0.1:1", .broker_key = key.public_key, .key = &key};
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 16;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_SYSTEM);
    ck_assert_str_eq(error.field, "RLIMIT_NOFILE");
    ck_assert_ptr_null(client);
}
END_TEST

static void answer_query(struct fake_broker *broker, const Relais__V1__Query *query)
{
    Relais__V1__Status status = RELAIS__V1__STATUS__INIT;
    Relais__V1__Queue queue = RELAIS__V1__QUEUE__INIT;
    Relais__V1__Queue *list[] = {&queue};
    Relais__V1__Queues queues = RELAIS__V1__QUEUES__INIT;
    Relais__V1__Error error = RELAIS__V1__ERROR__INIT;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    answer.number = query->number;
    if (query->what_case == RELAIS__V1__QUERY__WHAT_STATUS && query->number == 1) {
        status.software = (char *)"fake/1";
        status.waiting = 12;
        answer.what_case = RELAIS__V1__ANSWER__WHAT_STATUS;
        answer.status = &status;
    } else if (query->what_case == RELAIS__V1__QUERY__WHAT_QUEUES) {
        queue.address = (char *)"dila/comedec";
        queue.dead = 3;
        queues.n_queues = 1;
        queues.queues = list;
        queues.more = true;
        answer.what_case = RELAIS__V1__ANSWER__WHAT_QUEUES;
        answer.queues = &queues;
    } else {
        error.code = RELAIS__V1__CODE__CODE_ROLE_MISSING;
        answer.what_case = RELAIS__V1__ANSWER__WHAT_ERROR;
        answer.error = &error;
    }
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ANSWER;
    command.answer = &answer;
    fake_say(broker, &command, NULL, 0);
}

static bool answer_queries(struct fake_broker *broker, void *context,
                           const struct fake_heard *heard)
{
    (void)context;
    if (heard->command->command_case != RELAIS__V1__TO_BROKER__COMMAND_QUERY) {
        return true;
    }
    if (heard->connection == 1) {
        fake_drop(broker); /* a question that the broker's restart swallowed is asked again */
    } else {
        answer_query(broker, heard->command->query);
    }
    return false;
}

START_TEST(questions_are_answered)
{
    struct fake_script script = {.answer = answer_queries};
    struct fake_broker *broker = fake_start(&script);
    relais_client *client = fixture_open(broker);
    relais_broker_status status;
    relais_queue queues[4];
    size_t count = 0;
    bool more = false;
    relais_error error;
    ck_assert_int_eq(relais_query_status(client, FIXTURE_PATIENCE_MS, &status, &error), RELAIS_OK);
    ck_assert_uint_eq(status.waiting, 12);
    ck_assert_str_eq(status.software, "fake/1");
    ck_assert_int_eq(relais_query_status(client, FIXTURE_PATIENCE_MS, &status, &error),
                     RELAIS_ROLE_MISSING);
    ck_assert_int_eq(relais_query_queues(client, NULL, queues, 4, &count, &more, &error),
                     RELAIS_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(more);
    ck_assert_str_eq(queues[0].address, "dila/comedec");
    ck_assert_uint_eq(queues[0].dead, 3);
    ck_assert_int_eq(relais_query_queues(client, NULL, queues, 501, &count, &more, &error),
                     RELAIS_USAGE);
    relais_client_close(client);
    fake_stop(broker);
}
END_TEST

static void add(void *tcase)
{
    tcase_add_test(tcase, the_broker_says_who_we_are);
    tcase_add_test(tcase, a_key_that_is_not_registered_is_told);
    tcase_add_test(tcase, a_wrong_broker_key_is_told);
    tcase_add_test(tcase, nobody_there_is_unreachable);
    tcase_add_test(tcase, wrong_options_are_named);
    tcase_add_test(tcase, garbage_is_malformed);
    tcase_add_test(tcase, another_major_version_is_told);
    tcase_add_test(tcase, a_withdrawn_key_ends_a_send);
    tcase_add_test(tcase, a_hello_without_an_answer_is_said_again);
    tcase_add_test(tcase, a_descriptor_of_the_caller_ends_the_wait);
    tcase_add_test(tcase, a_signal_ends_the_wait);
    tcase_add_test(tcase, too_few_descriptors_are_told);
    tcase_add_test(tcase, questions_are_answered);
}

int main(void)
{
    return fixture_run("integration.client.connecting", add);
}
