/* SPDX-License-Identifier: EUPL-1.2
 *
 * See record_deadline.h. The body is accepted, deadline u64 | step, reminders u8 | after u32 | a
 * u64 for each reminder | sender, id, from and flow, each with its size u8 before it.
 */
#include "store/record_deadline.h"

#include "store/record_body.h"

enum { DEADLINE_KEY_BYTES = 8 + 8, DEADLINE_HEAD_BYTES = 8 + 8 + 1 + 1 + 4, TEXTS = 4 };

_Static_assert(RECORD_HEAD_BYTES + DEADLINE_HEAD_BYTES + 8 * STORED_REMINDERS + TEXTS +
                       STORED_SENDER_BYTES + STORED_ID_BYTES + STORED_NAME_BYTES +
                       STORED_FLOW_BYTES <=
                   RECORD_SMALL_BYTES,
               "the longest deadline fits");

void key_deadline(struct record_key *out_key, const struct deadline_key *deadline)
{
    out_key->size = 0;
    key_add(out_key, (uint64_t)deadline->at_ms, 8);
    key_add(out_key, deadline->sequence, 8);
}

bool key_read_deadline(struct bytes key, struct deadline_key *out_deadline)
{
    if (key.size != DEADLINE_KEY_BYTES) {
        return false;
    }
    out_deadline->at_ms = time_get(key.data);
    out_deadline->sequence = number_get(key.data + 8, 8);
    return true;
}

static void add_text(struct small_record *out, const char *text)
{
    size_t size = strlen(text);
    body_add(out, size, 1);
    body_add_bytes(out, (struct bytes){(const uint8_t *)text, size});
}

void record_write_deadline(struct small_record *out, const struct record_key *key,
                           const struct stored_deadline *deadline)
{
    body_begin(out);
    body_add(out, (uint64_t)deadline->accepted_ms, 8);
    body_add(out, (uint64_t)deadline->deadline_ms, 8);
    body_add(out, deadline->step, 1);
    body_add(out, deadline->remind_count, 1);
    body_add(out, deadline->after, 4);
    for (uint8_t i = 0; i < deadline->remind_count; i++) {
        body_add(out, (uint64_t)deadline->remind_ms[i], 8);
    }
    add_text(out, deadline->sender);
    add_text(out, deadline->id);
    add_text(out, deadline->from);
    add_text(out, deadline->flow);
    body_seal(out, TABLE_DEADLINE, key);
}

/* A text without NUL that fits, from the front of *rest. */
static bool read_text(struct bytes *rest, char *out_text, size_t most)
{
    size_t size = rest->size > 0 ? rest->data[0] : 0;
    if (rest->size < size + 1 || size > most || memchr(rest->data + 1, 0, size) != NULL) {
        return false;
    }
    memcpy(out_text, rest->data + 1, size);
    out_text[size] = '\0';
    *rest = (struct bytes){rest->data + size + 1, rest->size - size - 1};
    return true;
}

bool record_read_deadline(struct bytes key, struct bytes record,
                          struct stored_deadline *out_deadline)
{
    struct bytes body = {0};
    if (!record_open(TABLE_DEADLINE, key, record, &body) || body.size < DEADLINE_HEAD_BYTES) {
        return false;
    }
    struct stored_deadline found = {.accepted_ms = time_get(body.data),
                                    .deadline_ms = time_get(body.data + 8),
                                    .step = body.data[16],
                                    .remind_count = body.data[17],
                                    .after = (uint32_t)number_get(body.data + 18, 4)};
    size_t head = DEADLINE_HEAD_BYTES + 8U * found.remind_count;
    if (found.remind_count > STORED_REMINDERS || found.step > found.remind_count ||
        body.size < head) {
        return false;
    }
    for (uint8_t i = 0; i < found.remind_count; i++) {
        found.remind_ms[i] = time_get(body.data + DEADLINE_HEAD_BYTES + (size_t)8 * i);
    }
    struct bytes rest = {body.data + head, body.size - head};
    if (!read_text(&rest, found.sender, STORED_SENDER_BYTES) ||
        !read_text(&rest, found.id, STORED_ID_BYTES) ||
        !read_text(&rest, found.from, STORED_NAME_BYTES) ||
        !read_text(&rest, found.flow, STORED_FLOW_BYTES) || rest.size != 0) {
        return false;
    }
    *out_deadline = found;
    return true;
}
