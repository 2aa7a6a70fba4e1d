/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the clients that are killed begin and end with: SIGTERM asks them to end, their history is
 * open, and they have a connection. One thread.
 */
#ifndef RELAIS_TESTS_CHAOS_KILLS_DRIVER_H
#define RELAIS_TESTS_CHAOS_KILLS_DRIVER_H

#include <relais/relais.h>
#include <signal.h>

/* SIGTERM has come. */
extern volatile sig_atomic_t driver_is_ending;

/* Hears SIGTERM, which who started us may have blocked until now, opens the history and connects.
 * NULL: why has been told. */
relais_client *driver_begin(const char *profile, const char *history);

/* Tells what is wrong; always 1. */
int driver_fail(const char *what, const relais_error *error);

#endif
