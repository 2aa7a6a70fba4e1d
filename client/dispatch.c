/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the broker says, one command after the other, to whom it concerns. The broker is known by
 * its key, but its bytes are foreign all the same: they pass the scan and the budget, and what
 * breaks the protocol ends the connection with RELAIS_MALFORMED.
 * Thread: the client's.
 */
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "wire/codec.h"
#include "wire/scan.h"

enum { MESSAGES_A_TURN = 256 }; /* then it is the turn of what we have to say */

static bool handle_error(relais_client *client, const Relais__V1__Error *said, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    switch (said->code) {
    case RELAIS__V1__CODE__CODE_UNKNOWN_DELIVERY:
        receiver_unknown_delivery(client, now_ms);
        return true;
    case RELAIS__V1__CODE__CODE_HELLO_FIRST:
        (void)error_from_wire(&connection->complaint, said);
        connection->line_gone = true; /* a new line begins with Hello */
        return true;
    case RELAIS__V1__CODE__CODE_UNKNOWN_COMMAND:
        if (client->question != NULL && !client->question->answered) {
            (void)error_from_wire(&client->question->refusal, said);
            client->question->answered = true;
            client->happened = true;
        }
        upload_unknown_command(client, said);
        return true;
    case RELAIS__V1__CODE__CODE_UNKNOWN_CONSUMER:
        return true; /* it was detached while our command was on its way */
    default:
        (void)error_from_wire(&connection->complaint, said); /* a Goodbye may follow */
        return true;
    }
}

static void handle_goodbye(relais_client *client, const Relais__V1__Goodbye *goodbye)
{
    struct connection *connection = &client->connection;
    if (goodbye->reason != NULL && goodbye->reason->code != RELAIS__V1__CODE__CODE_OK) {
        (void)error_from_wire(&connection->complaint, goodbye->reason);
    }
    connection->line_gone = true;
}

static bool handle_ready(relais_client *client, const Relais__V1__ToClient *said, int64_t now_ms)
{
    switch (said->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED:
        return sender_accepted(client, said->accepted);
    case RELAIS__V1__TO_CLIENT__COMMAND_REFUSED:
        return sender_refused(client, said->refused, now_ms);
    case RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED:
        return receiver_attached(client, said->attached);
    case RELAIS__V1__TO_CLIENT__COMMAND_DETACHED:
        return receiver_detached(client, said->detached, now_ms);
    case RELAIS__V1__TO_CLIENT__COMMAND_DELIVER:
        return receiver_deliver(client, said->deliver, &client->in, now_ms);
    case RELAIS__V1__TO_CLIENT__COMMAND_SETTLED:
        return receiver_settled(client, said->settled);
    case RELAIS__V1__TO_CLIENT__COMMAND_ANSWER:
        return question_answered(client, said->answer);
    case RELAIS__V1__TO_CLIENT__COMMAND_UPLOAD_STATE:
        return upload_state(client, said->upload_state, now_ms);
    case RELAIS__V1__TO_CLIENT__COMMAND_FETCHED:
        return fetch_answered(client, said->fetched, &client->in, now_ms);
    default: /* a command of a later minor version */
        return true;
    }
}

/* False: the broker breaks the protocol. */
static bool handle(relais_client *client, const Relais__V1__ToClient *said, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    bool has_body = said->command_case == RELAIS__V1__TO_CLIENT__COMMAND_DELIVER ||
                    said->command_case == RELAIS__V1__TO_CLIENT__COMMAND_FETCHED;
    if (client->in.count > 1 && !has_body) {
        return said->command_case == RELAIS__V1__TO_CLIENT__COMMAND__NOT_SET;
    }
    switch (said->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_WELCOME:
        if (connection->phase == CONNECTION_READY) {
            return false;
        }
        connection_welcome(client, said->welcome, now_ms);
        return true;
    case RELAIS__V1__TO_CLIENT__COMMAND_ERROR:
        return handle_error(client, said->error, now_ms);
    case RELAIS__V1__TO_CLIENT__COMMAND_GOODBYE:
        handle_goodbye(client, said->goodbye);
        return true;
    default:
        return connection->phase == CONNECTION_READY && handle_ready(client, said, now_ms);
    }
}

bool dispatch_frames(relais_client *client, int64_t now_ms)
{
    struct wire_fault fault = {.what = NULL};
    relais_error *complaint = &client->connection.complaint;
    Relais__V1__ToClient *said =
        wire_unpack_to_client(client->in.bytes[0], &client->commands, &fault);
    bool starved = said == NULL && client->commands.starved;
    bool sound = said != NULL && handle(client, said, now_ms);
    wire_arena_reset(&client->commands);
    if (starved) {
        (void)error_fill(complaint, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    } else if (!sound && complaint->status != RELAIS_NO_MEMORY) {
        (void)error_fill(complaint, RELAIS_MALFORMED, fault.field, fault.what, NULL);
    }
    return sound;
}

/* The next message. False: there is none, or the line has been given up. */
static bool dispatch_one(relais_client *client, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    enum frames_result result = frames_receive(connection->socket, &client->in);
    if (result == FRAMES_LATER) {
        return false;
    }
    if (result == FRAMES_FAILED) {
        connection_lose(client, RELAIS_NO_MEMORY, now_ms);
        return false;
    }
    bool sound = result == FRAMES_DONE && dispatch_frames(client, now_ms);
    frames_in_clear(&client->in);
    if (!sound) {
        bool starved = result == FRAMES_DONE && connection->complaint.status == RELAIS_NO_MEMORY;
        connection_lose(client, starved ? RELAIS_NO_MEMORY : RELAIS_MALFORMED, now_ms);
    }
    return sound;
}

void dispatch_all(relais_client *client, int64_t now_ms)
{
    struct connection *connection = &client->connection;
    for (int i = 0; i < MESSAGES_A_TURN && connection->socket != NULL; i++) {
        if (!dispatch_one(client, now_ms)) {
            return;
        }
    }
}
