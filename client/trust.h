/* SPDX-License-Identifier: EUPL-1.2
 *
 * The inside of a relais_trust: whose word counts, and what was seen. One thread at a time.
 *
 *   1. What a check lets pass is in `memory`; what is in the file never becomes older.
 */
#ifndef RELAIS_CLIENT_TRUST_H
#define RELAIS_CLIENT_TRUST_H

#include "trust/entry.h"
#include "trust/mailboxes.h"
#include "trust/memory.h"

#include <relais/trust.h>

enum { TRUST_REGULATORS = 8 }; /* keys of the regulator that are trusted at once */

/* Verified notes of a member. */
struct trust_cached {
    struct trust_entry entry;
    struct mailboxes mailboxes; /* count 0: there are none */
    int64_t fetched_ms;         /* monotonic */
};

enum {
    TRUST_CACHED = 256,          /* of 52 KiB each: the partners of one client, and room */
    TRUST_FRESH_MS = 10 * 60000, /* a revocation is seen after that */
};

struct relais_trust {
    struct signing_public regulators[TRUST_REGULATORS];
    size_t regulator_count;
    char *path; /* of the memory; NULL: none */
    struct memory memory;
    bool changed; /* since the file was read or written */
    struct trust_cached *cached[TRUST_CACHED];
    size_t cached_count;
};

/* As relais_trust_check_entry(), in trust's own words: *out_entry is filled, *out_signer is the
 * index of the key that signed it. */
enum trust_status trust_read_entry(struct relais_trust *trust, struct bytes note, int64_t now_ms,
                                   struct trust_entry *out_entry,
                                   size_t *out_signer) TRUST_MUST_CHECK;

/* As relais_trust_check_mailboxes(). */
enum trust_status trust_read_mailboxes(struct relais_trust *trust, const struct note_keys *keys,
                                       const char *member, struct bytes note,
                                       struct mailboxes *out_mailboxes) TRUST_MUST_CHECK;

/* trust_cache.c. What was fetched, is fresh and valid now; NULL: fetch it (again). Borrowed until
 * the next fetch. */
const struct trust_cached *trust_find(const struct relais_trust *trust, const char *member);
void trust_cache_fini(struct relais_trust *trust);

#endif
