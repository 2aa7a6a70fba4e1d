/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record_expiry.h.
 */
#include "store/record_expiry.h"

#include "store/record_body.h"

enum { EXPIRY_KEY_BYTES = 8 + 8, EXPIRY_BODY_BYTES = 8 + 4 + 1 };

void key_expiry(struct record_key *out_key, const struct expiry_key *expiry)
{
    out_key->size = 0;
    key_add(out_key, (uint64_t)expiry->at_ms, 8);
    key_add(out_key, expiry->sequence, 8);
}

bool key_read_expiry(struct bytes key, struct expiry_key *out_expiry)
{
    if (key.size != EXPIRY_KEY_BYTES) {
        return false;
    }
    out_expiry->at_ms = time_get(key.data);
    out_expiry->sequence = number_get(key.data + 8, 8);
    return true;
}

void record_write_expiry(struct small_record *out, const struct record_key *key,
                         const struct expiry_record *expiry)
{
    body_begin(out);
    body_add(out, expiry->order, 8);
    body_add(out, expiry->next, 4);
    body_add(out, expiry->again ? 1 : 0, 1);
    body_seal(out, TABLE_EXPIRY, key);
}

bool record_read_expiry(struct bytes key, struct bytes record, struct expiry_record *out_expiry)
{
    struct bytes body = {0};
    if (!record_open(TABLE_EXPIRY, key, record, &body) || body.size != EXPIRY_BODY_BYTES ||
        body.data[EXPIRY_BODY_BYTES - 1] > 1) {
        return false;
    }
    out_expiry->order = number_get(body.data, 8);
    out_expiry->next = (uint32_t)number_get(body.data + 8, 4);
    out_expiry->again = body.data[12] != 0;
    return true;
}
