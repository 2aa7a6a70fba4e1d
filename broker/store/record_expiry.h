/* SPDX-License-Identifier: EUPL-1.2
 *
 * Keys and values of the table `expiry`: when a message is to be looked at since what waits of it
 * has expired. See record.h. Pure; any thread.
 */
#ifndef RELAIS_STORE_RECORD_EXPIRY_H
#define RELAIS_STORE_RECORD_EXPIRY_H

#include "store/record.h"

struct expiry_key {
    int64_t at_ms;
    uint64_t sequence;
};

struct expiry_record {
    uint64_t order; /* of its entries; 0: none */
    uint32_t next;  /* mailbox, from which on its recipients have not been looked at */
    bool again;     /* one of those before was taken */
};

void key_expiry(struct record_key *out_key, const struct expiry_key *expiry);
bool key_read_expiry(struct bytes key, struct expiry_key *out_expiry);
void record_write_expiry(struct small_record *out, const struct record_key *key,
                         const struct expiry_record *expiry);
bool record_read_expiry(struct bytes key, struct bytes record, struct expiry_record *out_expiry);

#endif
