/* SPDX-License-Identifier: EUPL-1.2
 *
 * What enters the LMDB engine: ops handed from the caller's thread to the writer's, in order.
 *
 * Invariants: 1. an op in the inbox owns its strings, recipients and message references;
 * 2. the caller never waits for the disk, only for the swap of two lists.
 * Its size is bounded by the caller: the core lets at most LIMIT_STORING_BYTES be on their way.
 */
#ifndef RELAIS_STORE_INBOX_H
#define RELAIS_STORE_INBOX_H

#include "store/store.h"

#include <pthread.h>

struct op_list {
    struct store_op *items;
    size_t count;
    size_t capacity;
};

struct inbox {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct op_list waiting;
    bool closing; /* no op comes any more */
    bool stopped; /* the writer is gone: ops are dropped */
};

bool inbox_init(struct inbox *inbox);
void inbox_fini(struct inbox *inbox);

/* Takes the ops over. False without memory: those that did not fit were dropped. */
bool inbox_put(struct inbox *inbox, struct store_op *ops, size_t count);

/* Waits for ops, at most so long (0: looks; INT64_MAX: until there are some), and exchanges them
 * for the empty `list`. False when closing and nothing is left. */
bool inbox_wait(struct inbox *inbox, int64_t longest_ms, struct op_list *list);

/* The writer will take what waits, then see the end. */
void inbox_close(struct inbox *inbox);

/* Drops what waits and all that comes. */
void inbox_stop(struct inbox *inbox);

/* Frees what each op owns and empties the list. */
void op_list_clear(struct op_list *list);
void op_list_fini(struct op_list *list);

#endif
