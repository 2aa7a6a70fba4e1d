/* SPDX-License-Identifier: EUPL-1.2
 *
 * See outbox.h.
 */
#include "adapter/outbox.h"

#include "program/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 12,
    HEAD_BYTES = 12, /* of piece 0: size (4), time (8) */
    REASON_HEAD_BYTES = 12,
    REASON_BYTES = REASON_HEAD_BYTES + 3 * RELAIS_ERROR_TEXT_BYTES,
};
#define REASON UINT32_MAX

static void make_key(uint64_t sequence, uint32_t piece, unsigned char out[KEY_BYTES])
{
    state_put_be64(out, sequence);
    for (int i = 0; i < 4; i++) {
        out[8 + i] = (unsigned char)(piece >> (24 - 8 * i));
    }
}

static uint64_t sequence_of(const MDB_val *key)
{
    return key->mv_size == KEY_BYTES ? state_get_be64(key->mv_data) : UINT64_MAX;
}

static uint32_t piece_of(const MDB_val *key)
{
    const unsigned char *data = key->mv_data;
    return (uint32_t)data[8] << 24 | (uint32_t)data[9] << 16 | (uint32_t)data[10] << 8 | data[11];
}

static int put_piece(struct state *state, enum state_table table, const unsigned char *key,
                     relais_bytes body)
{
    unsigned char node[RECORD_NODE_BYTES];
    MDB_val at = {KEY_BYTES, (void *)key};
    MDB_val value = {record_seal(table, (relais_bytes){key, KEY_BYTES}, body, node), node};
    return mdb_put(state->txn, state->tables[table], &at, &value, 0);
}

static bool open_piece(enum state_table table, const MDB_val *key, const MDB_val *value,
                       relais_bytes *out_body)
{
    return record_open(table, (relais_bytes){key->mv_data, key->mv_size},
                       (relais_bytes){value->mv_data, value->mv_size}, out_body);
}

static void put_le(unsigned char *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(number >> (8 * i));
    }
}

static uint64_t get_le(const unsigned char *data, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number |= (uint64_t)data[i] << (8 * i);
    }
    return number;
}

/* ---- writing ---- */

static int put_run(struct state *state, enum state_table table, uint64_t sequence, relais_bytes run,
                   int64_t since_ms)
{
    unsigned char key[KEY_BYTES];
    unsigned char body[RECORD_PIECE_BYTES];
    const unsigned char *data = run.data;
    size_t at = 0;
    put_le(body, run.size, 4);
    put_le(body + 4, (uint64_t)since_ms, 8);
    for (uint32_t piece = 0; at < run.size || piece == 0; piece++) {
        size_t head = piece == 0 ? HEAD_BYTES : 0;
        size_t size = run.size - at;
        size = size < sizeof body - head ? size : sizeof body - head;
        memcpy(body + head, data + at, size);
        make_key(sequence, piece, key);
        int code = put_piece(state, table, key, (relais_bytes){body, head + size});
        if (code != 0) {
            return code;
        }
        at += size;
    }
    return 0;
}

/* Deletes all pieces. */
static int delete_run(struct state *state, enum state_table table, uint64_t sequence,
                      bool *out_found)
{
    unsigned char first[KEY_BYTES];
    MDB_cursor *cursor = NULL;
    MDB_val key = {KEY_BYTES, first};
    MDB_val value;
    make_key(sequence, 0, first);
    *out_found = false;
    int code = mdb_cursor_open(state->txn, state->tables[table], &cursor);
    if (code != 0) {
        return code;
    }
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && sequence_of(&key) == sequence) {
        *out_found = true;
        code = mdb_cursor_del(cursor, 0);
        if (code == 0) {
            key = (MDB_val){KEY_BYTES, first};
            code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int put_reason(struct state *state, uint64_t sequence, const relais_error *why,
                      int64_t now_ms)
{
    unsigned char key[KEY_BYTES];
    unsigned char body[REASON_BYTES];
    const char *const parts[] = {why->field, why->wrong, why->right};
    size_t size = REASON_HEAD_BYTES;
    put_le(body, (uint64_t)why->status, 4);
    put_le(body + 4, (uint64_t)now_ms, 8);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strnlen(parts[i], RELAIS_ERROR_TEXT_BYTES - 1);
        memcpy(body + size, parts[i], length);
        body[size + length] = '\0';
        size += length + 1;
    }
    make_key(sequence, REASON, key);
    return put_piece(state, STATE_ASIDE, key, (relais_bytes){body, size});
}

/* ---- reading ---- */

/* Gathers the pieces that follow a cursor on piece 0. RELAIS_DAMAGED: they are not all there. */
static relais_status gather(MDB_cursor *cursor, enum state_table table, MDB_val *key,
                            MDB_val *value, struct outbox_message *out)
{
    relais_bytes body;
    size_t at = 0;
    if (piece_of(key) != 0 || !open_piece(table, key, value, &body) || body.size < HEAD_BYTES) {
        return RELAIS_DAMAGED;
    }
    out->size = (size_t)get_le(body.data, 4);
    out->since_ms = (int64_t)get_le((const unsigned char *)body.data + 4, 8);
    body = (relais_bytes){(const unsigned char *)body.data + HEAD_BYTES, body.size - HEAD_BYTES};
    if (out->size > RECORD_MESSAGE_BYTES) {
        return RELAIS_DAMAGED;
    }
    out->run = malloc(out->size + 1);
    if (!out->run) {
        return RELAIS_NO_MEMORY;
    }
    for (uint32_t piece = 0; body.size <= out->size - at; piece++) {
        memcpy(out->run + at, body.data, body.size);
        at += body.size;
        if (at == out->size) {
            return RELAIS_OK;
        }
        if (mdb_cursor_get(cursor, key, value, MDB_NEXT) != 0 ||
            sequence_of(key) != out->sequence || piece_of(key) != piece + 1 ||
            !open_piece(table, key, value, &body)) {
            break;
        }
    }
    free(out->run);
    out->run = NULL;
    return RELAIS_DAMAGED;
}

static relais_status read_in(struct outbox *outbox, MDB_txn *txn, enum state_table table,
                             uint64_t sequence, struct outbox_message *out)
{
    unsigned char first[KEY_BYTES];
    MDB_cursor *cursor = NULL;
    MDB_val key = {KEY_BYTES, first};
    MDB_val value;
    make_key(sequence, 0, first);
    *out = (struct outbox_message){0};
    if (mdb_cursor_open(txn, outbox->state->tables[table], &cursor) != 0) {
        return RELAIS_NO_MEMORY;
    }
    relais_status status = RELAIS_NOT_FOUND;
    if (mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE) == 0) {
        out->sequence = sequence_of(&key);
        status = out->sequence == UINT64_MAX ? RELAIS_NOT_FOUND /* not a key of ours */
                                             : gather(cursor, table, &key, &value, out);
    }
    mdb_cursor_close(cursor);
    return status;
}

static relais_status say_damaged(struct outbox *outbox, relais_status status, relais_error *error)
{
    return status == RELAIS_OK
               ? RELAIS_OK
               : error_set(error, status, outbox->state->path, NULL, "%s",
                           status == RELAIS_DAMAGED ? "a message of the outbox" : "");
}

relais_status outbox_read(struct outbox *outbox, uint64_t sequence,
                          struct outbox_message *out_message, relais_error *error)
{
    MDB_txn *txn = NULL;
    relais_status status = state_view(outbox->state, &txn, error);
    if (status == RELAIS_OK) {
        status = read_in(outbox, txn, STATE_QUEUE, sequence, out_message);
        state_view_end(txn);
        status = say_damaged(outbox, status, error);
    }
    return status;
}

static void read_reason(struct outbox *outbox, MDB_txn *txn, uint64_t sequence,
                        struct outbox_reason *out)
{
    unsigned char at[KEY_BYTES];
    MDB_val key = {KEY_BYTES, at};
    MDB_val value;
    relais_bytes body;
    *out = (struct outbox_reason){.error = {.status = RELAIS_DAMAGED}};
    make_key(sequence, REASON, at);
    if (mdb_get(txn, outbox->state->tables[STATE_ASIDE], &key, &value) != 0 ||
        !open_piece(STATE_ASIDE, &key, &value, &body) || body.size < REASON_HEAD_BYTES) {
        return;
    }
    char *const parts[] = {out->error.field, out->error.wrong, out->error.right};
    const size_t rooms[] = {sizeof out->error.field, sizeof out->error.wrong,
                            sizeof out->error.right};
    const char *text = (const char *)body.data + REASON_HEAD_BYTES;
    size_t left = body.size - REASON_HEAD_BYTES;
    out->error.status = (relais_status)get_le(body.data, 4);
    out->since_ms = (int64_t)get_le((const unsigned char *)body.data + 4, 8);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strnlen(text, left);
        size_t room = rooms[i] - 1;
        memcpy(parts[i], text, length < room ? length : room);
        size_t step = length < left ? length + 1 : length;
        text += step;
        left -= step;
    }
}

relais_status outbox_read_aside(struct outbox *outbox, uint64_t sequence,
                                struct outbox_message *out_message,
                                struct outbox_reason *out_reason, relais_error *error)
{
    MDB_txn *txn = NULL;
    relais_status status = state_view(outbox->state, &txn, error);
    if (status == RELAIS_OK) {
        status = read_in(outbox, txn, STATE_ASIDE, sequence, out_message);
        if (status != RELAIS_NOT_FOUND) {
            read_reason(outbox, txn, out_message->sequence, out_reason);
        }
        state_view_end(txn);
        status = say_damaged(outbox, status, error);
    }
    return status;
}

/* ---- counting ---- */

static relais_status count(struct outbox *outbox, MDB_txn *txn, enum state_table table,
                           uint64_t *out_messages, uint64_t *out_bytes)
{
    unsigned char first[KEY_BYTES];
    MDB_cursor *cursor = NULL;
    MDB_val key = {KEY_BYTES, first};
    MDB_val value;
    relais_bytes body;
    if (mdb_cursor_open(txn, outbox->state->tables[table], &cursor) != 0) {
        return RELAIS_NO_MEMORY;
    }
    make_key(0, 0, first);
    while (mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE) == 0) {
        uint64_t sequence = sequence_of(&key);
        if (sequence == UINT64_MAX) {
            break;
        }
        (*out_messages)++;
        if (open_piece(table, &key, &value, &body) && body.size >= HEAD_BYTES) {
            *out_bytes += get_le(body.data, 4);
        }
        if (sequence >= outbox->counts.next) {
            outbox->counts.next = sequence + 1;
        }
        make_key(sequence + 1, 0, first);
        key = (MDB_val){KEY_BYTES, first};
    }
    mdb_cursor_close(cursor);
    return RELAIS_OK;
}

relais_status outbox_open(struct outbox *outbox, struct state *state, relais_error *error)
{
    MDB_txn *txn = NULL;
    outbox->state = state;
    outbox->counts = (struct outbox_counts){.next = 1};
    relais_status status = state_view(state, &txn, error);
    if (status != RELAIS_OK) {
        return status;
    }
    status = count(outbox, txn, STATE_QUEUE, &outbox->counts.messages, &outbox->counts.bytes);
    if (status == RELAIS_OK) {
        status =
            count(outbox, txn, STATE_ASIDE, &outbox->counts.aside, &outbox->counts.aside_bytes);
    }
    state_view_end(txn);
    outbox->staged = outbox->counts;
    return status;
}

bool outbox_has_room(const struct outbox *outbox, uint64_t messages, uint64_t bytes)
{
    const struct outbox_counts *counts = &outbox->counts;
    return counts->messages + counts->aside + messages <= outbox->messages_max &&
           counts->bytes + counts->aside_bytes + bytes <= outbox->bytes_max;
}

void outbox_settle(struct outbox *outbox, bool committed)
{
    if (committed) {
        outbox->counts = outbox->staged;
    } else {
        outbox->staged = outbox->counts;
    }
}

/* ---- changes ---- */

static void take_off(uint64_t *count, uint64_t by)
{
    *count -= by < *count ? by : *count;
}

relais_status outbox_add(struct outbox *outbox, relais_bytes run, int64_t now_ms,
                         relais_error *error)
{
    int code = put_run(outbox->state, STATE_QUEUE, outbox->staged.next, run, now_ms);
    if (code == 0) {
        outbox->staged.next++;
        outbox->staged.messages++;
        outbox->staged.bytes += run.size;
    }
    return state_status(outbox->state, code, error);
}

/* Deletes a message of either table and takes it off the counts. */
static relais_status take_out(struct outbox *outbox, enum state_table table, uint64_t sequence,
                              bool *out_found, relais_error *error)
{
    struct outbox_message message = {0};
    bool aside = table == STATE_ASIDE;
    (void)read_in(outbox, outbox->state->txn, table, sequence, &message);
    uint64_t size = message.sequence == sequence ? message.size : 0;
    free(message.run);
    int code = delete_run(outbox->state, table, sequence, out_found);
    if (code == 0 && *out_found) {
        take_off(aside ? &outbox->staged.aside : &outbox->staged.messages, 1);
        take_off(aside ? &outbox->staged.aside_bytes : &outbox->staged.bytes, size);
    }
    return state_status(outbox->state, code, error);
}

relais_status outbox_remove(struct outbox *outbox, uint64_t sequence, relais_error *error)
{
    bool found = false;
    return take_out(outbox, STATE_QUEUE, sequence, &found, error);
}

relais_status outbox_set_aside(struct outbox *outbox, uint64_t sequence, const relais_error *why,
                               int64_t now_ms, relais_error *error)
{
    struct outbox_message message = {0};
    bool found = false;
    (void)read_in(outbox, outbox->state->txn, STATE_QUEUE, sequence, &message);
    relais_status status = take_out(outbox, STATE_QUEUE, sequence, &found, error);
    int code = 0;
    if (status == RELAIS_OK && found) {
        /* nothing can be read of a damaged one: its place is kept, so that somebody sees it */
        relais_bytes run = {message.run ? message.run : (const unsigned char *)"",
                            message.run ? message.size : 0};
        code = put_run(outbox->state, STATE_ASIDE, sequence, run, message.since_ms);
        code = code != 0 ? code : put_reason(outbox->state, sequence, why, now_ms);
        outbox->staged.aside++;
        outbox->staged.aside_bytes += run.size;
        status = state_status(outbox->state, code, error);
    }
    free(message.run);
    return status;
}

relais_status outbox_drop(struct outbox *outbox, uint64_t sequence, relais_error *error)
{
    bool found = false;
    relais_status status = take_out(outbox, STATE_ASIDE, sequence, &found, error);
    return status == RELAIS_OK && !found ? RELAIS_NOT_FOUND : status;
}

relais_status outbox_again(struct outbox *outbox, uint64_t sequence, int64_t now_ms,
                           relais_error *error)
{
    struct outbox_message message = {0};
    relais_status status = read_in(outbox, outbox->state->txn, STATE_ASIDE, sequence, &message);
    if (status == RELAIS_OK && (message.sequence != sequence || message.size == 0)) {
        status = message.sequence != sequence ? RELAIS_NOT_FOUND : RELAIS_DAMAGED;
    }
    if (status == RELAIS_OK) {
        status = outbox_drop(outbox, sequence, error);
    }
    if (status == RELAIS_OK) {
        status = outbox_add(outbox, (relais_bytes){message.run, message.size}, now_ms, error);
    }
    free(message.run);
    return status;
}
