/* SPDX-License-Identifier: EUPL-1.2
 *
 * See note.h.
 */
#include "adapter/note.h"

#include "adapter/record.h"

#include <relais/adapter.h>
#include <string.h>

relais_status note_put(struct state *state, const char *key, relais_bytes value,
                       relais_error *error)
{
    unsigned char node[RELAIS_ADAPTER_NOTE_BYTES + RECORD_CHECKSUM_BYTES];
    MDB_val at = {strlen(key), (void *)key};
    int code = 0;
    if (value.size == 0) {
        code = mdb_del(state->txn, state->tables[STATE_NOTE], &at, NULL);
        code = code == MDB_NOTFOUND ? 0 : code;
    } else {
        relais_bytes name = {key, strlen(key)};
        MDB_val body = {record_seal(STATE_NOTE, name, value, node), node};
        code = mdb_put(state->txn, state->tables[STATE_NOTE], &at, &body, 0);
    }
    return state_status(state, code, error);
}

static relais_status copy_out(const char *key, const MDB_val *value, void *buffer, size_t size,
                              size_t *out_size)
{
    relais_bytes body;
    relais_bytes name = {key, strlen(key)};
    if (!record_open(STATE_NOTE, name, (relais_bytes){value->mv_data, value->mv_size}, &body)) {
        return RELAIS_DAMAGED;
    }
    if (body.size > size) {
        return RELAIS_TOO_LARGE;
    }
    memcpy(buffer, body.data, body.size);
    *out_size = body.size;
    return RELAIS_OK;
}

relais_status note_get(struct state *state, const char *key, void *buffer, size_t size,
                       size_t *out_size)
{
    MDB_txn *txn = NULL;
    MDB_val at = {strlen(key), (void *)key};
    MDB_val value;
    relais_status status = state_view(state, &txn, NULL);
    if (status != RELAIS_OK) {
        return status;
    }
    int code = mdb_get(txn, state->tables[STATE_NOTE], &at, &value);
    status = code == MDB_NOTFOUND ? RELAIS_NOT_FOUND : state_status(state, code, NULL);
    if (status == RELAIS_OK) {
        status = copy_out(key, &value, buffer, size, out_size);
    }
    state_view_end(txn);
    return status;
}
