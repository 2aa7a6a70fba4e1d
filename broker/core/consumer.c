/* SPDX-License-Identifier: EUPL-1.2
 *
 * See consumer.h. Transitions: consumer_attach() attached -> consumer_end() detaching, nothing held
 * -> consumers_flush() gone, once its answers are on disk.
 */
#include "core/consumer.h"

#include "core/attach_rules.h"
#include "core/due.h"
#include "core/limits.h"
#include "core/mailbox.h"
#include "core/pressure.h"
#include "core/reply.h"
#include "core/session.h"
#include "wire/codec.h"

#include <stdlib.h>

static struct consumer *by_number(const struct session *session, uint32_t number)
{
    struct consumer *consumer = session->consumers;
    while (consumer && consumer->number != number) {
        consumer = consumer->next;
    }
    return consumer;
}

struct consumer *consumer_find(const struct session *session, uint32_t number)
{
    struct consumer *consumer = by_number(session, number);
    return consumer && !consumer->detaching ? consumer : NULL;
}

static void ring_add(struct consumer *consumer)
{
    struct mailbox *mailbox = consumer->mailbox;
    if (!mailbox->turn) {
        consumer->ring_before = consumer;
        consumer->ring_after = consumer;
        mailbox->turn = consumer;
        return;
    }
    /* Behind everybody else. */
    consumer->ring_after = mailbox->turn;
    consumer->ring_before = mailbox->turn->ring_before;
    consumer->ring_before->ring_after = consumer;
    consumer->ring_after->ring_before = consumer;
}

static void ring_remove(struct consumer *consumer)
{
    struct mailbox *mailbox = consumer->mailbox;
    if (mailbox->turn == consumer) {
        mailbox->turn = consumer->ring_after == consumer ? NULL : consumer->ring_after;
    }
    consumer->ring_before->ring_after = consumer->ring_after;
    consumer->ring_after->ring_before = consumer->ring_before;
    consumer->ring_before = NULL;
    consumer->ring_after = NULL;
}

/* How many deliveries it can take now. */
static uint32_t can_take(const struct core *core, const struct consumer *consumer)
{
    if (consumer->detaching || core->draining || consumer->held >= LIMIT_CREDIT ||
        consumer->held_bytes >= LIMIT_UNACKED_BYTES || !pressure_allows(core, consumer)) {
        return 0;
    }
    uint32_t room = LIMIT_CREDIT - consumer->held;
    return consumer->credit < room ? consumer->credit : room;
}

void consumer_refresh(struct core *core, struct consumer *consumer)
{
    struct mailbox *mailbox = consumer->mailbox;
    uint32_t offered = can_take(core, consumer);
    if (consumer->offered > 0 && offered == 0) {
        ring_remove(consumer);
    } else if (consumer->offered == 0 && offered > 0) {
        ring_add(consumer);
    }
    mailbox->credit = mailbox->credit - consumer->offered + offered;
    consumer->offered = offered;
    if (mailbox->ahead_first || (mailbox->turn && mailbox->more)) {
        mailbox_touch(core, mailbox);
    }
}

void consumer_give(struct step *step, struct consumer *consumer, struct store_entry *entry)
{
    struct mailbox *mailbox = consumer->mailbox;
    if (!lease_grant(step, consumer, entry)) {
        step->effects->failed = true;
        held_message_drop(&entry->message);
        return;
    }
    mailbox->turn = consumer->ring_after;
    consumer->credit--;
    consumer_refresh(step->core, consumer);
    session_touch(step->core, consumer->session);
}

static void say_attached(struct step *step, const struct consumer *consumer)
{
    Relais__V1__Attached attached = RELAIS__V1__ATTACHED__INIT;
    attached.consumer = consumer->number;
    attached.lease_ms = step->core->settings.lease_ms;
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED;
    command.attached = &attached;
    reply_send(step, consumer->session->connection, &command);
}

void consumer_attach(struct step *step, struct session *session,
                     const struct directory_client *client, const Relais__V1__Attach *attach)
{
    struct core *core = step->core;
    struct refusal refusal = {0};
    if (by_number(session, attach->consumer)) {
        /* An error, not Detached: the one that is attached stays so. */
        refusal = attach_in_use(step, attach->consumer);
        reply_error(step, session->connection, &refusal);
        return;
    }
    if (!attach_check(step, client, attach, &refusal) ||
        !attach_check_session(step, session, attach, &refusal)) {
        reply_detached(step, session->connection, attach->consumer, &refusal);
        return;
    }
    struct mailbox *mailbox = mailbox_open(core, attach->address);
    struct consumer *consumer = calloc(1, sizeof *consumer);
    if (!mailbox || !consumer) {
        step->effects->failed = true;
        free(consumer);
        return;
    }
    consumer->session = session;
    consumer->mailbox = mailbox;
    consumer->number = attach->consumer;
    consumer->serial = ++core->next_serial;
    consumer->credit = attach->credit;
    consumer->next_tag = 1;
    consumer->next = session->consumers;
    session->consumers = consumer;
    session->consumer_count++;
    mailbox->consumers++;
    core->totals.consumers++;
    due_update(step, mailbox);
    consumer_refresh(core, consumer);
    say_attached(step, consumer);
}

static void say_unknown(struct step *step, const struct session *session, const char *field,
                        uint32_t number)
{
    struct refusal refusal = {
        .code = RELAIS__V1__CODE__CODE_UNKNOWN_CONSUMER,
        .field = field,
        .wrong = refusal_number(step->effects, number),
        .right = "a consumer attached on this connection",
    };
    reply_error(step, session->connection, &refusal);
}

void consumer_credit(struct step *step, struct session *session, const Relais__V1__Credit *credit)
{
    struct consumer *consumer = consumer_find(session, credit->consumer);
    if (!consumer) {
        say_unknown(step, session, "credit.consumer", credit->consumer);
        return;
    }
    if (credit->add > LIMIT_CREDIT - consumer->credit) {
        struct refusal refusal = {
            .code = RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED,
            .field = "credit.add",
            .wrong = refusal_number(step->effects, credit->add),
            .right = refusal_number(step->effects, LIMIT_CREDIT - consumer->credit),
        };
        reply_error(step, session->connection, &refusal);
        return;
    }
    consumer->credit += credit->add;
    consumer_refresh(step->core, consumer);
}

static void give_back(struct step *step, struct consumer *consumer)
{
    while (consumer->newest) {
        lease_return(step, consumer->newest);
    }
}

void consumer_end(struct step *step, struct consumer *consumer, Relais__V1__Code code)
{
    consumer->detaching = true;
    consumer->detach_code = (unsigned)code;
    consumer_refresh(step->core, consumer);
    give_back(step, consumer);
    session_touch(step->core, consumer->session);
}

void consumer_detach(struct step *step, struct session *session, const Relais__V1__Detach *detach)
{
    struct consumer *consumer = consumer_find(session, detach->consumer);
    if (!consumer) {
        say_unknown(step, session, "detach.consumer", detach->consumer);
        return;
    }
    consumer_end(step, consumer, RELAIS__V1__CODE__CODE_OK);
}

/* Out of its session's list; nothing is held any more. */
static void consumer_free(struct step *step, struct session *session, struct consumer *consumer)
{
    struct consumer **link = &session->consumers;
    while (*link != consumer) {
        link = &(*link)->next;
    }
    *link = consumer->next;
    session->consumer_count--;
    consumer->mailbox->consumers--;
    step->core->totals.consumers--;
    due_update(step, consumer->mailbox);
    table_fini(&consumer->deliveries);
    ranges_fini(&consumer->settled);
    free(consumer);
}

/* Perhaps it died of the first that it held. */
static void pause_first(struct step *step, struct consumer *consumer)
{
    struct delivery *first = consumer->oldest;
    if (first && first->sent && consumer->answered_tag == 0) {
        lease_pause(step, first);
    }
}

void consumers_drop(struct step *step, struct session *session, bool died)
{
    while (session->consumers) {
        struct consumer *consumer = session->consumers;
        consumer->detaching = true;
        consumer_refresh(step->core, consumer);
        if (died) {
            pause_first(step, consumer);
        }
        give_back(step, consumer);
        consumer_free(step, session, consumer);
    }
}

void consumer_settled(struct step *step, const struct ticket *ticket, bool settled)
{
    struct session *session = session_find(step->core, ticket->connection);
    struct consumer *consumer = session ? session->consumers : NULL;
    while (consumer && consumer->serial != ticket->consumer) {
        consumer = consumer->next;
    }
    if (!consumer) {
        return;
    }
    consumer->settling--;
    if (settled && !ranges_add(&consumer->settled, ticket->number)) {
        step->effects->failed = true;
    }
    session_touch(step->core, session);
}

/* Hands the messages of `count` deliveries from `first` on to one Deliver. Returns the next one. */
static struct delivery *deliver_batch(struct step *step, struct consumer *consumer,
                                      struct delivery *first, size_t count)
{
    struct effects *effects = step->effects;
    struct held_message *messages = effects_alloc(effects, count * sizeof *messages);
    Relais__V1__Delivery *values = effects_alloc(effects, count * sizeof *values);
    Relais__V1__Delivery **pointers =
        effects_alloc(effects, count * sizeof(Relais__V1__Delivery *));
    Relais__V1__Part *parts = effects_alloc(effects, count * sizeof *parts);
    if (!messages || !values || !pointers || !parts) {
        return NULL;
    }
    Relais__V1__Deliver deliver = RELAIS__V1__DELIVER__INIT;
    deliver.consumer = consumer->number;
    deliver.first_tag = consumer->next_tag;
    deliver.n_deliveries = count;
    deliver.deliveries = pointers;
    struct delivery *delivery = first;
    for (size_t i = 0; i < count; i++, delivery = delivery->newer) {
        relais__v1__part__init(&parts[i]);
        parts[i].envelope_bytes = (uint32_t)delivery->message.envelope.size;
        parts[i].payload_bytes = (uint32_t)delivery->message.payload.size;
        relais__v1__delivery__init(&values[i]);
        values[i].part = &parts[i];
        values[i].attempt = delivery->attempts + 1;
        values[i].accepted_ms = delivery->accepted_ms;
        values[i].lease_ms =
            delivery->lease_ms != step->core->settings.lease_ms ? delivery->lease_ms : 0;
        values[i].stored_bytes = delivery->stored_bytes;
        pointers[i] = &values[i];
        messages[i] = delivery->message;
        delivery->message = (struct held_message){0};
        lease_sent(step, delivery);
    }
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_DELIVER;
    command.deliver = &deliver;
    struct effect *effect = reply_send(step, consumer->session->connection, &command);
    effect->send.messages = messages;
    effect->send.message_count = count;
    step->core->totals.delivered += count;
    return delivery;
}

/* What a Deliver holds of it. */
static uint64_t carried(const struct delivery *delivery)
{
    return delivery->bytes - delivery->stored_bytes;
}

static void deliver(struct step *step, struct consumer *consumer)
{
    while (consumer->unsent && !step->effects->failed) {
        size_t count = 0;
        uint64_t bytes = 0;
        for (struct delivery *next = consumer->unsent;
             next && count < WIRE_BATCH_MESSAGES &&
             (count == 0 || bytes + carried(next) <= LIMIT_BATCH_BYTES);
             next = next->newer) {
            bytes += carried(next);
            count++;
        }
        consumer->unsent = deliver_batch(step, consumer, consumer->unsent, count);
    }
}

/* Why it was taken away, when the client had not asked for it. */
static struct refusal detach_reason(const struct consumer *consumer)
{
    bool role = consumer->detach_code == RELAIS__V1__CODE__CODE_ROLE_MISSING;
    return (struct refusal){
        .code = (Relais__V1__Code)consumer->detach_code,
        .field = role ? "client.roles" : "attach.address",
        .wrong = role ? "without receive" : consumer->mailbox->name,
        .right = role ? N_("a client with the role receive") : N_("a service of the member"),
    };
}

void consumers_flush(struct step *step, struct session *session)
{
    struct consumer *next = NULL;
    for (struct consumer *consumer = session->consumers; consumer; consumer = next) {
        next = consumer->next;
        reply_settled(step, session->connection, consumer->number, &consumer->settled);
        ranges_clear(&consumer->settled);
        deliver(step, consumer);
        if (consumer->detaching && consumer->settling == 0) {
            struct refusal reason = detach_reason(consumer);
            reply_detached(step, session->connection, consumer->number,
                           consumer->detach_code ? &reason : NULL);
            consumer_free(step, session, consumer);
        }
    }
}
