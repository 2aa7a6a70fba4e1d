/* SPDX-License-Identifier: EUPL-1.2
 *
 * See known.h.
 */
#include "adapter/known.h"

#include <sodium.h>
#include <string.h>

enum {
    TIME_BYTES = 8,
    AGE_KEY_BYTES = TIME_BYTES + KNOWN_KEY_BYTES,
    /* More than one, so that a ledger that was too full gets smaller. */
    FORGET_AT_A_TIME = 3,
};

void known_key(const char *const *texts, size_t count, unsigned char out_key[KNOWN_KEY_BYTES])
{
    crypto_generichash_state hash;
    (void)crypto_generichash_init(&hash, NULL, 0, KNOWN_KEY_BYTES);
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i] ? texts[i] : "";
        (void)crypto_generichash_update(&hash, (const unsigned char *)text, strlen(text) + 1);
    }
    (void)crypto_generichash_final(&hash, out_key, KNOWN_KEY_BYTES);
}

bool known_has(struct state *state, const unsigned char key[KNOWN_KEY_BYTES])
{
    MDB_val at = {KNOWN_KEY_BYTES, (void *)key};
    MDB_val value;
    MDB_txn *txn = state->txn;
    if (!txn && state_view(state, &txn, NULL) != RELAIS_OK) {
        return false;
    }
    bool known = mdb_get(txn, state->tables[STATE_KNOWN], &at, &value) == 0;
    if (!state->txn) {
        state_view_end(txn);
    }
    return known;
}

static bool is_too_many(struct state *state)
{
    MDB_stat about;
    return mdb_stat(state->txn, state->tables[STATE_KNOWN], &about) == 0 &&
           about.ms_entries > KNOWN_MAX;
}

/* Forgets the oldest one if it must go. MDB_NOTFOUND: none must. */
static int forget_one(struct state *state, MDB_cursor *cursor, int64_t now_ms)
{
    MDB_val age;
    MDB_val nothing;
    unsigned char key[KNOWN_KEY_BYTES];
    int code = mdb_cursor_get(cursor, &age, &nothing, MDB_FIRST);
    if (code != 0) {
        return code;
    }
    if (age.mv_size == AGE_KEY_BYTES) {
        int64_t since_ms = (int64_t)state_get_be64(age.mv_data);
        if (since_ms > now_ms - KNOWN_MS && !is_too_many(state)) {
            return MDB_NOTFOUND;
        }
        memcpy(key, (unsigned char *)age.mv_data + TIME_BYTES, sizeof key);
        MDB_val at = {sizeof key, key};
        code = mdb_del(state->txn, state->tables[STATE_KNOWN], &at, NULL);
        if (code != 0 && code != MDB_NOTFOUND) {
            return code;
        }
    }
    return mdb_cursor_del(cursor, 0);
}

static int forget(struct state *state, int64_t now_ms)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(state->txn, state->tables[STATE_AGE], &cursor);
    for (int i = 0; code == 0 && i < FORGET_AT_A_TIME; i++) {
        code = forget_one(state, cursor, now_ms);
    }
    if (cursor) {
        mdb_cursor_close(cursor);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

relais_status known_add(struct state *state, const unsigned char key[KNOWN_KEY_BYTES],
                        int64_t now_ms, relais_error *error)
{
    unsigned char age[AGE_KEY_BYTES];
    MDB_val at = {KNOWN_KEY_BYTES, (void *)key};
    MDB_val value = {TIME_BYTES, age};
    state_put_be64(age, (uint64_t)now_ms);
    memcpy(age + TIME_BYTES, key, KNOWN_KEY_BYTES);
    int code = mdb_put(state->txn, state->tables[STATE_KNOWN], &at, &value, MDB_NOOVERWRITE);
    if (code == MDB_KEYEXIST) {
        return RELAIS_OK;
    }
    if (code == 0) {
        MDB_val age_key = {sizeof age, age};
        MDB_val nothing = {0, NULL};
        code = mdb_put(state->txn, state->tables[STATE_AGE], &age_key, &nothing, 0);
    }
    code = code != 0 ? code : forget(state, now_ms);
    return state_status(state, code, error);
}
