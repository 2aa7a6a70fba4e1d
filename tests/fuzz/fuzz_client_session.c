/* SPDX-License-Identifier: EUPL-1.2
 *
 * Whatever a broker says to a client that is in the middle of its work: messages in flight, a
 * consumer with credit, one that leaves, deliveries that are answered at once.
 * Input: messages, each a byte with the number of its frames (1 to 4), then for each frame two
 * bytes with its size, little-endian, and its bytes. No socket is open: what the client says is
 * lost.
 */
#include "client/client_state.h"
#include "client/envelope.h"

#include <relais/relais.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 4, SUBMITTED = 4, WINDOW = 16, CREDIT = 8, NOW_MS = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static bool take(struct input *input, size_t size, const uint8_t **out_bytes)
{
    if (size > input->size) {
        return false;
    }
    *out_bytes = input->data;
    input->data += size;
    input->size -= size;
    return true;
}

/* Frames are exact blocks of their own, so that a byte read behind one is seen. */
static bool take_frame(struct input *input, struct frames_in *in)
{
    const uint8_t *bytes = NULL;
    if (!take(input, 2, &bytes)) {
        return false;
    }
    size_t size = (size_t)(bytes[0] | bytes[1] << 8);
    struct frame *frame = malloc(sizeof *frame);
    if (frame == NULL || !take(input, size, &bytes)) {
        free(frame);
        return false;
    }
    frame->references = 1;
    (void)zmq_msg_init_size(&frame->content, size);
    memcpy(zmq_msg_data(&frame->content), bytes, size);
    in->frames[in->count] = frame;
    in->bytes[in->count] = (struct bytes){zmq_msg_data(&frame->content), size};
    in->count++;
    return true;
}

static bool take_message(struct input *input, struct frames_in *in)
{
    const uint8_t *count = NULL;
    frames_in_clear(in);
    if (!take(input, 1, &count)) {
        return false;
    }
    for (int i = 0; i < 1 + count[0] % FRAMES_MAX; i++) {
        if (!take_frame(input, in)) {
            return false;
        }
    }
    return true;
}

static relais_client *new_client(void)
{
    relais_client *client = calloc(1, sizeof *client);
    if (client == NULL || sender_init(&client->sender, WINDOW, 1 << 20) != RELAIS_OK ||
        !wire_arena_init(&client->commands, WIRE_ARENA_BYTES) ||
        !wire_arena_init(&client->envelopes, WIRE_ARENA_BYTES)) {
        abort();
    }
    client->connection.phase = CONNECTION_READY;
    client->connection.limits.payload_bytes = 1 << 16;
    client->in.frames = calloc(FRAMES_MAX, sizeof(void *));
    client->in.bytes = calloc(FRAMES_MAX, sizeof(struct bytes));
    client->in.capacity = FRAMES_MAX;
    return client;
}

/* As sender_flush() leaves it, but for the socket. */
static void put_in_flight(relais_client *client)
{
    struct sender *sender = &client->sender;
    static const char *const to[] = {"dila/a"};
    for (int i = 0; i < SUBMITTED; i++) {
        relais_message message = {.type = "t", .to = to, .to_count = 1, .flow = "F"};
        if (relais_submit(client, &message, NULL, NULL, NULL) != RELAIS_OK) {
            abort();
        }
        struct pending *pending = sender->last;
        pending->state = PENDING_IN_FLIGHT;
        pending->number = sender->next_number++;
        sender->flight[pending->number & sender->flight_mask] = pending;
        sender->flight_count++;
        sender->flight_bytes += (size_t)pending->envelope_bytes + pending->payload_bytes;
    }
    sender->unsent = NULL;
}

static relais_consumer *attach(relais_client *client, enum consumer_state state)
{
    relais_consumer *consumer = NULL;
    if (relais_attach(client, "dila/a", CREDIT, &consumer, NULL) != RELAIS_OK) {
        abort();
    }
    consumer->state = state;
    consumer->credit_used = CREDIT;
    return consumer;
}

/* A receiver that reads every byte of the payload and answers in turn. */
static void answer_all(relais_consumer *consumer)
{
    relais_delivery *delivery = NULL;
    while ((delivery = delivery_take(&consumer->ready)) != NULL) {
        const relais_message *message = relais_delivery_message(delivery);
        consumer->references++;
        uint8_t digest[RELAIS_DIGEST_BYTES];
        envelope_digest((struct bytes){message->payload.data, message->payload.size}, digest);
        if (delivery->tag % 2 == 0) {
            (void)relais_ack(delivery);
        }
        relais_delivery_free(delivery);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    relais_client *client = new_client();
    put_in_flight(client);
    relais_consumer *attached = attach(client, CONSUMER_ATTACHED); /* its number is 1 */
    (void)attach(client, CONSUMER_ATTACHING);
    (void)attach(client, CONSUMER_LEAVING);
    while (take_message(&input, &client->in)) {
        if (!dispatch_frames(client, NOW_MS)) {
            break;
        }
        answer_all(attached);
    }
    connection_lose(client, RELAIS_UNREACHABLE, NOW_MS);
    relais_client_close(client);
    return 0;
}
