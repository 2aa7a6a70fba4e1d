/* SPDX-License-Identifier: EUPL-1.2
 *
 * A sender that writes what it likes into `filename`: one message for each name of the command
 * line. send_as PROFILE ADDRESS FLOW NAME... The payload is the name. Exits 0 when all were
 * accepted.
 */
#include <relais/client.h>
#include <relais/send.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MIN = 5, TIMEOUT_MS = 20000 };

static relais_status send_one(relais_client *client, char **argv, const char *name,
                              relais_error *error)
{
    const char *const to[] = {argv[2]};
    const relais_extension extension = {.name = "filename", .text = name};
    const relais_message message = {.type = "fr.relais.file",
                                    .to = to,
                                    .to_count = 1,
                                    .flow = argv[3],
                                    .extensions = &extension,
                                    .extension_count = 1,
                                    .payload = {name, strlen(name)}};
    return relais_send(client, &message, TIMEOUT_MS, error);
}

int main(int argc, char **argv)
{
    relais_client *client = NULL;
    relais_error error = {.status = RELAIS_OK};
    char text[512];
    if (argc < ARGUMENTS_MIN) {
        return EXIT_FAILURE;
    }
    relais_status status = relais_client_open_profile(argv[1], &client, &error);
    for (int i = ARGUMENTS_MIN - 1; status == RELAIS_OK && i < argc; i++) {
        status = send_one(client, argv, argv[i], &error);
    }
    if (status != RELAIS_OK) {
        (void)fprintf(stderr, "%s\n", relais_error_text(&error, text, sizeof text));
    }
    relais_client_close(client);
    return status == RELAIS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
