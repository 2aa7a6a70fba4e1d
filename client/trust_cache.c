/* SPDX-License-Identifier: EUPL-1.2
 *
 * Verified notes of members, as the broker gave them, for some minutes. One thread at a time.
 *
 *   1. Nothing is in the cache that was not verified, remembered and saved first.
 *
 *   2. A member whose notes are refused is not in the cache any more.
 */
#include "client/trust.h"

#include "client/clock.h"
#include "client/error.h"
#include "client/trust_error.h"
#include "program/locale.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct relais_trust *trust, const char *member)
{
    size_t i = 0;

    while (i < trust->cached_count && strcmp(trust->cached[i]->entry.slug, member) != 0) {
        i++;
    }
    return i;
}

const struct trust_cached *trust_find(const struct relais_trust *trust, const char *member)
{
    const size_t at = place_of(trust, member);
    const struct trust_cached *cached = at < trust->cached_count ? trust->cached[at] : NULL;

    if (cached == NULL || clock_monotonic_ms() - cached->fetched_ms > TRUST_FRESH_MS ||
        entry_check_time(&cached->entry, clock_wall_ms()) != TRUST_OK) {
        return NULL;
    }
    return cached;
}

static void drop(struct relais_trust *trust, size_t at)
{
    free(trust->cached[at]);
    trust->cached[at] = trust->cached[--trust->cached_count];
}

void trust_cache_fini(struct relais_trust *trust)
{
    while (trust->cached_count > 0) {
        drop(trust, 0);
    }
}

static void drop_oldest(struct relais_trust *trust)
{
    size_t oldest = 0;

    for (size_t i = 1; i < trust->cached_count; i++) {
        if (trust->cached[i]->fetched_ms < trust->cached[oldest]->fetched_ms) {
            oldest = i;
        }
    }
    drop(trust, oldest);
}

static relais_status verify(struct relais_trust *trust, const relais_signed_member *row,
                            struct trust_cached *out_cached, relais_error *error)
{
    enum trust_status said = TRUST_OK;

    if (row->entry == NULL) {
        return error_fill(error, RELAIS_UNTRUSTED, row->member,
                          _("the broker has no signed entry of this member"),
                          _("an entry that the regulator signed: relais directory sign"));
    }
    said = trust_read_entry(trust, (struct bytes){row->entry, row->entry_bytes}, clock_wall_ms(),
                            &out_cached->entry, NULL);
    if (said == TRUST_OK && strcmp(out_cached->entry.slug, row->member) != 0) {
        said = TRUST_UNSIGNED; /* of that member nobody has signed it */
    }
    if (said == TRUST_OK && row->mailboxes != NULL) {
        const struct note_keys keys = {out_cached->entry.signing_keys,
                                       out_cached->entry.signing_key_count};

        said = trust_read_mailboxes(trust, &keys, row->member,
                                    (struct bytes){row->mailboxes, row->mailboxes_bytes},
                                    &out_cached->mailboxes);
    }
    out_cached->fetched_ms = clock_monotonic_ms();
    return trust_error_note(error, said, row->member);
}

/* Takes the cached notes. */
static void put(struct relais_trust *trust, struct trust_cached *cached)
{
    if (trust->cached_count == TRUST_CACHED) {
        drop_oldest(trust);
    }
    trust->cached[trust->cached_count++] = cached;
}

static relais_status take_row(struct relais_trust *trust, const relais_signed_member *row,
                              relais_error *error)
{
    struct trust_cached *cached = calloc(1, sizeof *cached);
    const size_t at = place_of(trust, row->member);
    relais_status status = RELAIS_OK;

    if (cached == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, row->member, NULL, NULL);
    }
    if (at < trust->cached_count) {
        drop(trust, at);
    }
    status = verify(trust, row, cached, error);
    if (status == RELAIS_OK) {
        status = relais_trust_save(trust, error);
    }
    if (status == RELAIS_OK) {
        put(trust, cached);
    } else {
        free(cached);
    }
    return status;
}

relais_status relais_trust_fetch(relais_trust *trust, relais_client *client,
                                 const char *const *members, size_t count, int timeout_ms,
                                 relais_error *error)
{
    relais_signed_member rows[RELAIS_DIRECTORY_PAGE];
    const char *missing[RELAIS_DIRECTORY_PAGE];
    size_t missing_count = 0;
    relais_status status = RELAIS_OK;

    if (trust == NULL || count > RELAIS_DIRECTORY_PAGE) {
        return error_fill(error, RELAIS_USAGE, "count", NULL, _("1 to 64 members"));
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i] == NULL || trust_find(trust, members[i]) == NULL) {
            missing[missing_count++] = members[i];
        }
    }
    if (missing_count == 0) {
        return RELAIS_OK;
    }
    status = relais_query_directory(client, missing, missing_count, timeout_ms, rows, error);
    if (status != RELAIS_OK) {
        return status;
    }
    for (size_t i = 0; status == RELAIS_OK && i < missing_count; i++) {
        status = take_row(trust, &rows[i], error);
    }
    relais_signed_members_free(rows, missing_count);
    return status;
}
