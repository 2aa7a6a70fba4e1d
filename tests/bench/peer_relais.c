/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Relais, through librelais, CURVE on: submit and outcome, receive and acknowledge. TARGET is a
 * profile; the bus has the member "bench" with the service "box" and the flow LOAD. PORT is the
 * profile's.
 */
#include "tests/bench/cell.h"

#include <relais/relais.h>

#include <stdio.h>

enum { CONNECT_MS = 10000 };

static void fail(const char *what, const relais_error *error)
{
    char text[512];
    cell_fail(what, relais_error_text(error, text, sizeof text));
}

static relais_client *open_line(const struct cell *cell)
{
    relais_client *client = NULL;
    relais_error error = {0};
    if (relais_client_open_profile(cell->target, &client, &error) != RELAIS_OK ||
        relais_client_connect(client, CONNECT_MS, &error) != RELAIS_OK) {
        fail("connect", &error);
    }
    return client;
}

static void outcome(void *context, const relais_outcome *outcome)
{
    if (outcome->error.status != RELAIS_OK) {
        fail("submit", &outcome->error);
    }
    cell_confirmed(context, 1);
}

static void produce(struct cell *cell)
{
    relais_client *client = open_line(cell);
    static const char *const to[] = {"bench/box"};
    relais_message message = {
        .type = "fr.relais.bench", .from = "bench/box", .to = to, .to_count = 1, .flow = "LOAD"};
    relais_error error = {0};
    const char *payload = NULL;
    cell_ready(cell);
    while (payload != NULL || cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (payload != NULL || (cell_unconfirmed(cell) < cell->window && cell_going(cell))) {
            if (payload == NULL) {
                payload = cell_next(cell);
            }
            message.payload = (relais_bytes){(const void *)payload, cell->bytes};
            relais_status status = relais_submit(client, &message, outcome, cell, &error);
            if (status == RELAIS_WINDOW_FULL) {
                break; /* the library's own bound in bytes: the same message again */
            }
            if (status != RELAIS_OK) {
                fail("submit", &error);
            }
            payload = NULL;
        }
        (void)relais_wait(client, CELL_TURN_MS, NULL, 0);
    }
    relais_client_close(client);
}

static void consume(struct cell *cell)
{
    relais_client *client = open_line(cell);
    relais_consumer *consumer = NULL;
    relais_error error = {0};
    if (relais_attach(client, "bench/box", cell->credit, &consumer, &error) != RELAIS_OK) {
        fail("attach", &error);
    }
    cell_ready(cell);
    while (!cell_drained(cell)) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(consumer, CELL_TURN_MS, &delivery, &error);
        if (status == RELAIS_TIMED_OUT) {
            continue;
        }
        if (status != RELAIS_OK) {
            fail("receive", &error);
        }
        const relais_message *message = relais_delivery_message(delivery);
        cell_got(cell, message->payload.data, message->payload.size);
        (void)relais_ack(delivery);
        relais_delivery_free(delivery);
    }
    while (relais_unsettled(consumer) > 0) {
        (void)relais_wait(client, CELL_TURN_MS, NULL, 0);
    }
    relais_detach(consumer);
    relais_client_close(client);
}

const struct peer peer = {.name = "relais", .produce = produce, .consume = consume};
