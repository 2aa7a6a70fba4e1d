/* SPDX-License-Identifier: EUPL-1.2
 *
 * What an engine is behind store.h: one table of functions, each the engine's side of the function
 * of the same name there. An engine's own struct begins with a struct store.
 */
#ifndef RELAIS_STORE_ENGINE_H
#define RELAIS_STORE_ENGINE_H

#include "store/store.h"

struct store_engine {
    void (*close)(struct store *store);
    const struct stored_mailbox *(*mailboxes)(const struct store *store, size_t *out_count);
    const struct store_compaction *(*compaction)(const struct store *store);
    int64_t (*last_time)(const struct store *store);
    void (*submit)(struct store *store, struct store_op *ops, size_t count);
    int (*event_fd)(const struct store *store);
    size_t (*collect)(struct store *store, struct store_result *out_results, size_t max);
    bool (*failed)(const struct store *store, struct store_problem *out_problem);
    void (*size)(const struct store *store, uint64_t *out_used, uint64_t *out_limit);
    void (*pulse)(const struct store *store, int64_t *out_last_ms, bool *out_busy);
};

struct store {
    const struct store_engine *engine;
};

#endif
