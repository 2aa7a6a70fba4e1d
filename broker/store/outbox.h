/* SPDX-License-Identifier: EUPL-1.2
 *
 * What leaves an engine: results in order, or the one failure after which nothing leaves.
 *
 * Invariants: 1. the event descriptor is readable while a result or the failure waits;
 * 2. after outbox_fail() no result is given, not even one that waited.
 * Threads: the engine's thread puts, the caller's thread collects.
 */
#ifndef RELAIS_STORE_OUTBOX_H
#define RELAIS_STORE_OUTBOX_H

#include "store/store.h"

#include <pthread.h>

struct outbox {
    pthread_mutex_t mutex;
    struct store_result *items;
    size_t first; /* next to be collected */
    size_t count; /* behind `first` */
    size_t capacity;
    int event_fd;
    bool failed;
    struct store_problem problem;
};

bool outbox_init(struct outbox *outbox);
void outbox_fini(struct outbox *outbox);

/* Takes over the results. Fails the outbox when there is no memory for them. */
void outbox_put(struct outbox *outbox, struct store_result *results, size_t count);

/* The first failure stays. */
void outbox_fail(struct outbox *outbox, const struct store_problem *problem);

size_t outbox_collect(struct outbox *outbox, struct store_result *out_results, size_t max);
bool outbox_failed(struct outbox *outbox, struct store_problem *out_problem);

#endif
