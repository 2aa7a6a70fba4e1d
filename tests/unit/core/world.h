/* SPDX-License-Identifier: EUPL-1.2
 *
 * A small world around the core for its tests: a directory, a clock that stands until it is moved,
 * a shelf as the store, and what each connection was told. Every effect is carried out as the
 * broker would, and the oracle looks at each.
 *
 * In the directory: dila (State; client sends and receives; service greffe), commune-76540
 * (services etat-civil, accueil), commune-06088 (etat-civil), departement-02 (etat-civil), op
 * (operates). Flow ETATCIVIL: dila -> communes. Flow PETIT: everybody to everybody, 100 bytes;
 * dila/greffe, commune-76540/accueil and commune-06088/etat-civil have subscribed to it.
 */
#ifndef RELAIS_TESTS_CORE_WORLD_H
#define RELAIS_TESTS_CORE_WORLD_H

#include "core/core.h"
#include "oracle.h"
#include "relais/v1/command.pb-c.h"
#include "relais/v1/envelope.pb-c.h"
#include "shelf.h"

extern const char DILA[], DILA_SECOND[], ROUEN[], NICE[], AISNE[], OPERATOR[], STRANGER[];

struct told {
    uint64_t connection;
    Relais__V1__ToClient *command;
    struct held_message *messages;
    size_t message_count;
    bool heard;
};

struct world {
    struct core *core;
    struct effects effects;
    struct moment now;
    struct shelf shelf;
    struct oracle oracle;
    struct told *told;
    size_t told_count, told_capacity;
    bool cut[64];         /* connections that were cut, by number */
    char members[64][64]; /* whose a connection is, by number */
    char noted[64][32];   /* events of the log, the first ones */
    size_t noted_count;
    uint64_t trace; /* hash of every effect, for determinism */
    bool torture;   /* allocations of the core may fail */
    bool broken;    /* effects.failed: the process would have stopped */
};

struct directory *world_directory(void);

/* `settings` NULL: the defaults, seed 7. */
void world_init(struct world *world, const struct core_settings *settings);
void world_fini(struct world *world);

/* Steps. */
void world_say(struct world *world, uint64_t connection, const char *key,
               const Relais__V1__ToBroker *command);
void world_frames(struct world *world, uint64_t connection, const char *key,
                  const struct bytes *frames, size_t count);
/* Any event, and the end of its turn: what the shelf does not know to say. */
void world_event(struct world *world, struct event *event);
void world_hello(struct world *world, uint64_t connection, const char *key);
void world_closed(struct world *world, uint64_t connection);
void world_replace(struct world *world, struct directory *directory);
void world_drain(struct world *world);
void world_pass(struct world *world, int64_t ms); /* both clocks move, EVENT_TIME when asked for */

/* The store does one op, or all that wait; then the turn ends. */
void world_store_one(struct world *world);
void world_flush(struct world *world);
void world_turn(struct world *world); /* store and flush until nothing moves */

/* The next thing that the connection was told, NULL: nothing more. */
const Relais__V1__ToClient *world_hear(struct world *world, uint64_t connection);
const struct told *world_hear_told(struct world *world, uint64_t connection);
bool world_noted(const struct world *world, const char *event);

/* Everyday commands. */
struct message {
    Relais__V1__Envelope envelope;
    uint8_t payload[300];
    uint32_t payload_bytes;
    char *to_one[1];
    uint8_t digest[32];
    uint32_t upload; /* that holds the payload; 0: it is in the body */
};
/* A good message from dila to commune-76540/etat-civil with this id and a payload of 20 bytes. */
void message_init(struct message *message, const char *id);
void world_say_with(struct world *world, uint64_t connection, const char *key,
                    const Relais__V1__ToBroker *command, struct bytes body);
void world_submit(struct world *world, uint64_t connection, const char *key, uint64_t first,
                  struct message *messages, size_t count);
void world_submit_one(struct world *world, uint64_t connection, uint64_t number, const char *id);
void world_attach(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
                  const char *address, uint32_t credit);
void world_credit(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
                  uint32_t add);
void world_detach(struct world *world, uint64_t connection, const char *key, uint32_t consumer);
void world_ack(struct world *world, uint64_t connection, const char *key, uint32_t consumer,
               uint64_t first, uint64_t last);
/* By commune-76540. */
void world_nack(struct world *world, uint64_t connection, uint32_t consumer, uint64_t tag,
                uint32_t delay_ms, bool refuse);

#endif
