/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record.h: keys and values of `attempt`.
 */
#include "store/record.h"

#include "store/record_body.h"

enum { ATTEMPT_HEAD_BYTES = 8 + 1 + 1 };

void key_attempt(struct record_key *out_key, const struct dead_key *entry, uint32_t number)
{
    key_dead(out_key, entry->mailbox, entry->sequence);
    key_add(out_key, number, 4);
}

bool key_read_attempt(struct bytes key, struct dead_key *out_entry, uint32_t *out_number)
{
    if (key.size != 16) {
        return false;
    }
    out_entry->mailbox = (uint32_t)number_get(key.data, 4);
    out_entry->sequence = number_get(key.data + 4, 8);
    *out_number = (uint32_t)number_get(key.data + 12, 4);
    return true;
}

void record_write_attempt(struct small_record *out, const struct record_key *key,
                          const struct stored_attempt *attempt)
{
    size_t client = strlen(attempt->client);
    body_begin(out);
    body_add(out, (uint64_t)attempt->at_ms, 8);
    body_add(out, attempt->ending, 1);
    body_add(out, client, 1);
    body_add_bytes(out, (struct bytes){(const uint8_t *)attempt->client, client});
    body_add_bytes(out, (struct bytes){(const uint8_t *)attempt->reason, strlen(attempt->reason)});
    body_seal(out, TABLE_ATTEMPT, key);
}

/* A text without NUL that fits. */
static bool read_text(struct bytes text, char *out_text, size_t most)
{
    if (text.size > most || (text.size > 0 && memchr(text.data, 0, text.size) != NULL)) {
        return false;
    }
    if (text.size > 0) {
        memcpy(out_text, text.data, text.size);
    }
    out_text[text.size] = '\0';
    return true;
}

bool record_read_attempt(struct bytes key, struct bytes record, struct stored_attempt *out_attempt)
{
    struct bytes body = {0};
    if (!record_open(TABLE_ATTEMPT, key, record, &body) || body.size < ATTEMPT_HEAD_BYTES) {
        return false;
    }
    size_t client = body.data[9];
    if (body.size - ATTEMPT_HEAD_BYTES < client) {
        return false;
    }
    const uint8_t *texts = body.data + ATTEMPT_HEAD_BYTES;
    *out_attempt = (struct stored_attempt){.at_ms = time_get(body.data), .ending = body.data[8]};
    return read_text((struct bytes){texts, client}, out_attempt->client, STORED_CLIENT_BYTES) &&
           read_text((struct bytes){texts + client, body.size - ATTEMPT_HEAD_BYTES - client},
                     out_attempt->reason, STORED_REASON_BYTES);
}
