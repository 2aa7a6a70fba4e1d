/* SPDX-License-Identifier: EUPL-1.2
 *
 * The calls of relais/send.h over the sender.
 */
#include <relais/send.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"

relais_status relais_submit(relais_client *client, const relais_message *message,
                            relais_outcome_fn done, void *context, relais_error *error)
{
    struct pending *pending = NULL;
    if (client == NULL || message == NULL) {
        return error_fill(error, RELAIS_USAGE, "message", NULL, NULL);
    }
    return sender_add(client, message, done, context, &pending, error);
}

size_t relais_unanswered(const relais_client *client)
{
    return client->sender.waiting;
}

struct awaited {
    bool told;
    relais_error error;
};

static void note_outcome(void *context, const relais_outcome *outcome)
{
    struct awaited *awaited = context;
    awaited->told = true;
    awaited->error = outcome->error;
}

/* Makes room for one more by waiting for the outcome of others. */
static relais_status add(relais_client *client, const relais_message *message, int64_t deadline_ms,
                         struct awaited *awaited, struct pending **out_pending, relais_error *error)
{
    for (;;) {
        relais_status status =
            sender_add(client, message, note_outcome, awaited, out_pending, error);
        if (status != RELAIS_WINDOW_FULL) {
            return status;
        }
        status = client_work(client, deadline_ms, NULL, 0);
        if (status != RELAIS_OK) {
            return error_fill(error, status, NULL, NULL, NULL);
        }
    }
}

relais_status relais_send(relais_client *client, const relais_message *message, int timeout_ms,
                          relais_error *error)
{
    struct awaited awaited = {.told = false};
    struct pending *pending = NULL;
    if (client == NULL || message == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "message", NULL, _("a call outside callbacks"));
    }
    int64_t deadline_ms = client_deadline(timeout_ms);
    relais_status status = add(client, message, deadline_ms, &awaited, &pending, error);
    if (status != RELAIS_OK) {
        return status;
    }
    while (!awaited.told) {
        status = client_work(client, deadline_ms, NULL, 0);
        if (status != RELAIS_OK && !awaited.told) {
            relais_status known = sender_give_up(client, pending);
            return known != RELAIS_OK ? sender_fill_refusal(error, known)
                                      : error_fill(error, status, NULL, NULL, NULL);
        }
    }
    if (error != NULL) {
        *error = awaited.error;
    }
    return awaited.error.status;
}
