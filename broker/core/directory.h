/* SPDX-License-Identifier: EUPL-1.2
 *
 * Who is on the bus and what may be exchanged: a snapshot that is built once, then only read.
 * A change of members or flows is a new snapshot (EVENT_DIRECTORY).
 *
 * Invariants: 1. slugs, keys and flow codes are unique (directory_add_... refuses a second one);
 * 2. after directory_seal() nothing changes; 3. what is not allowed by a flow is refused;
 * 4. a subscriber of a flow may receive it.
 */
#ifndef RELAIS_CORE_DIRECTORY_H
#define RELAIS_CORE_DIRECTORY_H

#include "core/limits.h"
#include "wire/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum member_kind {
    KIND_COMMUNE,
    KIND_EPCI,
    KIND_DEPARTEMENT,
    KIND_REGION,
    KIND_STATE,
    KIND_OPERATOR,
    KIND_COUNT,
};

/* What a member may take of what all share; 0: as much as there is. */
struct quota {
    uint64_t messages;    /* that it has sent and that lie in the store */
    uint64_t bytes;       /* of their envelopes and payloads */
    uint64_t rate;        /* messages a second */
    uint64_t burst;       /* messages at once; 0: those of a second */
    uint64_t connections; /* of all its clients */
};

#define QUOTA_NOT_TOLD UINT64_MAX /* of a member's own: the broker's counts */

enum { ROLE_MAY_SEND = 1, ROLE_MAY_RECEIVE = 2, ROLE_MAY_OPERATE = 4 };

/* What is signed of a member, as it was given: the core does not read it. No bytes: there is none.
 */
struct directory_notes {
    struct bytes entry;     /* by the regulator; at most LIMIT_ENTRY_BYTES */
    struct bytes mailboxes; /* by the member; at most LIMIT_MAILBOXES_BYTES */
};

struct directory;
struct directory_member;
struct directory_flow;

struct directory_client {
    const struct directory_member *member;
    const char *name;
    unsigned roles; /* ROLE_MAY_... */
};

/* "member/service" in its two parts; the text is the directory's. */
struct directory_address {
    const char *member;
    const char *service;
};

/* What a builder call answers. */
enum directory_status {
    DIRECTORY_OK,
    DIRECTORY_DUPLICATE, /* this slug, key or code is there already */
    DIRECTORY_INVALID,   /* breaks the grammar of names, or refers to what is not there */
    DIRECTORY_FULL,      /* a limit of limits.h */
    DIRECTORY_UNKNOWN_FLOW,
    DIRECTORY_NOT_ALLOWED, /* by the flow */
    DIRECTORY_NO_MEMORY,
};

struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* The slug of the broker itself, in what it sends: no member may have it. */
#define DIRECTORY_BROKER "relais"

/* Building. Text is copied. */
enum directory_status directory_add_member(struct directory *directory, const char *slug,
                                           enum member_kind kind);
enum directory_status directory_add_service(struct directory *directory, const char *member,
                                            const char *service);
/* Without it, and where it is QUOTA_NOT_TOLD, the broker's quotas count. */
enum directory_status directory_set_quota(struct directory *directory, const char *member,
                                          const struct quota *quota);
enum directory_status directory_set_notes(struct directory *directory, const char *member,
                                          const struct directory_notes *notes);
enum directory_status directory_add_client(struct directory *directory, const char *member,
                                           const char *name, const char *key, unsigned roles);
enum directory_status directory_add_flow(struct directory *directory, const char *code,
                                         uint64_t payload_bytes_max);

/* How the messages of a flow are delivered; 0: as the broker's settings say. */
struct flow_delivery {
    uint32_t attempts; /* at most */
    uint32_t lease_ms;
};

/* The flow takes sealed and signed messages only. */
enum directory_status directory_require_sealing(struct directory *directory, const char *flow);

enum directory_status directory_set_delivery(struct directory *directory, const char *flow,
                                             const struct flow_delivery *delivery);

/* By when the messages of a flow are to be acknowledged. */
struct flow_acknowledge {
    int64_t within_ms;                  /* of being accepted, or given out; 0: whenever */
    int64_t remind_ms[LIMIT_REMINDERS]; /* so long before, the longest first */
    uint8_t remind_count;
};

/* DIRECTORY_INVALID as well when reminders are out of order, or not within the time. */
enum directory_status directory_set_acknowledge(struct directory *directory, const char *flow,
                                                const struct flow_acknowledge *acknowledge);

/* Allows a sender or a recipient of a flow: "slug", "kind:commune", ..., or "*". */
enum directory_status directory_allow_sender(struct directory *directory, const char *flow,
                                             const char *rule);
enum directory_status directory_allow_receiver(struct directory *directory, const char *flow,
                                               const char *rule);
/* The service receives what is sent by this flow without a recipient. Only once the flow has all
 * its receivers: DIRECTORY_NOT_ALLOWED when the member is none of them. */
enum directory_status directory_subscribe(struct directory *directory, const char *flow,
                                          const char *member, const char *service);
void directory_seal(struct directory *directory);

/* Reading. NULL: unknown. */
const struct directory_client *directory_client(const struct directory *directory, const char *key);
/* A member's client by its name. */
const struct directory_client *directory_member_client(const struct directory_member *member,
                                                       const char *name);
const struct directory_member *directory_member(const struct directory *directory, const char *slug,
                                                size_t slug_bytes);
const struct directory_flow *directory_flow(const struct directory *directory, const char *code);
/* The flow of this hash (directory_flow_hash()), which stays the same for a code. */
const struct directory_flow *directory_flow_hashed(const struct directory *directory,
                                                   uint64_t hash);
uint64_t directory_flow_hash(const char *code);
const char *directory_flow_code(const struct directory_flow *flow);
const char *directory_member_slug(const struct directory_member *member);
const struct directory_notes *directory_member_notes(const struct directory_member *member);
const struct quota *directory_member_quota(const struct directory_member *member);
bool directory_has_service(const struct directory_member *member, const char *service);
/* Is `name`, behind the / of an address, one of the member: a service, or ~ and a client? */
bool directory_has_place(const struct directory_member *member, const char *name);
bool directory_may_send(const struct directory_flow *flow, const struct directory_member *member);
bool directory_may_receive(const struct directory_flow *flow,
                           const struct directory_member *member);
uint64_t directory_flow_payload_bytes(
    const struct directory_flow *flow); /* 0: the broker's limit */
bool directory_flow_requires_sealing(const struct directory_flow *flow);
struct flow_delivery directory_flow_delivery(const struct directory_flow *flow);
const struct flow_acknowledge *directory_flow_acknowledge(const struct directory_flow *flow);

/* How many services have subscribed, and the next of them: begin with *cursor 0. False behind the
 * last. In the order in which services were added. */
size_t directory_subscribers(const struct directory_flow *flow);
bool directory_subscribes(const struct directory_flow *flow, const struct directory_member *member,
                          const char *service);
bool directory_next_subscriber(const struct directory *directory, const struct directory_flow *flow,
                               size_t *cursor, struct directory_address *out_address);
size_t directory_members(const struct directory *directory);
size_t directory_flows(const struct directory *directory);

#endif
