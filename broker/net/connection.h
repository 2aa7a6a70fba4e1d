/* SPDX-License-Identifier: EUPL-1.2
 *
 * Connections by number and descriptors by value, and what ties the two.
 *
 * A connection begins with its first message, since only a message says which descriptor it came
 * from. Its number was given at its ZAP request, from the same counter (`moment`) that dates each
 * accepted descriptor.
 *
 * Invariants:
 *   1. A connection is tied to a descriptor only if the descriptor is open and was accepted before
 *      the number was given: an older moment is the only one that can be its own, since the ZAP
 *      request of a connection that has been lost is never followed by a message.
 *   2. A descriptor has at most one connection.
 *   3. A connection is freed when it holds no reason to stay (enum connection_hold).
 * Thread: the one of net.
 */
#ifndef RELAIS_NET_CONNECTION_H
#define RELAIS_NET_CONNECTION_H

#include "net/net.h"
#include "net/outflow.h"

enum {
    /* Exactly so many random bytes: a shorter id would be a name that others can guess and squat.
     */
    ROUTING_ID_BYTES = 16,
};

enum connection_hold {
    HOLD_DESCRIPTOR = 1, /* its descriptor is open */
    HOLD_REPORT = 2,     /* its end is still to be reported */
    HOLD_CUT = 4,        /* what was sent to it is being flushed before the cut */
};

struct connection {
    uint64_t number;
    char key[NET_KEY_CHARACTERS + 1];
    uint8_t routing_id[ROUTING_ID_BYTES];
    struct outflow *outflow;
    int descriptor;
    uint64_t cookie;
    unsigned holds;
    bool announced;    /* the caller has seen a message of it */
    bool cut;          /* what it says is ignored, nothing is sent to it */
    bool ended;        /* its end was reported or is waiting to be */
    uint64_t ended_at; /* messages read by then, when its descriptor went */
    int64_t cut_at_ms;
    int64_t unflushed_ms; /* when something was last seen waiting for the peer */
    uint64_t messages;
    struct connection *next_by_number;
    struct connection *next_by_key;
    struct connection *next_ended;
    struct connection *next_cut;
};

struct descriptor_slot {
    uint64_t accepted; /* the moment; 0: not open */
    uint64_t cookie;
    int64_t accepted_ms;
    struct connection *connection; /* NULL until its first message */
    /* For finding messages that never end */
    uint64_t messages_seen;
    uint64_t received_then;
    int64_t received_ms;
    bool suspect;
    bool turned_away; /* shut down, its end not seen yet */
};

enum {
    CONNECTION_BUCKETS = 16384, /* 128 KiB; numbers are consecutive, so they spread evenly */
    KEY_BUCKETS = 4096,
};

struct connection_table {
    struct connection *buckets[CONNECTION_BUCKETS];
    struct connection *key_buckets[KEY_BUCKETS]; /* those that have been named */
    size_t count;
    struct descriptor_slot *slots; /* by descriptor */
    size_t slot_count;
    size_t open_count;
    size_t turned_away_count; /* shut down, their end not seen yet */
};

void connection_table_fini(struct connection_table *table);

/* Marks a descriptor as open. False without memory. */
bool connection_table_accept(struct connection_table *table, int descriptor, uint64_t moment,
                             int64_t now_ms);

/* Marks it as closed; gives the connection it had, or NULL. */
struct connection *connection_table_release(struct connection_table *table, int descriptor);

/* Shuts an open descriptor down; its slot stays until it is told gone. */
void connection_table_turn_away(struct connection_table *table, int descriptor);

void connection_table_turn_newest_away(struct connection_table *table);
void connection_table_turn_all_away(struct connection_table *table);

/* Whether the kernel holds nothing unacknowledged for any peer. */
bool connection_table_flushed(const struct connection_table *table);

struct connection *connection_table_find(const struct connection_table *table, uint64_t number);

/* A new connection tied to its descriptor. NULL when the descriptor is not (any more) the one that
 * this number was given for, or without memory. */
struct connection *connection_table_add(struct connection_table *table, uint64_t number,
                                        int descriptor, atomic_size_t *unsent_total);

/* Says whose a new connection is. Gives how many of this key are open and not cut, it included. */
size_t connection_table_name(struct connection_table *table, struct connection *connection,
                             const char *key);

/* Drops one reason to stay, and the connection with the last. */
void connection_table_drop(struct connection_table *table, struct connection *connection,
                           enum connection_hold hold);

#endif
