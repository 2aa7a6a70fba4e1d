/* SPDX-License-Identifier: EUPL-1.2
 *
 * What was handed over and is not on the broker's disk yet, in order; and what the bus has refused
 * for good, aside, with the reason, until a person has looked at it.
 *
 *   queue, aside   key: sequence (8 bytes, big endian), piece (4 bytes, big endian);
 *                  value: a node of record.h; piece 0 begins with size and time of the message
 *   aside          piece REASON: why
 *
 *   1. A sequence is given once, and messages are read in its order.
 *   2. Both together stay within the bound of messages and bytes; so refusals stop the adapter
 *      before they fill the disk.
 *   3. Counts in memory are those of the last commit once outbox_settle() was told of it.
 *
 * Thread: the adapter's. Functions that write need state_begin().
 */
#ifndef RELAIS_ADAPTER_OUTBOX_H
#define RELAIS_ADAPTER_OUTBOX_H

#include "adapter/record.h"
#include "adapter/state.h"

struct outbox_counts {
    uint64_t messages;
    uint64_t bytes; /* of runs */
    uint64_t aside;
    uint64_t aside_bytes;
    uint64_t next; /* sequence */
};

struct outbox {
    struct state *state;
    struct outbox_counts counts;
    struct outbox_counts staged;
    uint64_t messages_max;
    uint64_t bytes_max;
};

/* One message as it was read. */
struct outbox_message {
    uint64_t sequence;
    int64_t since_ms; /* handed over, Unix time */
    unsigned char *run;
    size_t size;
};

/* Why one is aside. */
struct outbox_reason {
    int64_t since_ms;
    relais_error error;
};

/* Counts what is there. */
relais_status outbox_open(struct outbox *outbox, struct state *state, relais_error *error);

/* True when another message of this size fits, besides `staged_messages` and `staged_bytes`. */
bool outbox_has_room(const struct outbox *outbox, uint64_t messages, uint64_t bytes);

relais_status outbox_add(struct outbox *outbox, relais_bytes run, int64_t now_ms,
                         relais_error *error);

/* RELAIS_OK also when it is not there. */
relais_status outbox_remove(struct outbox *outbox, uint64_t sequence, relais_error *error);

/* Out of the queue, kept with its reason. */
relais_status outbox_set_aside(struct outbox *outbox, uint64_t sequence, const relais_error *why,
                               int64_t now_ms, relais_error *error);

/* Of what is aside: back to the end of the queue, or gone. RELAIS_NOT_FOUND. */
relais_status outbox_again(struct outbox *outbox, uint64_t sequence, int64_t now_ms,
                           relais_error *error);
relais_status outbox_drop(struct outbox *outbox, uint64_t sequence, relais_error *error);

/* The transaction was committed, or not. */
void outbox_settle(struct outbox *outbox, bool committed);

/* The first message at or after `sequence`; run is freed with free(). RELAIS_NOT_FOUND: none;
 * RELAIS_DAMAGED: out_message->sequence says which. */
relais_status outbox_read(struct outbox *outbox, uint64_t sequence,
                          struct outbox_message *out_message, relais_error *error);

/* The same of what is aside, with its reason. */
relais_status outbox_read_aside(struct outbox *outbox, uint64_t sequence,
                                struct outbox_message *out_message,
                                struct outbox_reason *out_reason, relais_error *error);

#endif
