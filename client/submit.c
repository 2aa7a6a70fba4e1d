/* SPDX-License-Identifier: EUPL-1.2
 *
 * Queued messages into Submit commands: as many as the broker's limits allow in each, envelopes and
 * small payloads packed into one frame, each large payload in its own without another copy.
 * Thread: the client's.
 */
#include "client/sender.h"

#include <assert.h>
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "client/payload.h"

enum {
    BATCH_BYTES = 1024 * 1024, /* where the broker names no limit */
    BATCH_LARGE_MAX = 64,      /* large payloads in one Submit: bounds its frames */
    BATCH_FRAMES_MAX = 2 * BATCH_LARGE_MAX + 1,
};

struct batch {
    struct pending *messages[WIRE_BATCH_MESSAGES];
    size_t count;
    size_t bytes;
    size_t large;
    size_t count_max;
    size_t bytes_max;
};

static size_t bytes_of(const struct pending *pending)
{
    return (size_t)pending->envelope_bytes + pending->payload_bytes;
}

static size_t or_default(uint32_t limit, size_t otherwise)
{
    return limit > 0 ? limit : otherwise;
}

/* True when one more may be unanswered: the broker's windows, and a free place for its number. */
static bool window_has_room(const relais_client *client, const struct batch *batch,
                            const struct pending *pending)
{
    const struct sender *sender = &client->sender;
    const struct connection_limits *limits = &client->connection.limits;
    size_t messages = sender->flight_count + batch->count;
    size_t bytes = sender->flight_bytes + batch->bytes;
    uint64_t number = sender->next_number + batch->count;
    if (messages >= or_default(limits->window_messages, SIZE_MAX) ||
        sender->flight[number & sender->flight_mask] != NULL) {
        return false;
    }
    return messages == 0 || bytes + bytes_of(pending) <= or_default(limits->window_bytes, SIZE_MAX);
}

static bool batch_has_room(const struct batch *batch, const struct pending *pending)
{
    if (batch->count == 0) {
        return true;
    }
    return batch->count < batch->count_max &&
           batch->bytes + bytes_of(pending) <= batch->bytes_max &&
           (pending->shared == NULL || batch->large < BATCH_LARGE_MAX);
}

/* A message that was queued before the broker told its limit. */
static bool end_when_too_large(relais_client *client, struct pending *pending)
{
    const struct connection_limits *limits = &client->connection.limits;
    relais_error error;
    if (limits->payload_bytes > 0 && pending->payload_bytes > limits->payload_bytes) {
        (void)error_fill_number(&error, RELAIS_TOO_LARGE, "payload", pending->payload_bytes,
                                limits->payload_bytes);
    } else if (limits->envelope_bytes > 0 && pending->envelope_bytes > limits->envelope_bytes) {
        (void)error_fill_number(&error, RELAIS_TOO_LARGE, "envelope", pending->envelope_bytes,
                                limits->envelope_bytes);
    } else {
        return false;
    }
    sender_finish(client, pending, &error);
    return true;
}

/* Collects the next messages; the list is not changed but for those that can never be sent. */
static void collect(relais_client *client, struct batch *batch)
{
    struct sender *sender = &client->sender;
    struct pending *next = NULL;
    for (struct pending *pending = sender->unsent; pending != NULL; pending = next) {
        if (pending->state == PENDING_QUEUED) {
            if (end_when_too_large(client, pending)) {
                next = sender->unsent; /* the callback may have submitted */
                batch->count = 0;
                batch->bytes = 0;
                batch->large = 0;
                continue;
            }
            if (!batch_has_room(batch, pending) || !window_has_room(client, batch, pending)) {
                break;
            }
            batch->messages[batch->count++] = pending;
            batch->bytes += bytes_of(pending);
            batch->large += pending->shared != NULL ? 1 : 0;
        } else if (pending == sender->unsent) {
            sender->unsent = pending->next;
        }
        next = pending->next;
    }
}

/* How many of the messages from `first` on share one frame, and its size: up to and including the
 * envelope of the next large payload. */
static size_t packed_size(const struct batch *batch, size_t first, size_t *out_end)
{
    size_t size = 0;
    size_t at = first;
    while (at < batch->count) {
        const struct pending *pending = batch->messages[at++];
        size += pending->envelope_bytes;
        if (pending->shared != NULL) {
            break;
        }
        size += pending->payload_bytes;
    }
    *out_end = at;
    return size;
}

static void pack(const struct batch *batch, size_t first, size_t end, unsigned char *out)
{
    for (size_t i = first; i < end; i++) {
        const struct pending *pending = batch->messages[i];
        memcpy(out, pending->envelope, pending->envelope_bytes);
        out += pending->envelope_bytes;
        if (pending->shared == NULL && pending->payload_bytes > 0) {
            memcpy(out, pending->payload, pending->payload_bytes);
            out += pending->payload_bytes;
        }
    }
}

/* The frames of the body. False without memory; *out_count frames are made in any case. */
static bool make_body(const struct batch *batch, zmq_msg_t *frames, size_t *out_count)
{
    size_t count = 0;
    bool made = true;
    for (size_t first = 0, end = 0; made && first < batch->count; first = end) {
        size_t size = packed_size(batch, first, &end);
        struct payload_copy *large = batch->messages[end - 1]->shared;
        assert(count + 2 <= BATCH_FRAMES_MAX + 1);
        made = zmq_msg_init_size(&frames[count], size) == 0;
        if (made) {
            pack(batch, first, end, zmq_msg_data(&frames[count]));
            count++;
        }
        if (made && large != NULL) {
            made = payload_copy_frame(large, &frames[count]);
            count += made ? 1 : 0;
        }
    }
    *out_count = count;
    return made;
}

static void take_off(struct sender *sender, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct pending *pending = batch->messages[i];
        pending->state = PENDING_IN_FLIGHT;
        pending->number = sender->next_number++;
        sender->flight[pending->number & sender->flight_mask] = pending;
        sender->flight_count++;
        sender->flight_bytes += bytes_of(pending);
    }
    sender->unsent = batch->messages[batch->count - 1]->next;
}

/* True when the whole batch is on its way. */
static bool submit(relais_client *client, const struct batch *batch)
{
    Relais__V1__Part parts[WIRE_BATCH_MESSAGES];
    Relais__V1__Part *list[WIRE_BATCH_MESSAGES];
    zmq_msg_t frames[BATCH_FRAMES_MAX + 1];
    size_t frame_count = 0;
    Relais__V1__Submit command = RELAIS__V1__SUBMIT__INIT;
    Relais__V1__ToBroker envelope = RELAIS__V1__TO_BROKER__INIT;
    for (size_t i = 0; i < batch->count; i++) {
        relais__v1__part__init(&parts[i]);
        parts[i].envelope_bytes = batch->messages[i]->envelope_bytes;
        parts[i].payload_bytes = batch->messages[i]->payload_bytes;
        parts[i].upload = batch->messages[i]->upload;
        list[i] = &parts[i];
    }
    command.first_number = client->sender.next_number;
    command.n_parts = batch->count;
    command.parts = list;
    envelope.command_case = RELAIS__V1__TO_BROKER__COMMAND_SUBMIT;
    envelope.submit = &command;
    bool sent = make_body(batch, frames, &frame_count) &&
                client_say(client, &envelope, frames, frame_count);
    for (size_t i = 0; i < frame_count; i++) {
        (void)zmq_msg_close(&frames[i]);
    }
    return sent;
}

/* Those whose rest is over may go again. */
static void wake(struct sender *sender, int64_t now_ms)
{
    if (now_ms < sender->rest_ms) {
        return;
    }
    sender->rest_ms = INT64_MAX;
    for (struct pending *pending = sender->first; pending != NULL; pending = pending->next) {
        if (pending->state == PENDING_RESTING && pending->due_ms <= now_ms) {
            pending->state = PENDING_QUEUED;
        } else if (pending->state == PENDING_RESTING && pending->due_ms < sender->rest_ms) {
            sender->rest_ms = pending->due_ms;
        }
    }
    sender->unsent = sender->first;
}

void sender_flush(relais_client *client, int64_t now_ms)
{
    const struct connection_limits *limits = &client->connection.limits;
    struct batch batch;
    size_t count_max = or_default(limits->batch_messages, WIRE_BATCH_MESSAGES);
    wake(&client->sender, now_ms);
    do {
        batch.count = 0;
        batch.bytes = 0;
        batch.large = 0;
        batch.count_max = count_max < WIRE_BATCH_MESSAGES ? count_max : WIRE_BATCH_MESSAGES;
        batch.bytes_max = or_default(limits->batch_bytes, BATCH_BYTES);
        collect(client, &batch);
        if (batch.count > 0 && !submit(client, &batch)) {
            return;
        }
        if (batch.count > 0) {
            take_off(&client->sender, &batch);
        }
    } while (batch.count > 0);
}
