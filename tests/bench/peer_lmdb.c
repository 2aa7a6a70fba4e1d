/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A limit, not a peer: LMDB's commit alone, without a wire. A transaction puts half of what all
 * producers may have unconfirmed, or all of it with one outstanding, and deletes the messages of
 * the transaction before. One thread does it for all: LMDB has one writer. TARGET is a folder. The
 * process itself is measured.
 */
#include "tests/bench/cell.h"

#include <lmdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAP_GIB = 16, KEY_BYTES = 8 };

static void need(int code, const char *what)
{
    if (code != 0) {
        cell_fail(what, mdb_strerror(code));
    }
}

static void prepare(struct cell *cell)
{
    cell->server = getpid();
}

/* Takes the `count` oldest out again, as a consumer's acknowledgements would. */
static void take(struct cell *cell, MDB_txn *txn, MDB_dbi queue, uint32_t count)
{
    MDB_cursor *cursor = NULL;
    need(mdb_cursor_open(txn, queue, &cursor), "cursor");
    for (uint32_t i = 0; i < count; i++) {
        MDB_val key;
        MDB_val value;
        need(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), "get");
        cell_got(cell, value.mv_data, value.mv_size);
        need(mdb_cursor_del(cursor, 0), "delete");
    }
    mdb_cursor_close(cursor);
}

static void put(struct cell *cell, MDB_txn *txn, MDB_dbi queue, uint32_t count, uint64_t *number)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[KEY_BYTES];
        for (size_t byte = 0; byte < KEY_BYTES; byte++) {
            name[byte] = (char)(*number >> (8 * (KEY_BYTES - 1 - byte)));
        }
        (*number)++;
        MDB_val key = {KEY_BYTES, name};
        MDB_val value = {cell->bytes, (void *)cell_next(cell)};
        need(mdb_put(txn, queue, &key, &value, MDB_APPEND), "put");
    }
}

static void produce(struct cell *cell)
{
    MDB_env *store = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi queue = 0;
    if (cell->number > 0) { /* the first writes in the name of all */
        cell_ready(cell);
        return;
    }
    need(mdb_env_create(&store), "open");
    need(mdb_env_set_mapsize(store, (size_t)MAP_GIB << 30), "open");
    need(mdb_env_open(store, cell->target, 0, 0600), "open");
    need(mdb_txn_begin(store, NULL, 0, &txn), "begin");
    need(mdb_dbi_open(txn, NULL, 0, &queue), "open");
    need(mdb_drop(txn, queue, 0), "empty");
    need(mdb_txn_commit(txn), "commit");
    uint32_t batch = cell->pairs * (cell->window > 1 ? cell->window / 2 : 1);
    uint32_t before = 0;
    uint64_t number = 0;
    cell_ready(cell);
    do {
        uint32_t now = cell_going(cell) ? batch : 0;
        need(mdb_txn_begin(store, NULL, 0, &txn), "begin");
        take(cell, txn, queue, before);
        put(cell, txn, queue, now, &number);
        need(mdb_txn_commit(txn), "commit");
        cell_confirmed(cell, now);
        before = now;
    } while (before > 0);
    mdb_env_close(store);
}

static void consume(struct cell *cell)
{
    cell_ready(cell);
    while (!cell_drained(cell)) {
        (void)usleep(1000);
    }
}

const struct peer peer = {
    .name = "lmdb", .prepare = prepare, .produce = produce, .consume = consume};
