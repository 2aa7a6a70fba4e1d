/* SPDX-License-Identifier: EUPL-1.2
 *
 * What one member may take of the broker that all share: messages a second (a bucket of tokens),
 * connections, and what it has in the store. The store counts the latter and judges it, since only
 * it knows what has gone; the core tells the sender.
 *
 * Invariants: 1. in any time a member's messages that go on to the store are at most its burst and
 * what its rate gives in that time; 2. member_use.connections counts the sessions that are not
 * gone; 3. a member that was ever greeted is remembered, so that a new connection finds the bucket
 * as it was left: as many as the directory has had members. One thread.
 */
#ifndef RELAIS_CORE_QUOTA_H
#define RELAIS_CORE_QUOTA_H

#include "core/refusal.h"
#include "core/state.h"

struct member_use {
    char slug[NAME_SLUG_BYTES + 1];
    uint64_t connections;
    uint64_t tokens;     /* thousandths of a message */
    int64_t promised_us; /* mono; the last time that somebody was told to come again at */
    int64_t filled_ms;   /* mono; when `tokens` was reckoned; 0: never */
    uint64_t refused;    /* messages and connections */
    uint64_t storing;    /* its messages on their way to disk */
    uint64_t storing_bytes;
    uint64_t chunk_bytes; /* of its uploads, with the store */
    uint64_t fetch_bytes; /* asked of the store */
    unsigned over;        /* times in a row that the store had too much of it */
};

/* What counts for this member: its own quotas, else the broker's. */
struct quota quota_of(const struct core *core, const struct directory_member *member);

/* NULL without memory. */
struct member_use *quota_use(struct core *core, const char *slug);

/* May the member have one more connection? */
bool quota_admit(struct step *step, struct member_use *use, const struct quota *quota,
                 struct refusal *out_refusal);

/* Is there room for one more message on its way to disk? Who has much there leaves the last eighth
 * to those who have little, and whoever has nothing there gets a message in. */
bool quota_storing_allows(const struct core *core, const struct member_use *use, uint64_t cost);

/* A message, or a question about one, is on its way to disk, of ticket->cost; and its result has
 * come: `session` NULL when it has gone. */
void quota_storing_begins(struct core *core, struct session *session, const struct ticket *ticket);
void quota_storing_ends(struct core *core, struct session *session, const struct ticket *ticket);

/* May it send one more message now? Then it is counted. */
bool quota_pass(struct step *step, struct member_use *use, const struct quota *quota,
                struct refusal *out_refusal);

/* It was counted, but may not be sent now for another reason. */
void quota_return(struct member_use *use, const struct quota *quota);

/* Messages that may be sent at once now; 0 without a rate. */
uint32_t quota_burst(struct member_use *use, const struct quota *quota, int64_t mono_ms);

/* Could a message of `bytes`, those of its entries too, ever be stored? */
bool quota_fits(struct step *step, struct member_use *use, const struct quota *quota,
                uint64_t bytes, struct refusal *out_refusal);

/* The store had too much of it: to be said at the end of the turn. */
void quota_over(struct step *step, struct session *session, uint64_t number,
                const struct store_result *result);
void quota_say_over(struct step *step, struct session *session);

void quota_fini(struct core *core);

#endif
