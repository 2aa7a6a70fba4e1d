/* SPDX-License-Identifier: EUPL-1.2
 *
 * The memory engine's inside: what its files share. One thread.
 */
#ifndef RELAIS_STORE_MEMORY_STORE_H
#define RELAIS_STORE_MEMORY_STORE_H

#include "store/engine.h"
#include "store/memory_content.h"
#include "store/memory_deadline.h"
#include "store/memory_duplicate.h"
#include "store/memory_mailbox.h"
#include "store/memory_track.h"
#include "store/outbox.h"
#include "store/sender.h"
#include "store/supersede.h"

enum { MEMORY_APPEND_PERCENT = 80 /* of map_bytes, as the LMDB engine does */ };

struct memory_store {
    struct store base;
    struct store_settings settings;
    struct memory_mailbox **mailboxes; /* sorted by id */
    size_t mailbox_count;
    size_t mailbox_capacity;
    struct memory_duplicates duplicates;
    struct memory_tracks tracks;
    struct memory_deadlines deadlines;
    struct sender_table senders;
    struct memory_contents contents;
    struct outbox outbox;
    uint64_t next_sequence;
    uint64_t used_bytes;
    int64_t last_time_ms;
};

/* NULL: no such mailbox. */
struct memory_mailbox *memory_find_mailbox(const struct memory_store *store, uint32_t id);

/* Where a mailbox of this id is, or would be. */
size_t memory_find_place(const struct memory_store *store, uint32_t id);

/* memory_known.c: what is remembered of messages. Was this one accepted within the window? */
bool memory_is_duplicate(struct memory_store *store, const char *sender, const char *id,
                         int64_t now_ms, uint64_t *out_sequence);

void memory_known(struct memory_store *store, const struct store_op *op,
                  struct store_result *result);

/* The row of an entry, with a new state; nothing when it is not remembered. */
void memory_move_track(struct memory_store *store, const struct memory_entry *entry,
                       const struct store_track_row *row);

/* Replayed, or dropped: then its attempts and its code stay. */
void memory_move_dead(struct memory_store *store, const struct store_op *op,
                      const struct memory_entry *entry);

/* memory_cancel.c. False without memory. */
bool memory_cancel(struct memory_store *store, const struct store_op *op,
                   struct store_result *result);

/* memory_expiry.c. False without memory. */
bool memory_expire(struct memory_store *store, const struct store_op *op,
                   struct store_result *result);

/* memory_append.c. False without memory. */
bool memory_append(struct memory_store *store, struct store_op *op, struct store_result *result);
/* One that is what a step of a deadline says. The same. */
bool memory_pass(struct memory_store *store, struct store_op *op, struct store_result *result);

/* Bytes that a message counts for. */
uint64_t memory_cost_of(const struct memory_message *message);

/* memory_supersede.c. The earlier message, and its recipients. */
struct memory_earlier {
    bool found;
    struct store_past *past;
    uint32_t count;
    struct store_recipient *own; /* all recipients of the later one */
};

/* As in lmdb_supersede.h; false without memory. */
bool memory_supersede_begin(const struct memory_store *store, struct store_op *op,
                            struct memory_earlier *out_earlier);
bool memory_supersede_replace(struct memory_store *store, const struct store_op *op,
                              const struct memory_earlier *earlier, struct store_result *result);
void memory_supersede_end(struct memory_earlier *earlier);

/* False without memory. */
bool memory_track(struct memory_store *store, const struct store_op *op,
                  struct store_result *result);

#endif
