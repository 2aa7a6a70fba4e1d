/* SPDX-License-Identifier: EUPL-1.2
 *
 * The port itself: hands each call to the engine behind it, and holds the defaults that every
 * engine shares.
 */
#include "store/engine.h"

#include <string.h>

static const uint64_t DEFAULT_MAP_BYTES = UINT64_C(64) << 30;    /* sparse: costs address space */
static const uint64_t DEFAULT_RESERVE_BYTES = UINT64_C(1) << 28; /* acks need room on a full disk */
static const int64_t DEFAULT_DUPLICATE_WINDOW_MS = INT64_C(24) * 3600 * 1000;
static const int64_t DEFAULT_UPLOAD_KEEP_MS = INT64_C(7) * 24 * 3600 * 1000; /* a long weekend */
static const int64_t DEFAULT_TRACK_MS = INT64_C(30) * 24 * 3600 * 1000;
static const uint64_t DEFAULT_REDO_BYTES = UINT64_C(64) << 20; /* a start reads it in a moment */
static const uint64_t DEFAULT_DUPLICATE_MAX = 10000000;        /* some 2 GiB of records */

void store_settings_init(struct store_settings *settings)
{
    memset(settings, 0, sizeof *settings);
    settings->map_bytes = DEFAULT_MAP_BYTES;
    settings->reserve_bytes = DEFAULT_RESERVE_BYTES;
    settings->duplicate_window_ms = DEFAULT_DUPLICATE_WINDOW_MS;
    settings->upload_keep_ms = DEFAULT_UPLOAD_KEEP_MS;
    settings->track_ms = DEFAULT_TRACK_MS;
    settings->redo_bytes = DEFAULT_REDO_BYTES;
    settings->duplicate_max = DEFAULT_DUPLICATE_MAX;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        store->engine->close(store);
    }
}

const struct stored_mailbox *store_mailboxes(const struct store *store, size_t *out_count)
{
    return store->engine->mailboxes(store, out_count);
}

const struct store_compaction *store_compaction(const struct store *store)
{
    return store->engine->compaction(store);
}

int64_t store_last_time(const struct store *store)
{
    return store->engine->last_time(store);
}

void store_submit(struct store *store, struct store_op *ops, size_t count)
{
    store->engine->submit(store, ops, count);
}

int store_event_fd(const struct store *store)
{
    return store->engine->event_fd(store);
}

size_t store_collect(struct store *store, struct store_result *out_results, size_t max)
{
    return store->engine->collect(store, out_results, max);
}

bool store_failed(const struct store *store, struct store_problem *out_problem)
{
    return store->engine->failed(store, out_problem);
}

void store_size(const struct store *store, uint64_t *out_used, uint64_t *out_limit)
{
    store->engine->size(store, out_used, out_limit);
}

void store_pulse(const struct store *store, int64_t *out_last_ms, bool *out_busy)
{
    store->engine->pulse(store, out_last_ms, out_busy);
}
