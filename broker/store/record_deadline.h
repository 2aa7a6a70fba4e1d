/* SPDX-License-Identifier: EUPL-1.2
 *
 * Keys and values of the table `deadline`. See record.h. Pure; any thread.
 */
#ifndef RELAIS_STORE_RECORD_DEADLINE_H
#define RELAIS_STORE_RECORD_DEADLINE_H

#include "store/record.h"

struct deadline_key {
    int64_t at_ms;     /* when its next step is due */
    uint64_t sequence; /* of the message */
};

void key_deadline(struct record_key *out_key, const struct deadline_key *deadline);
bool key_read_deadline(struct bytes key, struct deadline_key *out_deadline);
void record_write_deadline(struct small_record *out, const struct record_key *key,
                           const struct stored_deadline *deadline);
bool record_read_deadline(struct bytes key, struct bytes record,
                          struct stored_deadline *out_deadline);

#endif
