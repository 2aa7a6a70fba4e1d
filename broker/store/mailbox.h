/* SPDX-License-Identifier: EUPL-1.2
 *
 * The mailboxes as the LMDB engine's writer knows them: the only index that is read at start, so
 * that a million waiting entries cost nothing then.
 *
 * Invariants: 1. sorted by id, an address stays valid until mailbox_table_fini(); 2. `counts` is
 * what the running transaction has made of `committed`.
 */
#ifndef RELAIS_STORE_MAILBOX_H
#define RELAIS_STORE_MAILBOX_H

#include "store/claims.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAILBOX_NAME_BYTES = STORED_NAME_BYTES };

struct mailbox_counts {
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t dead;
    uint64_t behind; /* of those that wait: no take finds them yet */
};

struct mailbox {
    uint32_t id;
    char name[MAILBOX_NAME_BYTES + 1];
    struct mailbox_counts counts;
    struct mailbox_counts committed;
    bool touched;   /* by the running transaction */
    uint32_t picks; /* for turn_order() */
    struct claims claims;
};

struct mailbox_table {
    struct mailbox **items;
    size_t count;
    size_t capacity;
};

void mailbox_table_fini(struct mailbox_table *table);
struct mailbox *mailbox_find(const struct mailbox_table *table, uint32_t id);

/* The mailbox of that id, made when absent, and its name. NULL without memory. */
struct mailbox *mailbox_add(struct mailbox_table *table, uint32_t id, const char *name);

void mailbox_count_in(struct mailbox *mailbox, uint64_t bytes);
void mailbox_count_out(struct mailbox *mailbox, uint64_t bytes);

#endif
