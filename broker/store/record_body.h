/* SPDX-License-Identifier: EUPL-1.2
 *
 * How the record files lay numbers into keys and values, and a small record's frame: begin, add,
 * seal. For them alone. Pure; any thread.
 */
#ifndef RELAIS_STORE_RECORD_BODY_H
#define RELAIS_STORE_RECORD_BODY_H

#include "store/record.h"

#include <assert.h>
#include <string.h>

static inline uint8_t *number_put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return at + bytes;
}

static inline uint64_t number_get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static inline int64_t time_get(const uint8_t *at)
{
    return (int64_t)number_get(at, 8);
}

static inline void key_add(struct record_key *key, uint64_t value, size_t bytes)
{
    assert(key->size + bytes <= sizeof key->data);
    (void)number_put(key->data + key->size, value, bytes);
    key->size += bytes;
}

static inline void body_begin(struct small_record *out)
{
    out->size = RECORD_HEAD_BYTES;
}

static inline void body_add(struct small_record *out, uint64_t value, size_t bytes)
{
    assert(out->size + bytes <= sizeof out->data);
    (void)number_put(out->data + out->size, value, bytes);
    out->size += bytes;
}

/* As much as fits. */
static inline void body_add_bytes(struct small_record *out, struct bytes bytes)
{
    size_t room = sizeof out->data - out->size;
    size_t size = bytes.size < room ? bytes.size : room;
    if (size > 0) {
        memcpy(out->data + out->size, bytes.data, size);
    }
    out->size += size;
}

static inline void body_seal(struct small_record *out, enum table table,
                             const struct record_key *key)
{
    record_seal(table, (struct bytes){key->data, key->size}, out->data, out->size);
}

#endif
