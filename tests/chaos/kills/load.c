/* SPDX-License-Identifier: EUPL-1.2
 *
 * The clients of a bus whose processes are killed; what they know goes into a history (history.h).
 *
 *   load send PROFILE HISTORY NAME FLOW KEYS TO...   submits NAME-0, NAME-1, ... until SIGTERM, and
 *       then until none is without an answer; KEYS ordering keys, 0: none. What an earlier life
 *       left without an answer is submitted again first, in its order; now and then one that was
 *       accepted long ago is, too.
 *           submit NUMBER KEY | again NUMBER | accepted NUMBER | refused NUMBER STATUS
 *   load receive PROFILE HISTORY ADDRESS             acknowledges all that comes until SIGTERM,
 * some only after it has been given back once connect NUMBER | deliver ID ATTEMPT right|wrong |
 * nack ID | ack ID | settled ID
 *
 * `settled`: the broker has said that the acknowledgement is on its disk.
 */
#include "tests/chaos/kills/content.h"
#include "tests/chaos/kills/driver.h"
#include "tests/chaos/kills/history.h"
#include "tests/chaos/kills/settling.h"

#include <relais/relais.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WINDOW = 48,       /* without an answer */
    TURN_MS = 2,       /* of waiting; with the burst, this is the pace */
    BURST = 8,         /* submitted a turn at most */
    AGAIN_EVERY = 101, /* of the accepted ones */
    CREDIT = 32,
    BACK_EVERY = 40, /* of the messages is given back when it comes first */
    BACK_MS = 30,
    LANES = 3,
    ID_BYTES = 64,
    EXIT_USAGE = 64,
    SEND_ARGUMENTS = 8,
    RECEIVE_ARGUMENTS = 5,
};

struct sending {
    relais_client *client;
    const char *name;
    const char *flow;
    unsigned long keys;
    const char *const *to;
    size_t to_count;
    struct knowledge known;
};

static void on_outcome(void *context, const relais_outcome *outcome)
{
    struct sending *sending = context;
    unsigned long number = strtoul(strrchr(outcome->id, '-') + 1, NULL, 10);
    if (outcome->error.status == RELAIS_OK) {
        sending->known.states[number] = KNOWN_ACCEPTED;
        history_note("accepted %lu", number);
    } else {
        history_note("refused %lu %s", number, relais_status_name(outcome->error.status));
    }
}

static bool submit(struct sending *sending, unsigned long number)
{
    char id[ID_BYTES];
    char key[ID_BYTES] = "";
    relais_error error;
    (void)snprintf(id, sizeof id, "%s-%lu", sending->name, number);
    if (sending->keys > 0) {
        (void)snprintf(key, sizeof key, "%s-key-%lu", sending->name, number % sending->keys);
    }
    if (sending->known.states[number] == KNOWN_NOTHING) {
        history_note("submit %lu %s", number, key[0] != '\0' ? key : "-");
        sending->known.states[number] = KNOWN_SUBMITTED;
    } else {
        history_note("again %lu", number);
    }
    relais_message message = {.id = id,
                              .type = "fr.relais.test",
                              .to = sending->to,
                              .to_count = sending->to_count,
                              .flow = sending->flow,
                              .priority = sending->keys > 0 ? (relais_priority)(number % LANES)
                                                            : RELAIS_PRIORITY_NORMAL,
                              .ordering_key = key[0] != '\0' ? key : NULL,
                              .payload = content_of(id)};
    relais_status status = relais_submit(sending->client, &message, on_outcome, sending, &error);
    return status == RELAIS_OK || driver_fail(id, &error) == 0;
}

static bool submit_unanswered(struct sending *sending)
{
    for (unsigned long number = 0; number < sending->known.next; number++) {
        while (relais_unanswered(sending->client) >= WINDOW) {
            (void)relais_wait(sending->client, TURN_MS, NULL, 0);
        }
        if (sending->known.states[number] == KNOWN_SUBMITTED && !submit(sending, number)) {
            return false;
        }
    }
    return true;
}

static bool submit_next(struct sending *sending)
{
    unsigned long number = sending->known.next;
    if (number >= HISTORY_MESSAGES) {
        return true;
    }
    if (!submit(sending, number)) {
        return false;
    }
    sending->known.next++;
    unsigned long old = number / 2;
    return number % AGAIN_EVERY != 0 || sending->known.states[old] != KNOWN_ACCEPTED ||
           submit(sending, old);
}

static int send_all(struct sending *sending)
{
    if (!submit_unanswered(sending)) {
        return 1;
    }
    while (!driver_is_ending) {
        for (int i = 0; i < BURST && relais_unanswered(sending->client) < WINDOW; i++) {
            if (!submit_next(sending)) {
                return 1;
            }
        }
        const struct timespec pause = {.tv_nsec = TURN_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
        (void)relais_wait(sending->client, TURN_MS, NULL, 0);
    }
    while (relais_unanswered(sending->client) > 0) {
        (void)relais_wait(sending->client, 100, NULL, 0);
    }
    return 0;
}

static bool is_given_back(const char *id, const relais_delivery *delivery)
{
    unsigned long number = strtoul(strrchr(id, '-') + 1, NULL, 10);
    return number % BACK_EVERY == 0 && relais_delivery_attempt(delivery) == 1;
}

static void take(struct settling *settling, relais_delivery *delivery)
{
    const relais_message *message = relais_delivery_message(delivery);
    settling_note_connection(settling);
    history_note("deliver %s %u %s", message->id, relais_delivery_attempt(delivery),
                 content_is(message->id, message->payload) ? "right" : "wrong");
    if (is_given_back(message->id, delivery)) {
        history_note("nack %s", message->id);
        (void)relais_nack(delivery, BACK_MS, NULL);
    } else if (relais_ack(delivery) == RELAIS_OK) {
        history_note("ack %s", message->id);
        settling_add(settling, message->id);
    }
    relais_delivery_free(delivery);
}

static int receive_all(relais_client *client, const char *address)
{
    struct settling settling = {.client = client};
    relais_error error;
    if (relais_attach(client, address, CREDIT, &settling.consumer, &error) != RELAIS_OK) {
        return driver_fail(address, &error);
    }
    history_note("connect 0");
    while (!driver_is_ending) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(settling.consumer, TURN_MS * 5, &delivery, &error);
        if (status == RELAIS_OK) {
            take(&settling, delivery);
        }
        if (settling.count == SETTLING_MOST || (settling.count > 0 && status != RELAIS_OK)) {
            settling_wait(&settling, &driver_is_ending);
        }
    }
    return 0;
}

static int run(int argc, char **argv, relais_client *client)
{
    if (strcmp(argv[1], "receive") == 0) {
        return receive_all(client, argv[4]);
    }
    struct sending sending = {.client = client,
                              .name = argv[4],
                              .flow = argv[5],
                              .keys = strtoul(argv[6], NULL, 10),
                              .to = (const char *const *)&argv[SEND_ARGUMENTS - 1],
                              .to_count = (size_t)(argc - SEND_ARGUMENTS + 1)};
    if (!history_read(argv[3], &sending.known)) {
        perror(argv[3]);
        return 1;
    }
    int result = send_all(&sending);
    free(sending.known.states);
    return result;
}

int main(int argc, char **argv)
{
    bool sends = argc >= SEND_ARGUMENTS && strcmp(argv[1], "send") == 0;
    if (!sends && (argc != RECEIVE_ARGUMENTS || strcmp(argv[1], "receive") != 0)) {
        return EXIT_USAGE;
    }
    relais_client *client = driver_begin(argv[2], argv[3]);
    if (client == NULL) {
        return 1;
    }
    int result = run(argc, argv, client);
    relais_client_close(client);
    return result;
}
