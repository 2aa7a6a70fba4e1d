/* SPDX-License-Identifier: EUPL-1.2
 *
 * Consumers: attaching, credit, leaving, loss. States and invariants: receiver.h.
 */
#include "client/receiver.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/error.h"
#include "program/locale.h"
#include "wire/name.h"

enum {
    ATTACH_AGAIN_MS = 1000, /* where the broker gives no time */
    ATTACH_AGAIN_LONGEST_MS = 60000,
    SETTLE_MS = 5000, /* a commit takes milliseconds; then an answer will never settle */
};

void delivery_append(struct delivery_list *list, relais_delivery *delivery)
{
    delivery->next = NULL;
    if (list->last != NULL) {
        list->last->next = delivery;
    } else {
        list->first = delivery;
    }
    list->last = delivery;
}

relais_delivery *delivery_take(struct delivery_list *list)
{
    relais_delivery *delivery = list->first;
    if (delivery != NULL) {
        list->first = delivery->next;
        delivery->next = NULL;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return delivery;
}

void delivery_destroy(relais_delivery *delivery)
{
    frame_unref(delivery->frame);
    free(delivery->letter);
    if (delivery->opened != NULL) {
        sodium_memzero(delivery->opened, delivery->opened_bytes);
        free(delivery->opened);
    }
    free(delivery);
}

void consumer_release(relais_consumer *consumer)
{
    if (consumer->client == NULL && consumer->references == 0) {
        free(consumer);
    }
}

/* What the broker has taken back: ready deliveries are dropped, unsent answers are void, and those
 * in the caller's hands have lost their lease. */
void consumer_end_generation(relais_consumer *consumer)
{
    relais_delivery *delivery = NULL;
    while ((delivery = delivery_take(&consumer->ready)) != NULL) {
        delivery_destroy(delivery);
    }
    while ((delivery = delivery_take(&consumer->answers)) != NULL) {
        delivery->in_answers = false;
        if (delivery->freed) {
            delivery_destroy(delivery);
        }
    }
    consumer->generation++;
    consumer->next_tag = 1;
    consumer->held = 0;
    consumer->owed = 0;
    consumer->unsent = 0;
    consumer->unsettled = 0;
    consumer->unsure = false;
}

static void unlink_consumer(relais_client *client, relais_consumer *consumer)
{
    relais_consumer **at = &client->receiver.consumers;
    while (*at != consumer) {
        at = &(*at)->next;
    }
    *at = consumer->next;
    consumer_end_generation(consumer);
    consumer->client = NULL;
    consumer_release(consumer);
}

relais_consumer *consumer_find(const relais_client *client, uint32_t number)
{
    relais_consumer *consumer = client->receiver.consumers;
    while (consumer != NULL && consumer->number != number) {
        consumer = consumer->next;
    }
    return consumer;
}

bool receiver_attached(relais_client *client, const Relais__V1__Attached *attached)
{
    relais_consumer *consumer = consumer_find(client, attached->consumer);
    if (consumer == NULL) {
        return false;
    }
    if (consumer->state == CONSUMER_LEAVING) {
        return true;
    }
    if (consumer->state != CONSUMER_ATTACHING) {
        return false;
    }
    consumer->state = CONSUMER_ATTACHED;
    consumer->lease_ms = attached->lease_ms;
    client->happened = true;
    return true;
}

/* A refusal that may pass: the consumer attaches again, after a while. */
static void refuse(relais_consumer *consumer, const Relais__V1__Error *reason, int64_t now_ms)
{
    relais_status status = error_from_wire(&consumer->refusal, reason);
    int64_t pause_ms = reason->retry_after_ms > 0 ? reason->retry_after_ms : ATTACH_AGAIN_MS;
    if (reason->retry_after_ms > 0 || relais_status_is_transient(status)) {
        consumer->state = CONSUMER_UNATTACHED;
        consumer->attach_ms =
            now_ms + (pause_ms < ATTACH_AGAIN_LONGEST_MS ? pause_ms : ATTACH_AGAIN_LONGEST_MS);
    } else {
        consumer->state = CONSUMER_REFUSED;
    }
}

bool receiver_detached(relais_client *client, const Relais__V1__Detached *detached, int64_t now_ms)
{
    relais_consumer *consumer = consumer_find(client, detached->consumer);
    if (consumer == NULL || consumer->state == CONSUMER_UNATTACHED ||
        consumer->state == CONSUMER_REFUSED) {
        return false;
    }
    client->happened = true;
    if (consumer->state == CONSUMER_LEAVING) {
        unlink_consumer(client, consumer);
        return true;
    }
    consumer_end_generation(consumer);
    if (detached->reason != NULL) {
        refuse(consumer, detached->reason, now_ms);
    } else {
        (void)error_fill(&consumer->refusal, RELAIS_CLOSED, "consumer", consumer->address, NULL);
        consumer->state = CONSUMER_REFUSED;
    }
    return true;
}

static bool say_attach(relais_client *client, relais_consumer *consumer)
{
    uint32_t limit = client->connection.limits.credit;
    Relais__V1__Attach attach = RELAIS__V1__ATTACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    attach.consumer = consumer->number;
    attach.address = consumer->address;
    attach.credit = limit > 0 && limit < consumer->credit ? limit : consumer->credit;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_ATTACH;
    command.attach = &attach;
    if (!client_say(client, &command, NULL, 0)) {
        return false;
    }
    consumer->credit_used = attach.credit;
    consumer->next_tag = 1;
    consumer->state = CONSUMER_ATTACHING;
    return true;
}

static void say_detach(relais_client *client, relais_consumer *consumer)
{
    Relais__V1__Detach detach = RELAIS__V1__DETACH__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    detach.consumer = consumer->number;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_DETACH;
    command.detach = &detach;
    consumer->leave_sent = client_say(client, &command, NULL, 0);
}

/* In lots: when what is owed is at least what the broker still has, so never one command for each
 * message, and never a broker that waits for credit while some is owed. */
static void say_credit(relais_client *client, relais_consumer *consumer)
{
    Relais__V1__Credit credit = RELAIS__V1__CREDIT__INIT;
    Relais__V1__ToBroker command = RELAIS__V1__TO_BROKER__INIT;
    if (consumer->owed == 0 || 2 * consumer->owed + consumer->held < consumer->credit_used) {
        return;
    }
    credit.consumer = consumer->number;
    credit.add = (uint32_t)consumer->owed;
    command.command_case = RELAIS__V1__TO_BROKER__COMMAND_CREDIT;
    command.credit = &credit;
    if (client_say(client, &command, NULL, 0)) {
        consumer->owed = 0;
    }
}

static void forget_unsettled(relais_client *client, relais_consumer *consumer, int64_t now_ms)
{
    if (consumer->unsure && consumer->unsent == 0 && now_ms - consumer->answered_ms >= SETTLE_MS) {
        consumer->unsure = false;
        consumer->unsettled = 0;
        client->happened = true;
    }
}

static void flush_one(relais_client *client, relais_consumer *consumer, int64_t now_ms)
{
    if (consumer->state == CONSUMER_UNATTACHED && now_ms >= consumer->attach_ms) {
        (void)say_attach(client, consumer);
        return;
    }
    if (consumer->state != CONSUMER_ATTACHED && consumer->state != CONSUMER_LEAVING) {
        return;
    }
    answer_flush(client, consumer, now_ms);
    if (consumer->answers.first != NULL) {
        return; /* the socket takes nothing more: credit and detach come after the answers */
    }
    if (consumer->state == CONSUMER_ATTACHED) {
        forget_unsettled(client, consumer, now_ms);
        say_credit(client, consumer);
    } else if (!consumer->leave_sent) {
        say_detach(client, consumer);
    }
}

void receiver_flush(relais_client *client, int64_t now_ms)
{
    client->receiver.worked_ms = now_ms;
    for (relais_consumer *consumer = client->receiver.consumers; consumer != NULL;
         consumer = consumer->next) {
        flush_one(client, consumer, now_ms);
    }
}

void receiver_rewind(relais_client *client)
{
    relais_consumer *next = NULL;
    for (relais_consumer *consumer = client->receiver.consumers; consumer != NULL;
         consumer = next) {
        next = consumer->next;
        if (consumer->state == CONSUMER_LEAVING) {
            unlink_consumer(client, consumer);
            continue;
        }
        consumer_end_generation(consumer);
        if (consumer->state != CONSUMER_REFUSED) {
            consumer->state = CONSUMER_UNATTACHED;
            consumer->attach_ms = 0;
        }
    }
}

void receiver_close(relais_client *client)
{
    while (client->receiver.consumers != NULL) {
        unlink_consumer(client, client->receiver.consumers);
    }
}

int64_t receiver_next_ms(const relais_client *client)
{
    int64_t next_ms = INT64_MAX;
    for (const relais_consumer *consumer = client->receiver.consumers; consumer != NULL;
         consumer = consumer->next) {
        if (consumer->state == CONSUMER_UNATTACHED && !client->connection.blocked &&
            consumer->attach_ms < next_ms) {
            next_ms = consumer->attach_ms;
        }
        if (consumer->unsure && consumer->state == CONSUMER_ATTACHED && consumer->unsent == 0 &&
            consumer->answered_ms + SETTLE_MS < next_ms) {
            next_ms = consumer->answered_ms + SETTLE_MS;
        }
    }
    return next_ms;
}

bool receiver_is_ready(const relais_client *client)
{
    const relais_consumer *consumer = client->receiver.consumers;
    while (consumer != NULL && consumer->ready.first == NULL) {
        consumer = consumer->next;
    }
    return consumer != NULL;
}

relais_status relais_attach(relais_client *client, const char *address, uint32_t credit,
                            relais_consumer **out_consumer, relais_error *error)
{
    size_t member_bytes = 0;
    if (client == NULL || out_consumer == NULL || client->closing) {
        return error_fill(error, RELAIS_USAGE, "client", NULL, NULL);
    }
    if (address == NULL || !name_is_address(address, &member_bytes)) {
        return error_fill(error, RELAIS_FIELD_INVALID, "address", address,
                          _("an address such as commune-76540/etat-civil"));
    }
    if (credit == 0 || credit > RECEIVER_CREDIT_MAX) {
        return error_fill_number(error, RELAIS_FIELD_INVALID, "credit", credit,
                                 RECEIVER_CREDIT_MAX);
    }
    relais_consumer *consumer = calloc(1, sizeof *consumer);
    if (consumer == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    consumer->client = client;
    consumer->number = ++client->receiver.last_number;
    consumer->credit = credit;
    consumer->generation = 1;
    consumer->next_tag = 1;
    consumer->state = CONSUMER_UNATTACHED;
    error_copy_text(consumer->address, sizeof consumer->address, address);
    consumer->next = client->receiver.consumers;
    client->receiver.consumers = consumer;
    *out_consumer = consumer;
    return RELAIS_OK;
}

void relais_detach(relais_consumer *consumer)
{
    if (consumer == NULL || consumer->state == CONSUMER_LEAVING) {
        return;
    }
    relais_client *client = consumer->client;
    relais_delivery *delivery = NULL;
    if (consumer->state == CONSUMER_UNATTACHED || consumer->state == CONSUMER_REFUSED) {
        unlink_consumer(client, consumer);
        return;
    }
    while ((delivery = delivery_take(&consumer->ready)) != NULL) {
        delivery_destroy(delivery);
    }
    consumer->generation++; /* answers given from now on are lost; those before still go out */
    consumer->state = CONSUMER_LEAVING;
}
