/* SPDX-License-Identifier: EUPL-1.2
 *
 * The numbers of a running adapter: counters in memory, and two files that others read, the
 * metrics (Prometheus text format 0.0.4) and the status (JSON), each replaced whole.
 *
 *   1. Names of mailboxes, ids and texts of messages never get into either.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_METRICS_H
#define RELAIS_ADAPTER_METRICS_H

#include <relais/adapter.h>
#include <stdbool.h>
#include <stdint.h>

enum metric {
    METRIC_HANDED_OVER,
    METRIC_ACCEPTED,
    METRIC_SET_ASIDE,
    METRIC_DELIVERED,
    METRIC_KNOWN,
    METRIC_DONE,
    METRIC_LATER,
    METRIC_REFUSED,
    METRIC_UNAVAILABLE,
    METRICS,
};

struct metrics {
    uint64_t totals[METRICS];
    uint64_t own[RELAIS_ADAPTER_COUNTERS];
};

/* What is so at the moment. */
struct metrics_state {
    bool connected;
    relais_status trouble; /* of the connection */
    uint64_t reconnects;
    uint64_t outbox_messages;
    uint64_t outbox_bytes;
    int64_t outbox_oldest_ms; /* age of the first one; 0: none */
    uint64_t aside;
    uint64_t in_progress;
    bool paused;
    int64_t now_ms; /* Unix */
};

/* Freed with free(); NULL without memory. */
char *metrics_text(const relais_adapter_kind *kind, const struct metrics *metrics,
                   const struct metrics_state *state);
char *metrics_status(const relais_adapter_kind *kind, const struct metrics_state *state);

/* Replaces a file, unsynced: what is old after a power cut is written again at once. 0 or an
 * errno. */
int metrics_publish(const char *path, const char *text);

/* What a status file says to a person and to a check: RELAIS_OK; RELAIS_NOT_FOUND: there is none;
 * RELAIS_TIMED_OUT: nobody has written it for a while; or why it is not connected. */
relais_status metrics_health(const char *path, int64_t now_ms, relais_error *error);

#endif
