/* SPDX-License-Identifier: EUPL-1.2
 *
 * See ledger.h. The id of message 12 is "m12". Payloads are slices of one block of noise, so that
 * large ones cost nothing.
 */
#include "ledger.h"

#include "agenda.h"
#include "relais/v1/envelope.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOISE_BYTES = 256 * 1024,
    NOISE_STEP = 61, /* payloads of the same size differ */
    ID_BYTES = 16,
    KEY_TEXT_BYTES = 24, /* "dossier ", a number of 32 bits */
    DIGEST_BYTES = 32,
    ID_FIELD = 0x0a, /* field 1, a string */
};

void ledger_init(struct ledger *ledger)
{
    uint8_t *data = NULL;
    *ledger = (struct ledger){0};
    ledger->noise = buffer_new(NOISE_BYTES, &data);
    assert(ledger->noise);
    struct chance chance = {1};
    for (size_t i = 0; i < NOISE_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = chance_next(&chance);
        memcpy(data + i, &word, sizeof word);
    }
}

void ledger_fini(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        for (unsigned place = 0; place < TOWN_PLACES; place++) {
            free(ledger->messages[i]->lives[place].history);
        }
        buffer_unref(ledger->messages[i]->envelope);
        free(ledger->messages[i]);
    }
    free(ledger->messages);
    free(ledger->by_sequence);
    buffer_unref(ledger->noise);
    *ledger = (struct ledger){0};
}

static Relais__V1__Priority priority_of(const struct message *message)
{
    if (message->lane == LANE_HIGH) {
        return RELAIS__V1__PRIORITY__PRIORITY_HIGH;
    }
    if (message->lane == LANE_LOW) {
        return RELAIS__V1__PRIORITY__PRIORITY_LOW;
    }
    return message->index % 2 ? RELAIS__V1__PRIORITY__PRIORITY_NORMAL
                              : RELAIS__V1__PRIORITY__PRIORITY_UNSPECIFIED;
}

static void pack(struct message *message)
{
    char id[ID_BYTES];
    char key[KEY_TEXT_BYTES] = "";
    char earlier[ID_BYTES] = "";
    char *to[TOWN_PLACES];
    uint8_t digest[DIGEST_BYTES] = {0};
    uint8_t *data = NULL;
    Relais__V1__Envelope envelope = RELAIS__V1__ENVELOPE__INIT;
    snprintf(id, sizeof id, "m%u", message->index);
    for (uint32_t i = 0; i < message->place_count; i++) {
        to[i] = (char *)TOWN_ADDRESSES[message->places[i]].address;
    }
    if (message->key > 0) {
        snprintf(key, sizeof key, "dossier %u", message->key);
    }
    if (message->supersedes) {
        snprintf(earlier, sizeof earlier, "m%u", message->earlier);
    }
    envelope.id = id;
    envelope.supersedes = earlier;
    envelope.ordering_key = key;
    envelope.source = "urn:sim";
    envelope.type = "fr.relais.sim";
    envelope.flow = TOWN_CODES[message->flow];
    envelope.to = to;
    envelope.n_to = message->place_count;
    envelope.priority = priority_of(message);
    envelope.expires_at_ms = message->expires_ms;
    envelope.not_before_ms = message->not_before_ms;
    envelope.payload_size = message->payload_bytes;
    envelope.payload_digest.data = digest;
    envelope.payload_digest.len = sizeof digest;
    message->envelope = buffer_new(relais__v1__envelope__get_packed_size(&envelope), &data);
    assert(message->envelope);
    relais__v1__envelope__pack(&envelope, data);
}

struct message *ledger_add(struct ledger *ledger, const struct message *pattern)
{
    struct message *message = malloc(sizeof *message);
    assert(message && pattern->payload_bytes < NOISE_BYTES / 2);
    *message = *pattern;
    message->index = (uint32_t)ledger->count;
    message->named_count = message->place_count;
    size_t offset = message->index * (size_t)NOISE_STEP % (NOISE_BYTES / 2);
    message->payload = (struct bytes){ledger->noise->bytes.data + offset, message->payload_bytes};
    pack(message);
    if (message->key > 0) {
        struct message **last =
            &ledger->last_of_key[TOWN_PEOPLE[message->client].member][message->key];
        message->same_key = *last;
        *last = message;
    }
    ledger->messages =
        agenda_grown(ledger->messages, ledger->count, &ledger->capacity, sizeof(struct message *));
    ledger->messages[ledger->count++] = message;
    if (message->supersedes && message->earlier < message->index) {
        struct message *earlier = ledger->messages[message->earlier];
        message->sibling = earlier->later;
        earlier->later = message;
    }
    return message;
}

static struct message *find(const struct ledger *ledger, const char *digits, size_t size)
{
    size_t index = 0;
    for (size_t i = 0; i < size; i++) {
        index = index * 10 + (size_t)(digits[i] - '0');
    }
    return size > 0 && index < ledger->count ? ledger->messages[index] : NULL;
}

struct message *ledger_find(const struct ledger *ledger, const char *id)
{
    return id[0] == 'm' ? find(ledger, id + 1, strlen(id + 1)) : NULL;
}

struct message *ledger_read(const struct ledger *ledger, struct bytes envelope)
{
    const uint8_t *data = envelope.data;
    if (envelope.size < 4 || data[0] != ID_FIELD || data[1] < 2 ||
        (size_t)data[1] + 2 > envelope.size || data[2] != 'm') {
        return NULL;
    }
    return find(ledger, (const char *)data + 3, (size_t)data[1] - 1);
}

void ledger_set_sequence(struct ledger *ledger, uint64_t sequence, uint32_t message)
{
    while (sequence >= ledger->sequence_capacity) {
        ledger->by_sequence = agenda_grown(ledger->by_sequence, ledger->sequence_capacity,
                                           &ledger->sequence_capacity, sizeof *ledger->by_sequence);
    }
    ledger->by_sequence[sequence] = message;
    ledger->sequence_count = sequence + 1;
}

struct message *ledger_of_sequence(const struct ledger *ledger, uint64_t sequence)
{
    return sequence > 0 && sequence < ledger->sequence_count
               ? ledger->messages[ledger->by_sequence[sequence]]
               : NULL;
}

struct life *ledger_life(struct message *message, unsigned place)
{
    for (uint32_t i = 0; i < message->place_count; i++) {
        if (message->places[i] == place) {
            return &message->lives[i];
        }
    }
    return NULL;
}

uint64_t ledger_bytes(const struct message *message)
{
    return (uint64_t)message->envelope->bytes.size + message->payload_bytes;
}

uint64_t ledger_stored_bytes(const struct message *message, uint32_t recipients)
{
    return ledger_bytes(message) + (uint64_t)recipients * STORED_RECIPIENT_BYTES;
}
