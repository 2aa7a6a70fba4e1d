/* SPDX-License-Identifier: EUPL-1.2
 *
 * A running adapter: its parts, opened together and closed together.
 *
 *   opened --running_loop()--> stopped (TERM, INT), to be opened anew (HUP with a configuration
 *   that is right), or failed
 *
 *   1. A turn: the adapter's poll, deliveries, answers, outbox, then the wait. What was handed over
 *      in a turn is on disk at its end.
 *   2. The order of closing: the adapter's answers, the mailboxes, the connection, the state.
 *
 * Thread: the adapter's; the connection's transport has its own.
 */
#ifndef RELAIS_ADAPTER_RUNNING_H
#define RELAIS_ADAPTER_RUNNING_H

#include "adapter/config.h"
#include "adapter/handover.h"
#include "adapter/receiving.h"
#include "adapter/sending.h"
#include "adapter/watches.h"

struct relais_adapter {
    const relais_adapter_kind *kind;
    struct config *config;
    relais_client *client;
    struct state *state; /* NULL: the kind keeps nothing */
    struct outbox outbox;
    struct handover handover;
    struct sending sending;
    struct receiving receiving;
    struct metrics metrics;
    struct watches watches;
    int signals;
    void *context; /* the adapter's own */
    bool started;
    bool connected; /* as it was said last */
    relais_status trouble;
    int64_t publish_ms; /* when the numbers are written next */
    int64_t flush_ms;   /* the disk is full: not before */
    bool unpublished;   /* has been said */
};

enum running_end { RUNNING_STOP, RUNNING_RELOAD, RUNNING_FAILED };

/* Takes `config` on success. `signals` is read by running_loop(). */
relais_status running_open(const relais_adapter_kind *kind, struct config *config, int signals,
                           const struct metrics *metrics, relais_adapter **out_adapter,
                           relais_error *error);
void running_close(relais_adapter *adapter);

/* Until a signal to stop, or to reload with *out_config, or a failure. */
enum running_end running_loop(relais_adapter *adapter, struct config **out_config,
                              relais_error *error);

#endif
