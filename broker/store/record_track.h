/* SPDX-License-Identifier: EUPL-1.2
 *
 * Keys and values of the tables that remember messages: `duplicate`, `duplicate_age`, `track`. See
 * record.h. Pure; any thread.
 */
#ifndef RELAIS_STORE_RECORD_TRACK_H
#define RELAIS_STORE_RECORD_TRACK_H

#include "store/record.h"

struct duplicate_record {
    uint64_t sequence;
    int64_t accepted_ms;
    int64_t age_ms; /* the lowest goes first; later than accepted once an entry has lived so long */
    int64_t expires_ms;
    uint64_t flow;
    uint64_t order;      /* of its entries; 0: none */
    int64_t deadline_ms; /* for acknowledging it; 0: none */
};

/* What became of one recipient's copy; lane and due say where its entry is while it waits. */
struct track_record {
    uint8_t state; /* enum track_state */
    uint8_t lane;
    uint32_t attempts;
    uint32_t code;
    int64_t since_ms;
    int64_t due_ms;
};

struct track_key {
    uint64_t sequence;
    uint32_t mailbox;
};

void key_track(struct record_key *out_key, uint64_t sequence, uint32_t mailbox);
bool key_read_track(struct bytes key, struct track_key *out_track);
void record_write_track(struct small_record *out, const struct record_key *key,
                        const struct track_record *track);
bool record_read_track(struct bytes key, struct bytes record, struct track_record *out_track);
void key_duplicate_age(struct record_key *out_key, const struct duplicate_record *duplicate);
bool key_read_duplicate_age(struct bytes key, struct duplicate_record *out_duplicate);
void record_write_duplicate(struct small_record *out, const struct record_key *key,
                            const struct duplicate_record *duplicate);
bool record_read_duplicate(struct bytes key, struct bytes record,
                           struct duplicate_record *out_duplicate);
void record_write_duplicate_age(struct small_record *out, const struct record_key *key,
                                const struct record_key *duplicate);
bool record_read_duplicate_age(struct bytes key, struct bytes record, struct bytes *out_duplicate);

#endif
