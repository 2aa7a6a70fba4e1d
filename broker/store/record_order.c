/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record.h: keys and values of `order_head` and `behind`.
 */
#include "store/record.h"

#include "store/record_body.h"

enum { BEHIND_BYTES = 4 + 8 + 1 + 8 + 4 };

void key_order_head(struct record_key *out_key, uint32_t mailbox, uint64_t order)
{
    out_key->size = 0;
    key_add(out_key, mailbox, 4);
    key_add(out_key, order, 8);
}

void key_behind(struct record_key *out_key, const struct behind_key *behind)
{
    key_order_head(out_key, behind->mailbox, behind->order);
    key_add(out_key, behind->sequence, 8);
}

bool key_read_order_head(struct bytes key, uint32_t *out_mailbox, uint64_t *out_order)
{
    if (key.size != 12) {
        return false;
    }
    *out_mailbox = (uint32_t)number_get(key.data, 4);
    *out_order = number_get(key.data + 4, 8);
    return true;
}

bool key_read_behind(struct bytes key, struct behind_key *out_behind)
{
    if (key.size != 20) {
        return false;
    }
    out_behind->mailbox = (uint32_t)number_get(key.data, 4);
    out_behind->order = number_get(key.data + 4, 8);
    out_behind->sequence = number_get(key.data + 12, 8);
    return true;
}

void record_write_order_head(struct small_record *out, const struct record_key *key,
                             uint64_t sequence)
{
    body_begin(out);
    body_add(out, sequence, 8);
    body_seal(out, TABLE_ORDER_HEAD, key);
}

bool record_read_order_head(struct bytes key, struct bytes record, uint64_t *out_sequence)
{
    struct bytes body = {0};
    if (!record_open(TABLE_ORDER_HEAD, key, record, &body) || body.size != 8) {
        return false;
    }
    *out_sequence = number_get(body.data, 8);
    return true;
}

void record_write_behind(struct small_record *out, const struct record_key *key,
                         const struct behind_record *behind)
{
    body_begin(out);
    body_add(out, behind->attempts, 4);
    body_add(out, behind->bytes, 8);
    body_add(out, behind->lane, 1);
    body_add(out, (uint64_t)behind->due_ms, 8);
    body_add(out, behind->sender, 4);
    body_seal(out, TABLE_BEHIND, key);
}

bool record_read_behind(struct bytes key, struct bytes record, struct behind_record *out_behind)
{
    struct bytes body = {0};
    if (!record_open(TABLE_BEHIND, key, record, &body) || body.size != BEHIND_BYTES) {
        return false;
    }
    out_behind->attempts = (uint32_t)number_get(body.data, 4);
    out_behind->bytes = number_get(body.data + 4, 8);
    out_behind->lane = body.data[12];
    out_behind->due_ms = time_get(body.data + 13);
    out_behind->sender = (uint32_t)number_get(body.data + 21, 4);
    return out_behind->lane < LANE_COUNT;
}
