/* SPDX-License-Identifier: EUPL-1.2
 *
 * One run: everything that there is, and the loop that lets it happen in the order of the agenda.
 *
 * A run has two parts. In the first, faults happen. In the second all is mended, and every client
 * does its best: then each message must get its answer, and each entry be acknowledged or dead.
 */
#ifndef RELAIS_TESTS_SIM_WORLD_H
#define RELAIS_TESTS_SIM_WORLD_H

#include "agenda.h"
#include "broker/clock.h"
#include "client.h"
#include "disk.h"
#include "network.h"
#include "oracle.h"

struct heard {
    uint64_t connection;
    struct packet *packet; /* NULL: it has gone */
};

struct broker {
    struct core *core; /* NULL: it does not run */
    struct effects effects;
    struct clock clock;
    struct heard *inbox; /* from `inbox_first` on */
    size_t inbox_first, inbox_count, inbox_capacity;
    int64_t mono_base_ms;
    int64_t turn_ms; /* when the next turn is; 0: none */
    int64_t drain_end_ms;
    uint64_t incarnation;
    uint64_t operator_line;
    bool wants_drain, wants_directory;
    bool crashes; /* in its next turn */
    bool writing; /* the disk has an item in the agenda */
    uint64_t turns;
    uint64_t unsent_bytes; /* that clients have not read */
};

struct world {
    struct trace trace;
    struct chance chance;
    struct plan plan;
    struct agenda agenda;
    struct town town;
    struct ledger ledger;
    struct disk disk;
    struct network network;
    struct oracle oracle;
    struct broker broker;
    struct client clients[TOWN_CLIENTS];
    int64_t clock_offset_ms; /* of the machine's clock, set now and then */
    int64_t slow_until_ms;   /* the disk */
    uint32_t steps;          /* of the first part */
    bool night;              /* before the second part: no client does anything */
    bool calm;               /* the second part */
};

/* What came of it. */
struct outcome {
    uint64_t digest, lives, deliveries, messages;
    int64_t virtual_ms;
};

void world_run(uint64_t seed, uint32_t steps, bool loud, struct outcome *out_outcome);

/* The run that is going on, for whoever has to say where a crash happened. NULL: none. */
const struct trace *world_trace(void);

/* broker.c */
void broker_start(struct world *world);
void broker_hears(struct world *world, uint64_t connection, struct packet *packet);
void broker_turn(struct world *world);
void broker_wake(struct world *world, int64_t delay_ms);
void broker_crash(struct world *world);
struct moment broker_now(const struct world *world);
void broker_disk(struct world *world, enum agenda_kind kind);

#endif
