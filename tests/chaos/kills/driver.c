/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/kills/driver.h"

#include "tests/chaos/kills/history.h"

#include <stdio.h>

enum { LINE_BYTES = 600 };

volatile sig_atomic_t driver_is_ending;

static void on_end(int number)
{
    (void)number;
    driver_is_ending = 1;
}

int driver_fail(const char *what, const relais_error *error)
{
    char line[LINE_BYTES];
    (void)fprintf(stderr, "%s: %s\n", what, relais_error_text(error, line, sizeof line));
    return 1;
}

relais_client *driver_begin(const char *profile, const char *history)
{
    relais_client *client = NULL;
    relais_error error;
    sigset_t wanted;
    const struct sigaction end = {.sa_handler = on_end};
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigprocmask(SIG_UNBLOCK, &wanted, NULL);
    history_open(history);
    if (relais_client_open_profile(profile, &client, &error) != RELAIS_OK) {
        (void)driver_fail(profile, &error);
        return NULL;
    }
    return client;
}
