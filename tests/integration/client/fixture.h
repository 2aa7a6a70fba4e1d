/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the tests of this folder share: a client of a scripted broker, and a message to send.
 */
#ifndef RELAIS_TESTS_CLIENT_FIXTURE_H
#define RELAIS_TESTS_CLIENT_FIXTURE_H

#include "tests/support/fake_broker.h"

#include <relais/relais.h>

enum { FIXTURE_PATIENCE_MS = 20000 };

/* Opens a client with a new key; fails the test when that does not work. */
relais_client *fixture_open(const struct fake_broker *broker);
relais_client *fixture_open_window(const struct fake_broker *broker, size_t window_messages);

/* A message that breaks no rule. */
relais_message fixture_message(const char *id, const char *payload);

/* Waits until nothing is unanswered; fails the test when that takes too long. */
void fixture_wait_answered(relais_client *client);

int64_t fixture_now_ms(void);

/* main() of a test with one case. */
int fixture_run(const char *suite, void (*add)(void *tcase));

#endif
