/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the core remembers of an op that is with the store, until its result comes. Tickets are
 * numbered one after the other and results come in the order of the ops, so a ring holds them.
 *
 * Invariant: a ticket is open from ticket_new() to ticket_done(), each once. Bounded by what may be
 * with the store: LIMIT_STORING_BYTES of submits (each counted with an overhead),
 * LIMIT_HELD_ENTRIES and one take a mailbox, LIMIT_ASKING questions. One thread.
 */
#ifndef RELAIS_CORE_TICKET_H
#define RELAIS_CORE_TICKET_H

#include "core/stored.h"

struct mailbox;
struct member_use;
struct refusal;
struct tracking;

struct ticket {
    uint64_t id; /* 0: closed */
    enum store_op_kind kind;
    uint32_t mailbox_count;     /* recipients of an append, or names that are announced */
    struct mailbox *mailbox;    /* the only one */
    struct mailbox **mailboxes; /* allocated; when there are several */
    uint64_t connection;        /* who is told; 0: nobody */
    uint64_t number;            /* of the message in its connection, tag, or number of a question */
    uint64_t cost;              /* append: counted as storing until the result comes */
    uint64_t consumer;          /* serial of it, or of an upload; 0: nobody is told */
    uint64_t bytes;             /* of the message, a chunk or a fetch */
    uint64_t stored_bytes;      /* of an append, beside these */
    uint64_t offset;            /* of a chunk or a fetch */
    uint32_t attempts;          /* defer, bury; of a deadline's end: who owes an answer */
    uint32_t code;              /* bury */
    int64_t due_ms;             /* append, defer */
    int64_t accepted_ms;        /* append: of an entry that is claimed, as expires_ms */
    int64_t expires_ms;
    bool claimed;              /* append: its entry is to be taken with it */
    bool passes;               /* append: it is what a step of a deadline says; number: of whose */
    struct tracking *tracking; /* allocated; track: what is known so far */
    struct refusal *refusal;   /* allocated; known: what is said when it is not */
    struct member_use *use;    /* append, known, chunk, fetch, usage: of whom */
    struct entry_key key;      /* ack, defer, bury; the sequence of a dead letter */
};

struct tickets {
    struct ticket *ring;
    size_t capacity; /* 0 or a power of two */
    uint64_t first;  /* the oldest that may be open */
    uint64_t next;
};

void tickets_init(struct tickets *tickets);
void tickets_fini(struct tickets *tickets);

/* Room for one more. False without memory. */
bool tickets_reserve(struct tickets *tickets);

/* A new open ticket, zeroed but for its id and kind; valid until the next is made. After a good
 * tickets_reserve() always one in the ring. NULL without memory. */
struct ticket *ticket_new(struct tickets *tickets, enum store_op_kind kind);

/* Closes the ticket and gives what it held in *out_ticket (what is allocated: to be freed by the
 * caller). False when it is not open or of another kind. */
bool ticket_done(struct tickets *tickets, uint64_t id, enum store_op_kind kind,
                 struct ticket *out_ticket);

#endif
