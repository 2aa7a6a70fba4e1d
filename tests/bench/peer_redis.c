/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Redis Streams: XADD; one consumer group with a name for each consumer, XREADGROUP, then XACK and
 * XDEL of the whole batch in one write: an acknowledged message is gone, as from any queue. Durable
 * by the server's `appendfsync always`.
 */
#include "tests/bench/cell.h"

#include <hiredis/hiredis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_BYTES = 256 * 1024 };

static redisContext *open_line(const struct cell *cell)
{
    redisContext *line = redisConnect(cell_host, cell->port);
    if (line == NULL || line->err != 0) {
        cell_fail("connect", line != NULL ? line->errstr : NULL);
    }
    return line;
}

static void need(redisContext *line, const redisReply *reply)
{
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        cell_fail("command", reply != NULL ? reply->str : line->errstr);
    }
}

static void prepare(struct cell *cell)
{
    redisContext *line = open_line(cell);
    static const char *const commands[] = {"DEL s", "XGROUP CREATE s g $ MKSTREAM"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        redisReply *reply = redisCommand(line, commands[i]);
        need(line, reply);
        freeReplyObject(reply);
    }
    redisFree(line);
}

static void submit(redisContext *line, struct cell *cell)
{
    const char *words[] = {"XADD", "s", "*", "p", cell_next(cell)};
    const size_t lengths[] = {4, 1, 1, 1, cell->bytes};
    if (redisAppendCommandArgv(line, 5, words, lengths) != REDIS_OK) {
        cell_fail("XADD", line->errstr);
    }
    int done = 0;
    if (sdslen(line->obuf) >= WRITE_BYTES && redisBufferWrite(line, &done) != REDIS_OK) {
        cell_fail("write", line->errstr);
    }
}

static void produce(struct cell *cell)
{
    redisContext *line = open_line(cell);
    cell_ready(cell);
    while (cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (cell_unconfirmed(cell) < cell->window && cell_going(cell)) {
            submit(line, cell);
        }
        redisReply *reply = NULL;
        if (redisGetReply(line, (void **)&reply) != REDIS_OK) {
            cell_fail("reply", line->errstr);
        }
        for (; reply != NULL;) { /* and those that came in the same read */
            need(line, reply);
            cell_confirmed(cell, 1);
            freeReplyObject(reply);
            reply = NULL;
            if (redisGetReplyFromReader(line, (void **)&reply) != REDIS_OK) {
                cell_fail("reply", line->errstr);
            }
        }
    }
    redisFree(line);
}

/* XACK s g id... and XDEL s id...; both are on disk when both are answered. */
static void settle(redisContext *line, const redisReply *entries)
{
    size_t count = entries->elements;
    const char **words = calloc(count + 3, sizeof *words);
    size_t *lengths = calloc(count + 3, sizeof *lengths);
    if (words == NULL || lengths == NULL) {
        cell_fail("settle", "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        const redisReply *id = entries->element[i]->element[0];
        words[i + 3] = id->str;
        lengths[i + 3] = id->len;
    }
    words[0] = "XACK", lengths[0] = 4;
    words[1] = "s", lengths[1] = 1;
    words[2] = "g", lengths[2] = 1;
    redisAppendCommandArgv(line, (int)count + 3, words, lengths);
    words[1] = "XDEL", lengths[1] = 4;
    words[2] = "s", lengths[2] = 1;
    redisAppendCommandArgv(line, (int)count + 2, words + 1, lengths + 1);
    for (int i = 0; i < 2; i++) {
        redisReply *reply = NULL;
        (void)redisGetReply(line, (void **)&reply);
        need(line, reply);
        freeReplyObject(reply);
    }
    free(lengths);
    free(words);
}

static void consume(struct cell *cell)
{
    redisContext *line = open_line(cell);
    cell_ready(cell);
    while (!cell_drained(cell)) {
        redisReply *reply =
            redisCommand(line, "XREADGROUP GROUP g c%u COUNT %u BLOCK %d STREAMS s >", cell->number,
                         cell->credit, CELL_TURN_MS);
        need(line, reply);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1) {
            const redisReply *entries = reply->element[0]->element[1];
            for (size_t i = 0; i < entries->elements; i++) {
                const redisReply *value = entries->element[i]->element[1]->element[1];
                cell_got(cell, value->str, value->len);
            }
            settle(line, entries);
        }
        freeReplyObject(reply);
    }
    redisFree(line);
}

const struct peer peer = {
    .name = "redis", .prepare = prepare, .produce = produce, .consume = consume};
