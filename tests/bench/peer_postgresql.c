/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * PostgreSQL as a queue. A producer sends half a window of INSERTs as one transaction, two of
 * them in flight (libpq's pipeline: what lies between two syncs commits together), one INSERT a
 * transaction when the window is 1. A consumer deletes what it has taken in one transaction, FOR
 * UPDATE SKIP LOCKED, and polls every half millisecond when there is nothing.
 */
#include "tests/bench/cell.h"

#include <libpq-fe.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_US = 500, LINE_BYTES = 128 };

static const char insert_text[] = "INSERT INTO q (payload) VALUES ($1)";
static const char take_text[] = /* by ctid: no plan can scan the table for what was just locked */
    "DELETE FROM q WHERE ctid = ANY (ARRAY (SELECT ctid FROM q ORDER BY id LIMIT $1 "
    "FOR UPDATE SKIP LOCKED)) RETURNING payload";

static PGconn *open_line(const struct cell *cell)
{
    char where[LINE_BYTES];
    (void)snprintf(where, sizeof where, "host=%s port=%d user=postgres dbname=postgres", cell_host,
                   cell->port);
    PGconn *line = PQconnectdb(where);
    if (PQstatus(line) != CONNECTION_OK) {
        cell_fail("connect", PQerrorMessage(line));
    }
    return line;
}

/* Frees the result. */
static void need(PGconn *line, PGresult *result, ExecStatusType status)
{
    if (PQresultStatus(result) != status) {
        cell_fail("command", PQerrorMessage(line));
    }
    PQclear(result);
}

static void prepare(struct cell *cell)
{
    PGconn *line = open_line(cell);
    static const char *const commands[] = {
        "DROP TABLE IF EXISTS q", "CREATE TABLE q (id bigserial PRIMARY KEY, payload bytea)",
        "ALTER TABLE q ALTER payload SET STORAGE EXTERNAL" /* random bytes: do not try to compress
                                                            */
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        need(line, PQexec(line, commands[i]), PGRES_COMMAND_OK);
    }
    PQfinish(line);
}

static void submit(PGconn *line, struct cell *cell, uint32_t count)
{
    const int length = (int)cell->bytes;
    const int binary = 1;
    for (uint32_t i = 0; i < count; i++) {
        const char *payload = cell_next(cell);
        if (PQsendQueryPrepared(line, "put", 1, &payload, &length, &binary, 1) != 1) {
            cell_fail("INSERT", PQerrorMessage(line));
        }
    }
    if (PQpipelineSync(line) != 1) {
        cell_fail("sync", PQerrorMessage(line));
    }
}

static void await_commit(PGconn *line, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        need(line, PQgetResult(line), PGRES_COMMAND_OK);
        if (PQgetResult(line) != NULL) {
            cell_fail("INSERT", "more than one result");
        }
    }
    need(line, PQgetResult(line), PGRES_PIPELINE_SYNC);
}

static void produce(struct cell *cell)
{
    PGconn *line = open_line(cell);
    need(line, PQprepare(line, "put", insert_text, 1, NULL), PGRES_COMMAND_OK);
    if (PQenterPipelineMode(line) != 1) {
        cell_fail("pipeline", PQerrorMessage(line));
    }
    uint32_t batch = cell->window > 1 ? cell->window / 2 : 1;
    cell_ready(cell);
    while (cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (cell_unconfirmed(cell) + batch <= cell->window && cell_going(cell)) {
            submit(line, cell, batch);
        }
        await_commit(line, batch);
        cell_confirmed(cell, batch);
    }
    PQfinish(line);
}

static void consume(struct cell *cell)
{
    PGconn *line = open_line(cell);
    need(line, PQprepare(line, "take", take_text, 1, NULL), PGRES_COMMAND_OK);
    const uint32_t limit[2] = {0, htonl(cell->credit)}; /* a bigint, high half first */
    const char *value = (const char *)limit;
    const int length = sizeof limit;
    const int binary = 1;
    const struct timespec pause = {.tv_nsec = POLL_US * 1000L};
    cell_ready(cell);
    while (!cell_drained(cell)) {
        need(line, PQexec(line, "BEGIN"), PGRES_COMMAND_OK);
        PGresult *taken = PQexecPrepared(line, "take", 1, &value, &length, &binary, 1);
        if (PQresultStatus(taken) != PGRES_TUPLES_OK) {
            cell_fail("DELETE", PQerrorMessage(line));
        }
        int count = PQntuples(taken);
        for (int i = 0; i < count; i++) {
            cell_got(cell, PQgetvalue(taken, i, 0), (size_t)PQgetlength(taken, i, 0));
        }
        PQclear(taken);
        need(line, PQexec(line, "COMMIT"), PGRES_COMMAND_OK);
        if (count == 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
    PQfinish(line);
}

const struct peer peer = {
    .name = "postgresql", .prepare = prepare, .produce = produce, .consume = consume};
