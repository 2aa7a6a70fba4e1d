/* SPDX-License-Identifier: EUPL-1.2
 *
 * As load.c, with payloads that go in chunks: one at a time, and where a kill came between, on from
 * where it was.
 *   large send PROFILE HISTORY NAME FLOW TO     until SIGTERM, and then until the last is accepted
 *   large receive PROFILE HISTORY ADDRESS       until SIGTERM
 * The bytes follow from the id; nothing is kept on a disk. `deliver` is noted when all bytes of a
 * payload have come.
 */
#include "tests/chaos/kills/driver.h"
#include "tests/chaos/kills/history.h"
#include "tests/chaos/kills/settling.h"

#include <relais/payload.h>
#include <relais/relais.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE_LEAST = 1200000, /* more than travels whole */
    SIZE_SPAN = 2500000,
    TURN_MS = 10,
    PATIENCE_MS = 5000, /* then it is tried anew, with the same id */
    PIECE_BYTES = 8,
    EXIT_USAGE = 64,
    SEND_ARGUMENTS = 7,
    RECEIVE_ARGUMENTS = 5,
};

/* The payload of one message; also how far a receiver is with it. */
struct large {
    char id[SETTLING_ID_BYTES];
    uint64_t seed;
    uint64_t size;
    uint64_t have;
    bool wrong;
};

static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33;
    return value;
}

static void large_of(struct large *large, const char *id)
{
    *large = (struct large){.seed = 1469598103934665603ULL}; /* FNV-1a */
    (void)snprintf(large->id, sizeof large->id, "%s", id);
    for (const char *at = id; *at != '\0'; at++) {
        large->seed = (large->seed ^ (unsigned char)*at) * 1099511628211ULL;
    }
    large->size = SIZE_LEAST + mix(large->seed) % SIZE_SPAN;
}

static bool large_read(void *context, uint64_t offset, void *out, size_t size)
{
    const struct large *large = context;
    unsigned char *bytes = out;
    for (size_t i = 0; i < size; i++) {
        uint64_t at = offset + i;
        uint64_t word = mix(large->seed + at / PIECE_BYTES);
        bytes[i] = (unsigned char)(word >> (at % PIECE_BYTES * 8));
    }
    return true;
}

static bool large_write(void *context, uint64_t offset, const void *data, size_t size)
{
    struct large *large = context;
    static unsigned char wanted[4096];
    const unsigned char *bytes = data;
    for (size_t done = 0; done < size;) {
        size_t some = size - done < sizeof wanted ? size - done : sizeof wanted;
        (void)large_read(large, offset + done, wanted, some);
        large->wrong = large->wrong || memcmp(bytes + done, wanted, some) != 0;
        done += some;
    }
    large->have = offset + size;
    return true;
}

/* True when it is accepted. */
static bool send_one(relais_client *client, char **argv, unsigned long number)
{
    struct large large;
    char id[SETTLING_ID_BYTES];
    relais_error error;
    relais_status status = RELAIS_TIMED_OUT;
    (void)snprintf(id, sizeof id, "%s-%lu", argv[4], number);
    large_of(&large, id);
    const relais_payload_source source = {
        .size = large.size, .fd = -1, .read = large_read, .context = &large};
    const relais_message message = {.id = id,
                                    .type = "fr.relais.test",
                                    .to = (const char *const *)&argv[SEND_ARGUMENTS - 1],
                                    .to_count = 1,
                                    .flow = argv[5]};
    while (status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED) {
        status = relais_send_payload(client, &message, &source, PATIENCE_MS, &error);
    }
    if (status == RELAIS_OK) {
        history_note("accepted %lu", number);
        return true;
    }
    history_note("refused %lu %s", number, relais_status_name(status));
    return driver_fail(id, &error) == 0;
}

static int send_all(relais_client *client, char **argv)
{
    struct knowledge known = {0};
    if (!history_read(argv[3], &known)) {
        perror(argv[3]);
        return 1;
    }
    unsigned long number = known.next;
    if (number > 0 && known.states[number - 1] != KNOWN_ACCEPTED) {
        number--;
    }
    bool good = true;
    while (good && !driver_is_ending && number < HISTORY_MESSAGES) {
        if (known.states[number] == KNOWN_NOTHING) {
            history_note("submit %lu -", number);
        } else {
            history_note("again %lu", number);
        }
        good = send_one(client, argv, number);
        number++;
    }
    free(known.states);
    return good ? 0 : 1;
}

static void take(struct settling *settling, struct large *large, relais_delivery *delivery)
{
    const relais_message *message = relais_delivery_message(delivery);
    relais_error error;
    settling_note_connection(settling);
    if (strcmp(large->id, message->id) != 0) {
        large_of(large, message->id);
    }
    const relais_payload_sink sink = {
        .have = large->have, .fd = -1, .read = large_read, .write = large_write, .context = large};
    relais_status status = relais_fetch_payload(delivery, &sink, PATIENCE_MS, &error);
    if (status == RELAIS_OK || status == RELAIS_DIGEST_MISMATCH) {
        bool right = status == RELAIS_OK && !large->wrong &&
                     relais_delivery_stored_bytes(delivery) == large->size;
        history_note("deliver %s %u %s", message->id, relais_delivery_attempt(delivery),
                     right ? "right" : "wrong");
        large->have = 0; /* from the beginning, should it come again */
    } else if (status != RELAIS_LEASE_LOST && status != RELAIS_INTERRUPTED) {
        (void)driver_fail(message->id, &error);
    }
    if (status == RELAIS_OK && relais_ack(delivery) == RELAIS_OK) {
        history_note("ack %s", message->id);
        settling_add(settling, message->id);
    }
    relais_delivery_free(delivery);
}

static int receive_all(relais_client *client, const char *address)
{
    struct settling settling = {.client = client};
    struct large large = {.id = ""};
    relais_error error;
    if (relais_attach(client, address, 1, &settling.consumer, &error) != RELAIS_OK) {
        return driver_fail(address, &error);
    }
    history_note("connect 0");
    while (!driver_is_ending) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(settling.consumer, TURN_MS, &delivery, &error);
        if (status == RELAIS_OK) {
            take(&settling, &large, delivery);
        }
        if (settling.count > 0) {
            settling_wait(&settling, &driver_is_ending);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    bool sends = argc == SEND_ARGUMENTS && strcmp(argv[1], "send") == 0;
    if (!sends && (argc != RECEIVE_ARGUMENTS || strcmp(argv[1], "receive") != 0)) {
        return EXIT_USAGE;
    }
    relais_client *client = driver_begin(argv[2], argv[3]);
    if (client == NULL) {
        return 1;
    }
    int result = sends ? send_all(client, argv) : receive_all(client, argv[4]);
    relais_client_close(client);
    return result;
}
