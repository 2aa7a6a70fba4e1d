/* SPDX-License-Identifier: EUPL-1.2
 *
 * The simulated network: connections as TCP makes them. What is said on one connection arrives in
 * order, or, from some point on, not at all; between connections everything is delayed and in any
 * order; a cut loses what is under way in both directions, and each end learns of it in its own
 * time.
 */
#ifndef RELAIS_TESTS_SIM_NETWORK_H
#define RELAIS_TESTS_SIM_NETWORK_H

#include "agenda.h"
#include "chance.h"
#include "core/buffer.h"
#include "plan.h"
#include "trace.h"

struct packet {
    struct packet *next;
    size_t frame_count;
    struct bytes *frames;
    struct buffer **buffers; /* one behind each frame; the packet's references */
};

struct packets {
    struct packet *first, *last;
    int64_t last_ms; /* nothing arrives before what was sent before */
};

struct line {
    uint64_t number; /* never used twice in a run */
    unsigned client;
    bool deaf;  /* nothing more gets to the broker */
    bool dumb;  /* nothing more gets to the client */
    bool ended; /* somebody has ended it, or something */
    struct packets in, out;
};

struct network {
    struct agenda *agenda;
    struct chance *chance;
    const struct plan *plan;
    struct trace *trace;
    struct line **lines; /* by number; from `first_open` on there may be open ones */
    size_t line_count, line_capacity;
    size_t first_open;
    bool calm; /* short delays only */
};

void network_init(struct network *network, struct agenda *agenda, struct chance *chance,
                  const struct plan *plan, struct trace *trace);
void network_fini(struct network *network);

struct packet *packet_new(size_t frame_count);
void packet_free(struct packet *packet);

/* Frame `i` is the buffer's own bytes, or `slice` of them; the reference is taken over. */
void packet_set(struct packet *packet, size_t i, struct buffer *buffer, struct bytes slice);

/* A new connection of this client. */
uint64_t network_open(struct network *network, unsigned client);
struct line *network_line(const struct network *network, uint64_t number);

/* Takes the packet over. */
void network_say(struct network *network, uint64_t number, struct packet *packet);
void network_tell(struct network *network, uint64_t number, struct packet *packet);

/* The one that arrives now; NULL: it was lost. The caller's. */
struct packet *network_heard(struct network *network, uint64_t number);
struct packet *network_told(struct network *network, uint64_t number);

/* The line breaks. */
void network_cut(struct network *network, uint64_t number);

/* The broker hangs up: what it has said arrives. */
void network_hang_up(struct network *network, uint64_t number);

/* The client closes its socket: what it has said may arrive. */
void network_leave(struct network *network, uint64_t number);

/* The broker has gone, and with it every connection. */
void network_all_gone(struct network *network);

/* A connection that is open; 0: there is none. */
uint64_t network_any(const struct network *network);

#endif
