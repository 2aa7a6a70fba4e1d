/* SPDX-License-Identifier: EUPL-1.2
 *
 * The folder in which an adapter keeps what must survive it: one LMDB environment, one writer.
 *
 *   1. Every commit is synced; no flag weakens that. The map has one size from start to end.
 *   2. A full disk or map is RELAIS_STORE_FULL, leaves everything as it was, and can be tried
 * again. Any other failure of a commit latches: the program ends, and what is on disk counts.
 *   3. One process works on a folder, and never on one that another host may write to.
 *   4. No transaction outlives the call of the module that began it.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_STATE_H
#define RELAIS_ADAPTER_STATE_H

#include <lmdb.h>
#include <relais/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state_table {
    STATE_META,
    STATE_QUEUE, /* outbox.h */
    STATE_ASIDE,
    STATE_KNOWN, /* known.h */
    STATE_AGE,
    STATE_NOTE, /* note.h */
    STATE_TABLES,
};

struct state {
    MDB_env *env;
    MDB_dbi tables[STATE_TABLES];
    MDB_txn *txn; /* that writes; NULL: none */
    int lock;
    bool failed;
    char path[4096];
};

/* Opens or makes the folder (its parent must exist). map_bytes bounds the file.
 * RELAIS_ALREADY_EXISTS: another process works on it. RELAIS_CONFIG_INVALID: of another release,
 * damaged, or on a network's disk. RELAIS_SYSTEM, RELAIS_NO_MEMORY. */
relais_status state_open(const char *path, uint64_t map_bytes, struct state **out_state,
                         relais_error *error);
void state_close(struct state *state);

relais_status state_begin(struct state *state, relais_error *error);
relais_status state_commit(struct state *state, relais_error *error);
void state_abort(struct state *state);

/* A transaction that reads, ended with state_view_end(). Sees what is committed. */
relais_status state_view(struct state *state, MDB_txn **out_txn, relais_error *error);
void state_view_end(MDB_txn *txn);

/* What an LMDB code of a write means; latches when it is none that can be tried again. */
relais_status state_status(struct state *state, int code, relais_error *error);

/* Numbers of keys, in an order that sorts. */
void state_put_be64(unsigned char *out, uint64_t number);
uint64_t state_get_be64(const unsigned char *data);

#endif
