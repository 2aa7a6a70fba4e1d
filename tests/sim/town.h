/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who is on the simulated bus: a few members with their mailboxes, clients and flows, and which of
 * them the directory knows at the moment. The rules are told here a second time, in the simplest
 * way, and not asked from the directory under test.
 */
#ifndef RELAIS_TESTS_SIM_TOWN_H
#define RELAIS_TESTS_SIM_TOWN_H

#include "chance.h"
#include "core/directory.h"

enum {
    TOWN_MEMBERS = 6,
    TOWN_PLACES = 10, /* mailboxes */
    TOWN_CLIENTS = 8,
    TOWN_FLOWS = 3,
    TOWN_OPERATOR = TOWN_CLIENTS, /* one client more, that only asks */
    TOWN_SMALL_BYTES = 100,       /* most of a payload in the flow SMALL */
    TOWN_REPLY_ATTEMPTS = 3,      /* of a message in the flow REPLY */
    TOWN_REPLY_LEASE_MS = 5000,
};

enum town_flow { FLOW_NOTICE, FLOW_REPLY, FLOW_SMALL };

struct town_place {
    unsigned member;
    const char *service;
    const char *address;
    unsigned owner; /* of a private mailbox: its client, and one; 0: it is a service */
};

struct town_client {
    unsigned member;
    const char *name;
    const char *key;
    unsigned roles; /* ROLE_MAY_... */
};

#define TOWN_BECAUSE "because" /* what clients say of a nack */

extern const char *const TOWN_SLUGS[TOWN_MEMBERS];
extern const struct town_place TOWN_ADDRESSES[TOWN_PLACES];
extern const struct town_client TOWN_PEOPLE[TOWN_CLIENTS + 1];
extern char *const TOWN_CODES[TOWN_FLOWS];

/* What is missing for the time being. */
struct town {
    bool client_absent[TOWN_CLIENTS + 1];
    unsigned roles_taken[TOWN_CLIENTS + 1];
    bool place_absent[TOWN_PLACES];
    bool flow_absent[TOWN_FLOWS];
    struct quota quota; /* of every member */
};

/* A few things missing. */
void town_spoil(struct town *town, struct chance *chance);

/* The directory that says so. */
struct directory *town_directory(const struct town *town);

unsigned town_roles(const struct town *town, unsigned client);

/* Is there such a mailbox? */
bool town_has_place(const struct town *town, unsigned place);

/* May this client open this mailbox? */
bool town_may_open(const struct town *town, unsigned client, unsigned place);

/* May it send a payload of this size to this place by this flow? */
bool town_may_send(const struct town *town, unsigned client, enum town_flow flow, unsigned place,
                   uint32_t payload_bytes);

/* May this member send in this flow at all, whoever receives? */
bool town_may_use(const struct town *town, unsigned member, enum town_flow flow,
                  uint32_t payload_bytes);

/* Has this place subscribed to this flow? In the order of places. */
bool town_subscribes(const struct town *town, enum town_flow flow, unsigned place);

/* TOWN_PLACES: there is none of this name. */
unsigned town_place(const char *address);

#endif
