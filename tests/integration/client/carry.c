/* SPDX-License-Identifier: EUPL-1.2
 *
 * The two ends of a long errand, for survive_restarts:
 *   carry send    PROFILE TO FLOW COUNT   submits numbered messages until all are accepted
 *   carry receive PROFILE ADDRESS COUNT   receives until each number has come, and all is settled
 * Content and size follow from the number: 0 to 40,000 bytes, so small ones ride packed and large
 * ones in frames of their own. Exit 0: nothing lost, nothing unexpected, every byte right.
 */
#include <relais/relais.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 40000, CREDIT = 64 };

static unsigned char content[SIZE_MAX_BYTES];

static size_t fill(unsigned long number)
{
    size_t size = number % 10 == 0 ? (number * 7919) % SIZE_MAX_BYTES : number % 300;
    for (size_t i = 0; i < size; i++) {
        content[i] = (unsigned char)(number + i * 31);
    }
    return size;
}

static int fail(const char *what, const relais_error *error)
{
    char line[600];
    (void)fprintf(stderr, "%s: %s\n", what, relais_error_text(error, line, sizeof line));
    return 1;
}

struct tally {
    unsigned long accepted;
    unsigned long refused;
};

static void count(void *context, const relais_outcome *outcome)
{
    struct tally *tally = context;
    if (outcome->error.status == RELAIS_OK) {
        tally->accepted++;
    } else {
        tally->refused++;
        (void)fail(outcome->id, &outcome->error);
    }
}

static int send_all(relais_client *client, const char *to, const char *flow, unsigned long total)
{
    struct tally tally = {0, 0};
    relais_error error;
    for (unsigned long number = 0; number < total;) {
        char id[32];
        (void)snprintf(id, sizeof id, "n-%lu", number);
        relais_message message = {.id = id,
                                  .type = "fr.relais.test",
                                  .to = &to,
                                  .to_count = 1,
                                  .flow = flow,
                                  .payload = {content, fill(number)}};
        relais_status status = relais_submit(client, &message, count, &tally, &error);
        if (status == RELAIS_OK) {
            number++;
        } else if (status == RELAIS_WINDOW_FULL) {
            (void)relais_wait(client, 1000, NULL, 0);
        } else {
            return fail(id, &error);
        }
    }
    while (relais_unanswered(client) > 0) {
        (void)relais_wait(client, 1000, NULL, 0);
    }
    relais_session session;
    relais_client_session(client, &session);
    (void)printf("accepted %lu, refused %lu, reconnects %lu\n", tally.accepted, tally.refused,
                 (unsigned long)session.reconnects);
    return tally.accepted == total ? 0 : 1;
}

/* The number of a message whose content is right; `total` for anything else. */
static unsigned long check(const relais_message *message, unsigned long total)
{
    char *end = NULL;
    unsigned long number = total;
    if (message->id != NULL && strncmp(message->id, "n-", 2) == 0) {
        number = strtoul(message->id + 2, &end, 10);
    }
    if (number >= total || *end != '\0' || message->payload.size != fill(number) ||
        (message->payload.size > 0 &&
         memcmp(message->payload.data, content, message->payload.size) != 0)) {
        return total;
    }
    return number;
}

static int receive_all(relais_client *client, const char *address, unsigned long total)
{
    relais_consumer *consumer = NULL;
    relais_error error;
    unsigned long left = total;
    unsigned long again = 0;
    bool *seen = calloc(total, sizeof *seen);
    int result = 1;
    if (seen == NULL || relais_attach(client, address, CREDIT, &consumer, &error) != RELAIS_OK) {
        goto done;
    }
    while (left > 0) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(consumer, 30000, &delivery, &error);
        if (status != RELAIS_OK) {
            (void)fail("receive", &error);
            goto done;
        }
        unsigned long number = check(relais_delivery_message(delivery), total);
        if (number == total) {
            (void)fprintf(stderr, "unexpected message\n");
            goto done;
        }
        left -= seen[number] ? 0 : 1;
        again += seen[number] ? 1 : 0;
        seen[number] = true;
        (void)relais_ack(delivery);
        relais_delivery_free(delivery);
    }
    while (relais_unsettled(consumer) > 0) {
        (void)relais_wait(client, 1000, NULL, 0);
    }
    (void)printf("received %lu, again %lu\n", total, again);
    result = 0;
done:
    free(seen);
    return result;
}

int main(int argc, char **argv)
{
    relais_client *client = NULL;
    relais_error error;
    int result = 2;
    if (argc < 5) {
        return result;
    }
    if (relais_client_open_profile(argv[2], &client, &error) != RELAIS_OK) {
        return fail(argv[2], &error);
    }
    if (strcmp(argv[1], "send") == 0 && argc == 6) {
        result = send_all(client, argv[3], argv[4], strtoul(argv[5], NULL, 10));
    } else if (strcmp(argv[1], "receive") == 0) {
        result = receive_all(client, argv[3], strtoul(argv[4], NULL, 10));
    }
    relais_client_close(client);
    return result;
}
