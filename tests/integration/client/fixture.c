/* SPDX-License-Identifier: EUPL-1.2
 *
 * Shared by the tests of this folder.
 */
#include "tests/integration/client/fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t fixture_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

relais_client *fixture_open_window(const struct fake_broker *broker, size_t window_messages)
{
    relais_key key;
    relais_client *client = NULL;
    relais_error error;
    ck_assert_int_eq(relais_key_new(&key, &error), RELAIS_OK);
    relais_client_options options = {.endpoint = fake_endpoint(broker),
                                     .broker_key = fake_key(broker),
                                     .key = &key,
                                     .software = "test/1",
                                     .window_messages = window_messages};
    ck_assert_int_eq(relais_client_open(&options, &client, &error), RELAIS_OK);
    return client;
}

relais_client *fixture_open(const struct fake_broker *broker)
{
    return fixture_open_window(broker, 0);
}

relais_message fixture_message(const char *id, const char *payload)
{
    static const char *const to[] = {"commune-76540/etat-civil"};
    return (relais_message){.id = id,
                            .type = "fr.relais.note",
                            .to = to,
                            .to_count = 1,
                            .flow = "ETATCIVIL",
                            .payload = {payload, strlen(payload)}};
}

void fixture_wait_answered(relais_client *client)
{
    int64_t end = fixture_now_ms() + FIXTURE_PATIENCE_MS;
    while (relais_unanswered(client) > 0) {
        ck_assert_int_lt(fixture_now_ms(), end);
        (void)relais_wait(client, 1000, NULL, 0);
    }
}

int fixture_run(const char *name, void (*add)(void *tcase))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 30);
    add(tcase);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
