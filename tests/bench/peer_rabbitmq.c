/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * RabbitMQ: a quorum queue with one member, persistent messages, publisher confirms; a consumer
 * acknowledges cumulatively whenever nothing more is in its buffer, or half its credit is used.
 */
#include "tests/bench/cell.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { FRAME_BYTES = 131072 };

static const char queue_name[] = "bench";

static void need(amqp_rpc_reply_t reply, const char *what)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        cell_fail(what, amqp_error_string2(reply.library_error));
    }
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        cell_fail(what, "refused by the server");
    }
}

static amqp_connection_state_t open_line(const struct cell *cell)
{
    amqp_connection_state_t line = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(line);
    if (socket == NULL || amqp_socket_open(socket, cell_host, cell->port) != 0) {
        cell_fail("connect", "no answer");
    }
    need(amqp_login(line, "/", 0, FRAME_BYTES, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
         "login");
    amqp_channel_open(line, 1);
    need(amqp_get_rpc_reply(line), "channel");
    return line;
}

static void close_line(amqp_connection_state_t line)
{
    (void)amqp_connection_close(line, AMQP_REPLY_SUCCESS);
    (void)amqp_destroy_connection(line);
}

static void delete_queue(const struct cell *cell)
{
    amqp_connection_state_t line = open_line(cell);
    (void)amqp_queue_delete(line, 1, amqp_cstring_bytes(queue_name), 0, 0);
    close_line(line);
}

static void prepare(struct cell *cell)
{
    delete_queue(cell);
    amqp_connection_state_t line = open_line(cell);
    amqp_table_entry_t kind = {
        .key = amqp_cstring_bytes("x-queue-type"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")}};
    amqp_table_t table = {.num_entries = 1, .entries = &kind};
    amqp_queue_declare(line, 1, amqp_cstring_bytes(queue_name), 0, 1, 0, 0, table);
    need(amqp_get_rpc_reply(line), "declare");
    close_line(line);
}

static void submit(amqp_connection_state_t line, struct cell *cell)
{
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};
    amqp_bytes_t body = {.len = cell->bytes, .bytes = (void *)cell_next(cell)};
    int code = amqp_basic_publish(line, 1, amqp_empty_bytes, amqp_cstring_bytes(queue_name), 0, 0,
                                  &properties, body);
    if (code != AMQP_STATUS_OK) {
        cell_fail("publish", amqp_error_string2(code));
    }
}

/* Basic.Ack of the server; tags count publishes from 1. */
static void confirm(struct cell *cell, const amqp_frame_t *frame, uint64_t *acked)
{
    if (frame->frame_type != AMQP_FRAME_METHOD ||
        frame->payload.method.id != AMQP_BASIC_ACK_METHOD) {
        cell_fail("confirm", "something else than an ack");
    }
    const amqp_basic_ack_t *ack = frame->payload.method.decoded;
    uint64_t count = ack->multiple ? ack->delivery_tag - *acked : 1;
    *acked += count;
    cell_confirmed(cell, count);
}

static void produce(struct cell *cell)
{
    amqp_connection_state_t line = open_line(cell);
    amqp_confirm_select(line, 1);
    need(amqp_get_rpc_reply(line), "confirm.select");
    uint64_t acked = 0;
    cell_ready(cell);
    while (cell_going(cell) || cell_unconfirmed(cell) > 0) {
        while (cell_unconfirmed(cell) < cell->window && cell_going(cell)) {
            submit(line, cell);
        }
        amqp_frame_t frame;
        do {
            amqp_maybe_release_buffers(line);
            int code = amqp_simple_wait_frame(line, &frame);
            if (code != AMQP_STATUS_OK) {
                cell_fail("confirm", amqp_error_string2(code));
            }
            confirm(cell, &frame, &acked);
        } while (amqp_frames_enqueued(line) || amqp_data_in_buffer(line));
    }
    close_line(line);
}

static void settle(amqp_connection_state_t line, uint64_t tag)
{
    if (amqp_basic_ack(line, 1, tag, 1) != AMQP_STATUS_OK) {
        cell_fail("ack", "not sent");
    }
}

static void consume(struct cell *cell)
{
    amqp_connection_state_t line = open_line(cell);
    amqp_basic_qos(line, 1, 0, (uint16_t)cell->credit, 0);
    need(amqp_get_rpc_reply(line), "qos");
    amqp_basic_consume(line, 1, amqp_cstring_bytes(queue_name), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    need(amqp_get_rpc_reply(line), "consume");
    cell_ready(cell);
    uint64_t settled = 0;
    while (!cell_drained(cell)) {
        struct timeval turn = {.tv_usec = CELL_TURN_MS * 1000L};
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(line);
        amqp_rpc_reply_t reply = amqp_consume_message(line, &envelope, &turn, 0);
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
            reply.library_error == AMQP_STATUS_TIMEOUT) {
            continue;
        }
        need(reply, "message");
        cell_got(cell, envelope.message.body.bytes, envelope.message.body.len);
        uint64_t tag = envelope.delivery_tag;
        amqp_destroy_envelope(&envelope);
        bool idle = !amqp_frames_enqueued(line) && !amqp_data_in_buffer(line);
        if (idle || tag - settled >= cell->credit / 2) {
            settle(line, tag);
            settled = tag;
        }
    }
    close_line(line); /* answered after the acks before it were taken */
}

const struct peer peer = {
    .name = "rabbitmq", .prepare = prepare, .produce = produce, .consume = consume};
