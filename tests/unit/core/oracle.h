/* SPDX-License-Identifier: EUPL-1.2
 *
 * Watches what goes into the core and what comes out, and aborts when a promise is broken:
 *   1. Accepted names only numbers whose message the store has (promise 1).
 *   2. Each number is answered once.
 *   3. Deliver goes only to a consumer that is attached, in the client's own member (promise 5),
 *      never beyond its credit (credit), with tags that follow one another.
 *   4. The bytes delivered are those submitted, to a mailbox that they are for.
 *   5. Nothing is said to a client after its connection was cut; no command frame is too large.
 * Knows the commands as the client meant them, nothing of the core's state.
 */
#ifndef RELAIS_TESTS_CORE_ORACLE_H
#define RELAIS_TESTS_CORE_ORACLE_H

#include "core/effect.h"
#include "relais/v1/command.pb-c.h"
#include "shelf.h"

struct oracle_number {
    uint64_t connection;
    uint64_t number;
    char id[132];
    char sender[64];
    bool answered;
};

struct oracle_consumer {
    uint64_t connection;
    uint32_t number;
    char address[128];
    uint64_t credit;
    uint64_t next_tag;
    bool attached;
};

struct oracle {
    struct oracle_number *numbers;
    size_t number_count, number_capacity;
    struct oracle_consumer *consumers;
    size_t consumer_count, consumer_capacity;
    uint64_t *greeted; /* were told Welcome */
    size_t greeted_count, greeted_capacity;
    uint64_t *cut;
    size_t cut_count, cut_capacity;
    struct oracle_consumer *credited; /* by the command that was said last */
    uint32_t credited_with;
    uint64_t delivered, accepted;
};

void oracle_fini(struct oracle *oracle);

/* What a client is about to say. */
void oracle_said(struct oracle *oracle, uint64_t connection, const char *member,
                 const Relais__V1__ToBroker *command, const struct bytes *body, size_t frames);

/* What it was told. */
void oracle_told(struct oracle *oracle, const struct shelf *shelf, const char *member,
                 const struct effect *send, const Relais__V1__ToClient *command);
void oracle_cut(struct oracle *oracle, uint64_t connection);

bool oracle_is_greeted(const struct oracle *oracle, uint64_t connection);

/* When the store has nothing left to do: every number of this connection has had its answer. */
void oracle_all_answered(const struct oracle *oracle, uint64_t connection);

#endif
