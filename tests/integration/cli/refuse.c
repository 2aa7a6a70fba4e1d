/* SPDX-License-Identifier: EUPL-1.2
 *
 * A recipient that wants nothing: refuse PROFILE ADDRESS COUNT REASON. Exits 0 when so many
 * deliveries have been refused and the broker has that on its disk.
 */
#include <relais/relais.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARGUMENTS = 5, TIMEOUT_MS = 20000 };

static relais_status refuse_one(relais_consumer *consumer, const char *reason, relais_error *error)
{
    relais_delivery *delivery = NULL;
    relais_status status = relais_receive(consumer, TIMEOUT_MS, &delivery, error);
    if (status == RELAIS_OK) {
        status = relais_refuse(delivery, reason);
        relais_delivery_free(delivery);
    }
    return status;
}

int main(int argc, char **argv)
{
    relais_client *client = NULL;
    relais_consumer *consumer = NULL;
    relais_error error = {.status = RELAIS_OK};
    if (argc != ARGUMENTS) {
        return EXIT_FAILURE;
    }
    long count = strtol(argv[3], NULL, 10);
    relais_status status = relais_client_open_profile(argv[1], &client, &error);
    if (status == RELAIS_OK) {
        status = relais_attach(client, argv[2], 1, &consumer, &error);
    }
    for (long i = 0; status == RELAIS_OK && i < count; i++) {
        status = refuse_one(consumer, argv[4], &error);
    }
    while (status == RELAIS_OK && relais_unsettled(consumer) > 0) {
        status = relais_wait(client, TIMEOUT_MS, NULL, 0);
    }
    if (status != RELAIS_OK) {
        char text[512];
        (void)fprintf(stderr, "%s\n", relais_error_text(&error, text, sizeof text));
    }
    relais_client_close(client);
    return status == RELAIS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
