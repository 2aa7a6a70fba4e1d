/* SPDX-License-Identifier: EUPL-1.2
 *
 * Verifying and opening what came in. The order counts: whose signature, over the very bytes that
 * came; then our wrap; then the payload, whole. Nothing is shown before all three are right.
 */
#include "client/sealing.h"

#include "client/receiver.h"
#include "seal/opener.h"
#include "trust/envelope_signature.h"
#include "wire/codec.h"
#include "wire/name.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What an opened payload may have: as much as a message that travels whole (limits.payload_bytes).
 */
#define OPENED_BYTES_MOST (UINT64_C(64) * 1024 * 1024)

#define BROKER_ADDRESS "relais/broker" /* docs/protocol.md, "Deadlines": no member's */

enum { LETTER_DELAY_MS = 60000 }; /* until it is looked at again: an entry or a key may be there */

static enum letter_end refuse(const char **out_reason, const char *reason)
{
    *out_reason = reason;
    return LETTER_REFUSED;
}

static enum letter_end later(const char **out_reason, const char *reason)
{
    *out_reason = reason;
    return LETTER_LATER;
}

/* Has the member in `from` signed these bytes? */
static enum letter_end verify(relais_client *client, const relais_delivery *delivery,
                              const char **out_reason)
{
    struct relais_trust *trust = client->sealing->trust;
    const char *const member[] = {delivery->sender};
    const struct trust_cached *cached = NULL;

    if (!name_is_slug(delivery->sender)) {
        return refuse(out_reason, "UNTRUSTED: signed, and without a sender");
    }
    if (relais_trust_fetch(trust, client, member, 1, SEALING_FETCH_MS, NULL) != RELAIS_OK ||
        (cached = trust_find(trust, delivery->sender)) == NULL) {
        return later(out_reason, "UNTRUSTED: no valid entry of the sender in the directory");
    }
    const struct note_keys keys = {cached->entry.signing_keys, cached->entry.signing_key_count};
    switch (envelope_verify((struct bytes){delivery->letter, delivery->letter_bytes}, &keys)) {
    case TRUST_OK:
        return LETTER_OPENED;
    case TRUST_UNSIGNED:
        return later(out_reason, "UNTRUSTED: not signed with a key of the sender's entry");
    case TRUST_NO_MEMORY:
        return later(out_reason, "out of memory");
    default:
        return refuse(out_reason, "UNTRUSTED: the signature is not of this envelope");
    }
}

/* Our wrap of the envelope. */
static bool find_wrap(const Relais__V1__Envelope *envelope, const char *address,
                      struct seal_bytes *out_wrap)
{
    for (size_t i = 0; i < envelope->n_to && i < envelope->n_wraps; i++) {
        if (strcmp(envelope->to[i], address) == 0) {
            *out_wrap = (struct seal_bytes){envelope->wraps[i].data, envelope->wraps[i].len};
            return true;
        }
    }
    return false;
}

/* Twice the room, for what was compressed. The old one held payload: it is wiped. */
static enum seal_status grow(relais_delivery *delivery, struct seal_output *out)
{
    uint8_t *wider = NULL;

    if (out->size > OPENED_BYTES_MOST) {
        return SEAL_TOO_LARGE;
    }
    wider = malloc(2 * out->size);
    if (wider == NULL) {
        return SEAL_NO_MEMORY;
    }
    memcpy(wider, out->data, out->used);
    sodium_memzero(out->data, out->size);
    free(out->data);
    out->data = wider;
    out->size *= 2;
    delivery->opened = wider;
    delivery->opened_bytes = out->size;
    return SEAL_OK;
}

/* Opens all of the payload into memory of the delivery. */
static enum seal_status open_payload(const struct open_request *request, relais_delivery *delivery)
{
    const relais_bytes sealed = delivery->message.payload;
    struct seal_input in = {.data = (const uint8_t *)sealed.data + SEAL_HEADER_BYTES,
                            .size = sealed.size - SEAL_HEADER_BYTES};
    struct seal_output out = {.size = sealed.size};
    struct opener *opener = NULL;
    bool done = false;
    enum seal_status status = open_begin(request, &opener);

    if (status != SEAL_OK) {
        return status;
    }
    delivery->opened = malloc(out.size);
    out.data = delivery->opened;
    status = out.data != NULL ? SEAL_OK : SEAL_NO_MEMORY;
    delivery->opened_bytes = out.size;
    while (status == SEAL_OK && !done) {
        if (out.used == out.size) {
            status = grow(delivery, &out);
        } else if (in.used < in.size) {
            status = open_update(opener, &in, &out);
        } else {
            status = open_end(opener, &out, &done);
        }
    }
    open_free(opener);
    if (status == SEAL_OK) {
        delivery->message.payload = (relais_bytes){delivery->opened, out.used};
    }
    return status;
}

static enum letter_end open_for_us(relais_client *client, relais_delivery *delivery,
                                   const Relais__V1__Envelope *envelope, const char **out_reason)
{
    const relais_message *message = &delivery->message;
    struct seal_bytes wrap;

    if (envelope->n_wraps == 0 && message->payload.size == 0 && delivery->stored_bytes == 0) {
        return LETTER_OPENED; /* signed, and nothing to seal */
    }
    if (envelope->n_wraps != envelope->n_to ||
        !find_wrap(envelope, delivery->consumer->address, &wrap)) {
        return refuse(out_reason, "NOT_SEALED: no wrap for this mailbox");
    }
    if (delivery->stored_bytes > 0 || message->payload.size < SEAL_HEADER_BYTES) {
        return refuse(out_reason, "NOT_SEALED: the payload does not begin as a sealed one");
    }
    const struct open_request request = {
        .message = {message->id, message->from},
        .recipient = delivery->consumer->address,
        .header = message->payload.data,
        .wrap = wrap,
        .key = sealing_find_key(client->sealing, wrap),
        .most_bytes = OPENED_BYTES_MOST,
    };
    if (request.key == NULL) {
        return later(out_reason, "NOT_SEALED: sealed for a mailbox key that is not here");
    }
    switch (open_payload(&request, delivery)) {
    case SEAL_OK:
        return LETTER_OPENED;
    case SEAL_NO_MEMORY:
    case SEAL_NO_RANDOMNESS:
        return later(out_reason, "out of memory");
    default:
        return refuse(out_reason, "NOT_SEALED: the sealed payload does not open; it was altered");
    }
}

enum letter_end letter_open(relais_client *client, relais_delivery *delivery,
                            const char **out_reason)
{
    Relais__V1__Envelope *envelope = NULL;
    struct wire_fault fault;
    enum letter_end end = LETTER_PLAIN;

    if (delivery->letter == NULL) {
        const char *from = delivery->message.from;
        /* What the broker says itself, of a deadline for instance, is the broker's word anyway. */
        const bool may_be_plain = !sealing_covers(client->sealing, delivery->message.flow) ||
                                  (from != NULL && strcmp(from, BROKER_ADDRESS) == 0);

        return may_be_plain ? LETTER_PLAIN
                            : refuse(out_reason, "NOT_SEALED: neither sealed nor signed");
    }
    if (client->sealing == NULL) {
        return later(out_reason, "NOT_SEALED: this client has no keys to open it");
    }
    end = verify(client, delivery, out_reason);
    if (end != LETTER_OPENED) {
        return end;
    }
    envelope = wire_unpack_envelope((struct bytes){delivery->letter, delivery->letter_bytes},
                                    &client->envelopes, &fault);
    if (envelope == NULL) { /* it could be read when it came */
        end = later(out_reason, "out of memory");
    } else {
        end = open_for_us(client, delivery, envelope, out_reason);
    }
    wire_arena_reset(&client->envelopes);
    delivery->is_sealed = end == LETTER_OPENED;
    return end;
}

bool letter_show(relais_client *client, relais_delivery *delivery)
{
    const char *reason = NULL;

    switch (letter_open(client, delivery, &reason)) {
    case LETTER_PLAIN:
    case LETTER_OPENED:
        return true;
    case LETTER_LATER:
        (void)relais_nack(delivery, LETTER_DELAY_MS, reason);
        break;
    case LETTER_REFUSED:
    default:
        (void)relais_refuse(delivery, reason);
    }
    relais_delivery_free(delivery);
    return false;
}
