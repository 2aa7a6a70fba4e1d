/* SPDX-License-Identifier: EUPL-1.2
 *
 * Decides. Takes one event and the time, changes its own state, and says what is to be done. No
 * sockets, no disk, no clock, no threads, no globals: the same state and events give the same
 * effects (randomness comes from core_settings.seed).
 *
 * Promises kept here (docs/testing.md):
 *   1. Accepted leaves only when the store has said STORE_DONE for that message.
 *   2. An entry that was taken is leased, held, deferred, buried or acknowledged: never forgotten.
 *   3. Memory is bounded by limits.h whatever clients do; beyond it they are told BUSY.
 *   5. A mailbox is opened to clients of its own member alone.
 *   6. Every refusal names the field, what was wrong and what would be right.
 * One thread at a time.
 */
#ifndef RELAIS_CORE_CORE_H
#define RELAIS_CORE_CORE_H

#include "core/directory.h"
#include "core/effect.h"
#include "core/event.h"

struct core;

struct core_settings {
    uint32_t payload_bytes; /* of one message */
    uint32_t lease_ms;      /* default 120,000 */
    uint32_t attempts;      /* deliveries before an entry is dead; default 10 */
    uint32_t retry_ms;      /* first delay after a lease that ran out; doubles up to an hour */
    uint32_t connections;
    uint32_t connections_per_key;
    uint64_t storing_bytes; /* LIMIT_STORING_BYTES */
    uint64_t sending_bytes; /* on their way to clients: from half of it on, less; 0: no end */
    struct quota quota;     /* of a member that has none of its own; default: none */
    uint32_t scrub_days;    /* in which the whole store is read once; 0: never. Default 0 */
    uint64_t stored_bytes;  /* of one payload that is uploaded; default 4 GiB - 1; 0: none */
    uint64_t seed;
    bool deadlines;       /* the store may hold some from before. Default false */
    bool trace;           /* a debug note for each event in the life of each message */
    const char *software; /* for Welcome; copied */
};

/* Defaults of limits.h. */
void core_settings_init(struct core_settings *settings);

/* Takes over `directory` (sealed), even when it fails. `mailboxes` are those that the store holds.
 * NULL without memory.
 */
struct core *core_new(const struct core_settings *settings, struct directory *directory,
                      const struct stored_mailbox *mailboxes, size_t mailbox_count);
void core_free(struct core *core);

/* One step; effects are added behind those that are there. What `event` says to be taken over is
 * taken over. */
void core_step(struct core *core, struct moment now, struct event *event, struct effects *effects);

/* Ends a turn of the caller's loop: what the steps since the last flush have gathered (answers,
 * deliveries) becomes effects in batches. Called once after all events of a turn. */
void core_flush(struct core *core, struct moment now, struct effects *effects);

/* Bytes that lie in memory until clients read them. Before core_flush(). */
void core_note_unsent(struct core *core, uint64_t unsent_bytes);

/* True: that is much, and is to be told again within some milliseconds. */
bool core_is_tight(const struct core *core);

/* The store's size, for Status; told now and then by the caller. */
void core_note_store_size(struct core *core, uint64_t used_bytes, uint64_t size_bytes);

/* True while submits, answers to deliveries or questions wait for the store: a draining broker
 * waits for false.
 */
bool core_is_storing(const struct core *core);

/* The live snapshot, for whoever admits keys; valid until the next EVENT_DIRECTORY. */
const struct directory *core_directory(const struct core *core);

#endif
