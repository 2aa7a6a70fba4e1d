/* SPDX-License-Identifier: EUPL-1.2
 *
 * From the mailboxes to the adapter, and its answers back.
 *
 *   delivery --known--> acknowledged, not shown
 *            --the same message is being worked on--> joins that item
 *            --new--> item --given to the adapter--> WORKING
 *   WORKING --done--> recorded in the ledger --> acknowledged
 *           --later, refuse--> nack, dead letter;  --unavailable--> given back, all mailboxes left
 *
 *   1. A message is worked on once at a time: when the line is lost and it comes again meanwhile,
 *      the new lease is joined to the item.
 *   2. A message that was done is in the ledger, on disk, before it is acknowledged; after that it
 *      is not shown again.
 *   3. The lease of an item is kept for as long as it is worked on.
 *   4. At most credit items a mailbox.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_RECEIVING_H
#define RELAIS_ADAPTER_RECEIVING_H

#include "adapter/known.h"
#include "adapter/metrics.h"

#include <relais/adapter.h>
#include <relais/receive.h>

enum {
    RECEIVING_MAILBOXES = 64, /* consumers of one connection */
    RECEIVING_CREDIT_MAX = 1024,
};

enum item_answer { ITEM_WORKING, ITEM_DONE, ITEM_LATER, ITEM_REFUSE, ITEM_UNAVAILABLE, ITEM_BACK };

struct place {
    const char *address;
    relais_consumer *consumer; /* NULL: to be attached, at retry_ms */
    int64_t retry_ms;
    bool refused; /* has been said */
};

struct receiving;

struct relais_adapter_item {
    struct relais_adapter_item *next;
    struct receiving *receiving;
    struct place *place;
    unsigned char key[KNOWN_KEY_BYTES];
    relais_delivery *shown;  /* the message lies in it */
    relais_delivery *leased; /* the one to be answered: shown, or a later one */
    int64_t extend_ms;       /* when the lease is to be made longer */
    bool written;            /* a large payload: it was fetched */
    enum item_answer answer;
    uint32_t delay_ms;
    char reason[RELAIS_ADAPTER_REASON_BYTES + 1];
};

struct receiving {
    relais_client *client;
    struct state *state;
    struct metrics *metrics;
    const relais_adapter_kind *kind;
    void *context;
    int signals;
    uint32_t credit;
    struct place places[RECEIVING_MAILBOXES];
    size_t place_count;
    struct relais_adapter_item *items;
    size_t item_count;
    struct relais_adapter_item *shelf; /* of no use while stopping: given back at the end */
    size_t answered;
    bool paused; /* the software is away */
    int64_t pause_until_ms;
    int64_t pause_ms; /* of the next pause */
    int64_t retry_ms; /* the disk is full: not before */
    bool stopped;
};

/* Takes what is there and gives it to the adapter. *out_wait_ms is lowered to when it is worth
 * coming again. */
void receiving_take(struct receiving *receiving, int64_t now_ms, int64_t *out_wait_ms);

/* Records and sends the answers, keeps the leases. Another status than RELAIS_OK: the disk
 * failed. */
relais_status receiving_settle(struct receiving *receiving, int64_t now_ms, int64_t *out_wait_ms,
                               relais_error *error);

/* Takes nothing more. */
void receiving_stop(struct receiving *receiving);

/* Answers that are not on the broker's disk yet. */
size_t receiving_unsettled(const struct receiving *receiving);

/* Gives back what has no answer. */
void receiving_close(struct receiving *receiving);

#endif
