/* SPDX-License-Identifier: EUPL-1.2
 * Sends one text: sender PROFILE TO FLOW TEXT */
#include <relais/relais.h>
#include <stdio.h>
#include <string.h>

static int fail(const relais_error *error)
{
    char line[600];
    fprintf(stderr, "%s\n", relais_error_text(error, line, sizeof line));
    return 1;
}

int main(int argc, char **argv)
{
    relais_client *client = NULL;
    relais_error error;
    if (argc != 5) {
        fprintf(stderr, "usage: sender PROFILE TO FLOW TEXT\n");
        return 2;
    }
    if (relais_client_open_profile(argv[1], &client, &error) != RELAIS_OK) {
        return fail(&error);
    }
    const char *to[] = {argv[2]};
    char id[33];
    relais_message_new_id(id); /* keep it: the same id again is the same message */
    relais_message message = {
        .id = id,
        .type = "fr.relais.text",
        .datacontenttype = "text/plain; charset=utf-8",
        .to = to,
        .to_count = 1,
        .flow = argv[3],
        .payload = {argv[4], strlen(argv[4])},
    };
    relais_status status = relais_send(client, &message, 30000, &error);
    relais_client_close(client);
    return status == RELAIS_OK ? printf("accepted %s\n", id) < 0 : fail(&error);
}
