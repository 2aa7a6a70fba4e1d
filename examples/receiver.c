/* SPDX-License-Identifier: EUPL-1.2
 * Prints what comes to a mailbox, for ever: receiver PROFILE ADDRESS */
#include <relais/relais.h>
#include <stdio.h>

static int fail(const relais_error *error)
{
    char line[600];
    fprintf(stderr, "%s\n", relais_error_text(error, line, sizeof line));
    return 1;
}

int main(int argc, char **argv)
{
    relais_client *client = NULL;
    relais_consumer *consumer = NULL;
    relais_delivery *delivery = NULL;
    relais_error error;
    if (argc != 3) {
        fprintf(stderr, "usage: receiver PROFILE ADDRESS\n");
        return 2;
    }
    if (relais_client_open_profile(argv[1], &client, &error) != RELAIS_OK) {
        return fail(&error);
    }
    relais_status status = relais_attach(client, argv[2], 100, &consumer, &error);
    while (status == RELAIS_OK) {
        status = relais_receive(consumer, -1, &delivery, &error);
        if (status == RELAIS_OK) {
            const relais_message *message = relais_delivery_message(delivery);
            fwrite(message->payload.data, 1, message->payload.size, stdout);
            int kept = putchar('\n') != EOF && fflush(stdout) == 0;
            (void)(kept ? relais_ack(delivery) : relais_nack(delivery, 5000, "stdout"));
            relais_delivery_free(delivery);
        }
    }
    relais_client_close(client);
    return fail(&error);
}
