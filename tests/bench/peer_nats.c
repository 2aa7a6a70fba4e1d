/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * NATS JetStream, file storage, work-queue retention (an acknowledged message is gone; explicit
 * acks are the only ones that this retention allows), one consumer of a group that the server
 * shares out among its members. Debian's 2.9.10 answers a publish before any
 * sync: its confirm does not mean what that of the others means.
 */
#include "tests/bench/cell.h"

#include <nats/nats.h>

#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 30000, NAME_BYTES = 128 };

static void need(natsStatus status, const char *what)
{
    if (status != NATS_OK) {
        cell_fail(what, natsStatus_GetText(status));
    }
}

static natsConnection *open_line(const struct cell *cell)
{
    natsConnection *line = NULL;
    natsOptions *options = NULL;
    char url[NAME_BYTES];
    (void)snprintf(url, sizeof url, "nats://%s:%d", cell_host, cell->port);
    need(natsOptions_Create(&options), "options");
    need(natsOptions_SetURL(options, url), "options");
    need(natsOptions_SetSendAsap(options, cell->window == 1), "options");
    need(natsConnection_Connect(&line, options), "connect");
    natsOptions_Destroy(options);
    return line;
}

static void prepare(struct cell *cell)
{
    natsConnection *line = open_line(cell);
    jsCtx *stream = NULL;
    need(natsConnection_JetStream(&stream, line, NULL), "JetStream");
    (void)js_DeleteStream(stream, "bench", NULL, NULL); /* there is none the first time */
    jsStreamConfig config;
    need(jsStreamConfig_Init(&config), "stream");
    static const char *subjects[] = {"q"};
    config.Name = "bench";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Retention = js_WorkQueuePolicy;
    need(js_AddStream(NULL, stream, &config, NULL, NULL), "stream");
    jsConsumerConfig box;
    need(jsConsumerConfig_Init(&box), "consumer");
    box.Durable = "box";
    box.DeliverSubject = "box";
    box.DeliverGroup = "readers";
    box.AckPolicy = js_AckExplicit;
    box.MaxAckPending = (int64_t)cell->credit * cell->pairs;
    need(js_AddConsumer(NULL, stream, "bench", &box, NULL, NULL), "consumer");
    jsCtx_Destroy(stream);
    natsConnection_Destroy(line);
}

/* {"stream":"bench","seq":1}, or with an "error" */
static void confirm(struct cell *cell, natsMsg *answer)
{
    if (natsMsg_GetDataLength(answer) == 0 ||
        strstr(natsMsg_GetData(answer), "\"error\"") != NULL) {
        cell_fail("publish", natsMsg_GetData(answer));
    }
    cell_confirmed(cell, 1);
    natsMsg_Destroy(answer);
}

static void produce(struct cell *cell)
{
    natsConnection *line = open_line(cell);
    natsSubscription *answers = NULL;
    natsInbox *inbox = NULL;
    need(natsInbox_Create(&inbox), "inbox");
    need(natsConnection_SubscribeSync(&answers, line, inbox), "inbox");
    cell_ready(cell);
    while (cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (cell_unconfirmed(cell) < cell->window && cell_going(cell)) {
            need(natsConnection_PublishRequest(line, "q", inbox, cell_next(cell), (int)cell->bytes),
                 "publish");
        }
        natsMsg *answer = NULL;
        need(natsSubscription_NextMsg(&answer, answers, ANSWER_MS), "confirm");
        do {
            confirm(cell, answer);
        } while (natsSubscription_NextMsg(&answer, answers, 0) == NATS_OK);
    }
    natsInbox_Destroy(inbox);
    natsSubscription_Destroy(answers);
    natsConnection_Destroy(line);
}

static void consume(struct cell *cell)
{
    natsConnection *line = open_line(cell);
    jsCtx *stream = NULL;
    natsSubscription *box = NULL;
    jsSubOptions options;
    need(natsConnection_JetStream(&stream, line, NULL), "JetStream");
    need(jsSubOptions_Init(&options), "subscribe");
    options.Stream = "bench";
    options.Consumer = "box";
    options.Queue = "readers";
    options.ManualAck = true;
    need(js_SubscribeSync(&box, stream, "q", NULL, &options, NULL), "subscribe");
    cell_ready(cell);
    while (!cell_drained(cell)) {
        natsMsg *message = NULL;
        natsStatus status = natsSubscription_NextMsg(&message, box, CELL_TURN_MS);
        if (status == NATS_TIMEOUT) {
            continue;
        }
        need(status, "message");
        cell_got(cell, natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message));
        need(natsMsg_Ack(message, NULL), "ack");
        natsMsg_Destroy(message);
    }
    need(natsConnection_FlushTimeout(line, ANSWER_MS), "ack"); /* the server has read them all */
    natsSubscription_Destroy(box);
    jsCtx_Destroy(stream);
    natsConnection_Destroy(line);
}

const struct peer peer = {
    .name = "nats", .prepare = prepare, .produce = produce, .consume = consume};
