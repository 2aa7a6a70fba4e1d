/* SPDX-License-Identifier: EUPL-1.2
 *
 * Deliveries that come in, and what becomes of answers at the broker. A delivery whose envelope
 * cannot be read or whose payload is not the one described is refused here, and never shown.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/envelope.h"
#include "client/error.h"
#include "client/receiver.h"
#include "wire/body.h"
#include "wire/codec.h"

/* One delivery as it lies in the frames. */
struct piece {
    struct bytes envelope;
    struct bytes payload;
    struct frame *frame; /* of the payload */
    uint64_t tag;
    const Relais__V1__Delivery *said;
};

static relais_delivery *delivery_new(size_t memory_bytes)
{
    size_t size = sizeof(relais_delivery) + memory_bytes;
    relais_delivery *delivery = malloc(size);
    if (delivery != NULL) {
        memset(delivery, 0, sizeof *delivery);
    }
    return delivery;
}

static const char *find_fault(const Relais__V1__Envelope *envelope, struct bytes payload,
                              uint64_t stored_bytes)
{
    uint8_t digest[RELAIS_DIGEST_BYTES];
    if (envelope == NULL) {
        return "MALFORMED: the envelope cannot be read";
    }
    if (envelope->payload_digest.len == sizeof digest && stored_bytes > 0 &&
        envelope->payload_size == stored_bytes && payload.size == 0) {
        return NULL; /* looked at when it has been fetched */
    }
    envelope_digest(payload, digest);
    if (envelope->payload_size != payload.size || envelope->payload_digest.len != sizeof digest ||
        memcmp(envelope->payload_digest.data, digest, sizeof digest) != 0) {
        return "DIGEST_MISMATCH: the payload is not the one that the envelope describes";
    }
    return NULL;
}

static void name_sender(relais_delivery *delivery)
{
    const char *from = delivery->message.from;
    const char *slash = from != NULL ? strchr(from, '/') : NULL;
    size_t size = slash != NULL ? (size_t)(slash - from) : 0;
    if (size < sizeof delivery->sender) {
        memcpy(delivery->sender, from != NULL ? from : "", size);
        delivery->sender[size] = '\0';
    }
}

/* The bytes that the signature is over. False without memory. */
static bool keep_letter(relais_delivery *delivery, const Relais__V1__Envelope *envelope,
                        struct bytes bytes)
{
    if (envelope->signature.len == 0 && envelope->n_wraps == 0) {
        return true;
    }
    delivery->letter = malloc(bytes.size);
    if (delivery->letter != NULL) {
        memcpy(delivery->letter, bytes.data, bytes.size);
        delivery->letter_bytes = bytes.size;
    }
    return delivery->letter != NULL;
}

/* False without memory. */
static bool add(relais_client *client, relais_consumer *consumer, const struct piece *piece,
                int64_t now_ms)
{
    struct wire_fault fault;
    Relais__V1__Envelope *envelope =
        wire_unpack_envelope(piece->envelope, &client->envelopes, &fault);
    bool starved = envelope == NULL && client->envelopes.starved;
    const char *wrong = find_fault(envelope, piece->payload, piece->said->stored_bytes);
    assert(envelope != NULL || wrong != NULL);
    relais_delivery *delivery = NULL;
    if (!starved) {
        delivery = delivery_new(wrong == NULL ? envelope_view_bytes(envelope) : 0);
    }
    if (delivery != NULL) {
        delivery->consumer = consumer;
        delivery->generation = consumer->generation;
        delivery->tag = piece->tag;
        delivery->attempt = piece->said->attempt;
        delivery->accepted_ms = piece->said->accepted_ms;
        delivery->lease_ms = piece->said->lease_ms > 0 ? piece->said->lease_ms : consumer->lease_ms;
        delivery->lease_until_ms = now_ms + delivery->lease_ms;
        consumer->held++;
    }
    if (delivery != NULL && wrong != NULL) {
        answer_record(delivery, ANSWER_REFUSE, 0, wrong);
        delivery->freed = true;
    } else if (delivery != NULL) {
        envelope_view(envelope, delivery->memory, &delivery->message);
        delivery->stored_bytes = piece->said->stored_bytes;
        memcpy(delivery->digest, envelope->payload_digest.data, sizeof delivery->digest);
        delivery->message.payload = (relais_bytes){piece->payload.data, piece->payload.size};
        delivery->frame = piece->frame;
        delivery->frame->references++;
        name_sender(delivery);
        if (!keep_letter(delivery, envelope, piece->envelope)) {
            consumer->held--;
            delivery_destroy(delivery);
            wire_arena_reset(&client->envelopes);
            return false;
        }
        delivery_append(&consumer->ready, delivery);
        client->happened = true;
    }
    wire_arena_reset(&client->envelopes);
    return delivery != NULL;
}

/* Cuts the next envelope and payload out of the body. */
static bool cut(struct body_reader *reader, const struct frames_in *in, struct piece *piece)
{
    size_t frame = 0;
    const Relais__V1__Part *part = piece->said->part;
    if (part == NULL || part->envelope_bytes == 0 ||
        !body_reader_next(reader, part->envelope_bytes, &piece->envelope, &frame) ||
        !body_reader_next(reader, part->payload_bytes, &piece->payload, &frame)) {
        return false;
    }
    piece->frame = in->frames[frame + 1];
    return true;
}

bool receiver_deliver(relais_client *client, const Relais__V1__Deliver *deliver,
                      const struct frames_in *in, int64_t now_ms)
{
    relais_consumer *consumer = consumer_find(client, deliver->consumer);
    struct body_reader reader;
    if (consumer == NULL) {
        return false;
    }
    if (consumer->state == CONSUMER_LEAVING) {
        return true; /* it crossed our Detach; the broker takes it back */
    }
    if (consumer->state != CONSUMER_ATTACHED || deliver->first_tag != consumer->next_tag ||
        deliver->n_deliveries + consumer->held + consumer->owed > consumer->credit_used) {
        return false;
    }
    body_reader_init(&reader, in->bytes + 1, in->count - 1);
    for (size_t i = 0; i < deliver->n_deliveries; i++) {
        struct piece piece = {.tag = consumer->next_tag, .said = deliver->deliveries[i]};
        if (!cut(&reader, in, &piece)) {
            return false;
        }
        consumer->next_tag++;
        if (!add(client, consumer, &piece, now_ms)) {
            /* the leases go with the line, and all comes again */
            (void)error_fill(&client->connection.complaint, RELAIS_NO_MEMORY, NULL, NULL, NULL);
            return false;
        }
    }
    return body_reader_done(&reader);
}

bool receiver_settled(relais_client *client, const Relais__V1__Settled *settled)
{
    relais_consumer *consumer = consumer_find(client, settled->consumer);
    if (consumer == NULL) {
        return true;
    }
    for (size_t i = 0; i < settled->n_tags; i++) {
        const Relais__V1__Range *range = settled->tags[i];
        if (range->first == 0 || range->first > range->last || range->last >= consumer->next_tag) {
            return false;
        }
        uint64_t count = range->last - range->first + 1;
        consumer->unsettled -= count < consumer->unsettled ? (size_t)count : consumer->unsettled;
    }
    client->happened = true;
    return true;
}

/* Whose it was is not said: what is still unsettled a while after the last answer never will be. */
void receiver_unknown_delivery(relais_client *client, int64_t now_ms)
{
    for (relais_consumer *consumer = client->receiver.consumers; consumer != NULL;
         consumer = consumer->next) {
        consumer->unsure = consumer->unsettled > 0;
        consumer->answered_ms = now_ms;
    }
}
