/* SPDX-License-Identifier: EUPL-1.2
 *
 * Messages that their sender withdraws.
 */
#include <relais/send.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

void cancel_keep(const Relais__V1__Done *said, relais_cancelled *out_cancelled)
{
    *out_cancelled = (relais_cancelled){.withdrawn = said->withdrawn, .too_late = said->too_late};
}

relais_status relais_cancel(relais_client *client, const char *id, int timeout_ms,
                            relais_cancelled *out_cancelled, relais_error *error)
{
    relais_cancelled found = {0};
    if (client == NULL || client->calling) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (id == NULL || !name_is_id(id)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "id", id,
                          _("1 to 128 printable ASCII characters without space"));
    }
    Relais__V1__CancelOrder what = RELAIS__V1__CANCEL_ORDER__INIT;
    Relais__V1__Manage order = RELAIS__V1__MANAGE__INIT;
    what.id = (char *)id;
    order.what_case = RELAIS__V1__MANAGE__WHAT_CANCEL;
    order.cancel = &what;
    struct question question = {.manage = &order, .out_cancelled = &found};
    relais_status status = question_ask(client, &question, timeout_ms, error);
    if (status == RELAIS_OK && out_cancelled != NULL) {
        *out_cancelled = found;
    }
    return status;
}

/* Nobody waits for what becomes of it: its answer is late for everybody. */
void cancel_say(relais_client *client, const char *id)
{
    Relais__V1__CancelOrder what = RELAIS__V1__CANCEL_ORDER__INIT;
    Relais__V1__Manage order = RELAIS__V1__MANAGE__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    what.id = (char *)id;
    order.number = ++client->last_question;
    order.what_case = RELAIS__V1__MANAGE__WHAT_CANCEL;
    order.cancel = &what;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_MANAGE;
    command.manage = &order;
    (void)client_say(client, &command, NULL, 0);
}
