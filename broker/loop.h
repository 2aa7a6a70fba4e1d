/* SPDX-License-Identifier: EUPL-1.2
 *
 * The turn of the broker: what happened goes to the core, what it wants is carried out. The only
 * place where net, core and store meet. Main thread.
 */
#ifndef RELAIS_BROKER_LOOP_H
#define RELAIS_BROKER_LOOP_H

#include "broker/clock.h"
#include "broker/config.h"
#include "core/core.h"
#include "net/net.h"
#include "store/store.h"

/* Borrowed, all of it. */
struct loop_settings {
    const struct config *config;
    struct net *net;
    struct core *core;
    struct store *store;
    struct clock *clock;
    int signal_fd;
};

/* Turns until the broker is asked to end or must; returns an enum exit_code. What it was told to
 * store is stored on EXIT_DONE. */
int loop_run(const struct loop_settings *settings);

#endif
