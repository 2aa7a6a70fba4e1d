/* SPDX-License-Identifier: EUPL-1.2
 *
 * A connection to the broker for one command: finds the profile, connects, tells what fails.
 */
#ifndef RELAIS_CLI_SESSION_H
#define RELAIS_CLI_SESSION_H

#include "cli/command.h"

#include <relais/client.h>

struct session {
    relais_client *client;
    relais_session info;
    int timeout_ms; /* --timeout, or the command's default */
};

/* Connects; on CODE_DONE *out_session is closed with session_close(), otherwise the failure has
 * been told. */
enum exit_code session_open(const struct invocation *invocation, int default_timeout_s,
                            struct session *out_session);

/* A second call does nothing. */
void session_close(struct session *session);

#define OPTION_TIMEOUT(help_text)                                                                  \
    {                                                                                              \
        "timeout", 0, WORDS_NONE, "SECONDS", help_text                                             \
    }

#endif
