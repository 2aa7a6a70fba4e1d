/* SPDX-License-Identifier: EUPL-1.2
 *
 * See request.h and relais/request.h.
 */
#include "client/request.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/error.h"
#include "client/sealing.h"
#include "program/locale.h"
#include "wire/name.h"

enum {
    REPLIES_CREDIT = 256,
    TIMEOUT_LONGEST_MS = 7 * 24 * 3600 * 1000,
    HAND_BACK_MS = 200, /* at most, for the process that waits */
    HAND_BACK_SHARE = 8,
    HAND_BACK_LONGEST_MS = 3600 * 1000,
};

static bool is_past(const struct requester *requester, const char *id)
{
    size_t count = requester->past_count < REQUEST_PAST ? requester->past_count : REQUEST_PAST;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(requester->past[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static relais_request *find(const struct requester *requester, const char *id)
{
    relais_request *request = requester->first;
    while (request != NULL && strcmp(request->id, id) != 0) {
        request = request->next;
    }
    return request;
}

/* By chance, or answers that go round among several processes would do so in step for ever; longer
 * for what has been waiting for long: the process that waited may be gone. */
static uint32_t hand_back_ms(const relais_client *client, const relais_delivery *delivery)
{
    int64_t age_ms = clock_wall_ms() + client->connection.broker_ahead_ms - delivery->accepted_ms;
    int64_t most_ms = age_ms / HAND_BACK_SHARE;
    most_ms = most_ms > HAND_BACK_MS ? most_ms : HAND_BACK_MS;
    most_ms = most_ms < HAND_BACK_LONGEST_MS ? most_ms : HAND_BACK_LONGEST_MS;
    return 1 + randombytes_uniform((uint32_t)most_ms);
}

static void settle(relais_delivery *delivery, enum answer_kind kind, uint32_t delay_ms)
{
    answer_record(delivery, kind, delay_ms, NULL);
    delivery->freed = true;
}

void requester_sort(relais_client *client)
{
    struct requester *requester = client->requester;
    relais_delivery *delivery = NULL;
    if (requester == NULL) {
        return;
    }
    while ((delivery = delivery_take(&requester->consumer->ready)) != NULL) {
        const char *id = delivery->message.correlation_id;
        relais_request *request = id != NULL ? find(requester, id) : NULL;
        if (request != NULL && request->reply == NULL) {
            request->reply = delivery;
            requester->consumer->references++;
            client->happened = true;
        } else if (request != NULL || (id != NULL && is_past(requester, id))) {
            settle(delivery, ANSWER_ACK, 0);
        } else {
            settle(delivery, ANSWER_HAND_BACK, hand_back_ms(client, delivery));
        }
    }
}

void requester_close(relais_client *client)
{
    struct requester *requester = client->requester;
    if (requester == NULL) {
        return;
    }
    relais_request *next = NULL;
    for (relais_request *request = requester->first; request != NULL; request = next) {
        next = request->next;
        request->client = NULL;
        request->next = NULL;
    }
    free(requester);
    client->requester = NULL;
}

static void note_outcome(void *context, const relais_outcome *outcome)
{
    relais_request *request = context;
    request->pending = NULL;
    request->state = outcome->error.status == RELAIS_OK ? REQUEST_ACCEPTED : REQUEST_REFUSED;
    request->refusal = outcome->error;
}

/* The private mailbox of who the broker says we are. */
static relais_status find_address(relais_client *client, int64_t deadline_ms,
                                  char out_address[RELAIS_ADDRESS_BYTES + 1], relais_error *error)
{
    char address[2 * NAME_SLUG_BYTES + 3 + 1];
    size_t member_bytes = 0;
    relais_status status = RELAIS_OK;
    while (!client->welcomed && status == RELAIS_OK) {
        status = client_work(client, deadline_ms, NULL, 0);
    }
    if (!client->welcomed) {
        return error_fill(error, status == RELAIS_TIMED_OUT ? RELAIS_EXPIRED : status, "endpoint",
                          client->endpoint, NULL);
    }
    (void)snprintf(address, sizeof address, "%s/~%s", client->member, client->name);
    if (!name_is_address(address, &member_bytes)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "client", address,
                          _("a client with a shorter name"));
    }
    error_copy_text(out_address, RELAIS_ADDRESS_BYTES + 1, address);
    return RELAIS_OK;
}

static relais_status open_mailbox(relais_client *client, const char *address, relais_error *error)
{
    struct requester *requester = client->requester;
    if (requester != NULL && requester->consumer->state == CONSUMER_REFUSED &&
        requester->first == NULL) {
        relais_detach(requester->consumer); /* perhaps it is allowed by now */
        client->requester = NULL;
        free(requester);
    } else if (requester != NULL) {
        return RELAIS_OK;
    }
    requester = calloc(1, sizeof *requester);
    if (requester == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    relais_status status =
        relais_attach(client, address, REPLIES_CREDIT, &requester->consumer, error);
    if (status != RELAIS_OK) {
        free(requester);
        return status;
    }
    client->requester = requester;
    return RELAIS_OK;
}

static relais_status send_it(relais_request *request, const relais_message *message,
                             const char *address, relais_error *error)
{
    relais_client *client = request->client;
    relais_message copy = *message;
    int64_t expires_ms = clock_wall_ms() + client->connection.broker_ahead_ms +
                         (request->deadline_ms - clock_monotonic_ms());
    copy.id = request->id;
    copy.reply_to = address;
    if (copy.expires_at_ms == 0 || copy.expires_at_ms > expires_ms) {
        copy.expires_at_ms = expires_ms;
    }
    return sender_add(client, &copy, note_outcome, request, &request->pending, error);
}

static relais_status start(relais_request *request, const relais_message *message,
                           relais_error *error)
{
    char address[RELAIS_ADDRESS_BYTES + 1];
    relais_client *client = request->client;
    relais_status status = find_address(client, request->deadline_ms, address, error);
    if (status == RELAIS_OK) {
        status = open_mailbox(client, address, error);
    }
    if (status == RELAIS_OK) {
        status = send_it(request, message, address, error);
    }
    if (status == RELAIS_OK) {
        request->next = client->requester->first;
        client->requester->first = request;
    }
    return status;
}

relais_status relais_request_open(relais_client *client, const relais_message *message,
                                  int timeout_ms, relais_request **out_request, relais_error *error)
{
    if (client == NULL || message == NULL || out_request == NULL || client->calling ||
        client->closing) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (timeout_ms <= 0 || timeout_ms > TIMEOUT_LONGEST_MS) {
        return error_fill(error, RELAIS_USAGE, "timeout_ms", NULL, _("1 ms to 7 days"));
    }
    if (message->id != NULL && !name_is_id(message->id)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "id", message->id,
                          _("1 to 128 printable ASCII characters without space"));
    }
    relais_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    request->client = client;
    request->deadline_ms = client_deadline(timeout_ms);
    if (message->id != NULL) {
        error_copy_text(request->id, sizeof request->id, message->id);
    } else {
        relais_message_new_id(request->id);
    }
    relais_status status = start(request, message, error);
    if (status != RELAIS_OK) {
        free(request);
        return status;
    }
    *out_request = request;
    return RELAIS_OK;
}

static relais_status give(relais_error *error, const relais_error *refusal)
{
    if (error != NULL) {
        *error = *refusal;
    }
    return refusal->status;
}

/* Time is up: what is known of the request tells more than that. */
static relais_status expire(relais_request *request, relais_error *error)
{
    const struct pending *pending = request->pending;
    if (pending != NULL && pending->state == PENDING_RESTING) {
        return sender_fill_refusal(error, pending->refusal);
    }
    return error_fill(error, RELAIS_EXPIRED, "reply", request->id,
                      _("an answer before the time of the request is over"));
}

/* True: *out_status is the end of waiting. */
static bool has_ended(relais_request *request, relais_delivery **out_reply,
                      relais_status *out_status, relais_error *error)
{
    relais_delivery *reply = request->reply;
    request->reply = NULL; /* looking at it may wait, and others come meanwhile */
    if (reply != NULL && request->client != NULL && !letter_show(request->client, reply)) {
        reply = NULL;
    } else if (reply != NULL && request->client == NULL && reply->letter != NULL) {
        relais_delivery_free(reply); /* nobody can open it any more */
        reply = NULL;
    }
    if (reply != NULL) {
        *out_reply = reply;
        request->answered = true;
        *out_status = RELAIS_OK;
    } else if (request->state == REQUEST_REFUSED) {
        *out_status = give(error, &request->refusal);
    } else if (request->client == NULL) {
        *out_status = error_fill(error, RELAIS_CLOSED, NULL, NULL, NULL);
    } else if (request->client->requester->consumer->state == CONSUMER_REFUSED) {
        *out_status = give(error, &request->client->requester->consumer->refusal);
    } else if (clock_monotonic_ms() >= request->deadline_ms) {
        *out_status = expire(request, error);
    } else {
        return false;
    }
    return true;
}

relais_status relais_request_reply(relais_request *request, int timeout_ms,
                                   relais_delivery **out_reply, relais_error *error)
{
    if (request == NULL || out_reply == NULL ||
        (request->client != NULL && request->client->calling)) {
        return error_fill(error, RELAIS_USAGE, "request", NULL, NULL);
    }
    int64_t until_ms = client_deadline(timeout_ms);
    relais_status status = RELAIS_OK;
    while (!has_ended(request, out_reply, &status, error)) {
        int64_t first_ms = until_ms < request->deadline_ms ? until_ms : request->deadline_ms;
        status = client_work(request->client, first_ms, NULL, 0);
        bool over = status == RELAIS_TIMED_OUT && until_ms >= request->deadline_ms;
        if (status != RELAIS_OK && !over && request->reply == NULL &&
            request->state != REQUEST_REFUSED) {
            return error_fill(error, status, "reply", request->id, NULL);
        }
    }
    return status;
}

size_t relais_request_unsettled(const relais_client *client)
{
    return client->requester != NULL ? client->requester->consumer->unsettled : 0;
}

const char *relais_request_id(const relais_request *request)
{
    return request->id;
}

static void leave(relais_request *request)
{
    struct requester *requester = request->client->requester;
    relais_request **at = &requester->first;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    error_copy_text(requester->past[requester->past_count % REQUEST_PAST],
                    sizeof requester->past[0], request->id);
    requester->past_count++;
    bool sent = request->state == REQUEST_ACCEPTED;
    if (request->pending != NULL) {
        sent = request->pending->state == PENDING_IN_FLIGHT;
        (void)sender_give_up(request->client, request->pending);
    }
    if (sent && !request->answered) {
        cancel_say(request->client, request->id);
    }
}

void relais_request_close(relais_request *request)
{
    if (request == NULL) {
        return;
    }
    if (request->client != NULL) {
        leave(request);
        if (request->reply != NULL) {
            (void)relais_ack(request->reply);
        }
    }
    relais_delivery_free(request->reply);
    free(request);
}

relais_status relais_request_wait(relais_client *client, const relais_message *message,
                                  int timeout_ms, relais_delivery **out_reply, relais_error *error)
{
    relais_request *request = NULL;
    if (out_reply == NULL) {
        return error_fill(error, RELAIS_USAGE, "out_reply", NULL, NULL);
    }
    relais_status status = relais_request_open(client, message, timeout_ms, &request, error);
    if (status != RELAIS_OK) {
        return status;
    }
    status = relais_request_reply(request, -1, out_reply, error);
    relais_request_close(request);
    return status;
}

relais_status relais_reply_to(const relais_message *request, relais_message *reply,
                              relais_error *error)
{
    if (request == NULL || reply == NULL) {
        return error_fill(error, RELAIS_USAGE, "request", NULL, NULL);
    }
    if (request->reply_to == NULL || request->reply_to[0] == '\0') {
        return error_fill(error, RELAIS_FIELD_MISSING, "reply_to", NULL,
                          _("a request: a message that says where its answer goes"));
    }
    if (request->id == NULL) {
        return error_fill(error, RELAIS_FIELD_MISSING, "id", NULL, _("a message that came"));
    }
    reply->to = &request->reply_to;
    reply->to_count = 1;
    reply->correlation_id = request->id;
    reply->flow = reply->flow != NULL ? reply->flow : request->flow;
    reply->expires_at_ms =
        reply->expires_at_ms != 0 ? reply->expires_at_ms : request->expires_at_ms;
    reply->priority =
        reply->priority != RELAIS_PRIORITY_NORMAL ? reply->priority : request->priority;
    reply->traceparent = reply->traceparent != NULL ? reply->traceparent : request->traceparent;
    return RELAIS_OK;
}
