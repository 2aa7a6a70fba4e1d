/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What the core says to clients.
 */
#include "oracle.h"

#include "ahead.h"
#include "succession.h"

#include "agenda.h"
#include "core/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void oracle_welcome(struct oracle *oracle)
{
    uint64_t connection = oracle->step.connection;
    while (connection >= oracle->session_capacity) {
        size_t old = oracle->session_capacity;
        oracle->sessions = agenda_grown(oracle->sessions, old, &oracle->session_capacity,
                                        sizeof(struct oracle_session *));
        memset(oracle->sessions + old, 0,
               (oracle->session_capacity - old) * sizeof(struct oracle_session *));
    }
    PROMISE(oracle->trace, !oracle->sessions[connection], "a connection is welcomed once",
            {"connection", connection});
    struct oracle_session *session = calloc(1, sizeof *session);
    assert(session);
    session->connection = connection;
    session->client = oracle->step.client;
    oracle->sessions[connection] = session;
    oracle->open = agenda_grown(oracle->open, oracle->open_count, &oracle->open_capacity,
                                sizeof *oracle->open);
    oracle->open[oracle->open_count++] = connection;
    oracle->step.seen.welcome = true;
}

void oracle_attached(struct oracle *oracle, const Relais__V1__Attach *attach)
{
    struct oracle_session *session = oracle->step.session;
    struct oracle_consumer *consumer = calloc(1, sizeof *consumer);
    assert(consumer && session);
    consumer->connection = session->connection;
    consumer->number = attach->consumer;
    consumer->place = town_place(attach->address);
    consumer->credit = attach->credit;
    oracle->consumers = agenda_grown(oracle->consumers, oracle->consumer_count,
                                     &oracle->consumer_capacity, sizeof(struct oracle_consumer *));
    session->consumers = agenda_grown(session->consumers, session->consumer_count,
                                      &session->consumer_capacity, sizeof *session->consumers);
    session->consumers[session->consumer_count++] = (uint32_t)oracle->consumer_count;
    oracle->consumers[oracle->consumer_count++] = consumer;
    struct oracle_place *place = &oracle->places[consumer->place];
    place->opened = true;
    place->consumers++;
    oracle->step.seen.attached = true;
}

void oracle_consumer_gone(struct oracle *oracle, struct oracle_consumer *consumer)
{
    if (!consumer->gone) {
        consumer->ending = true;
        consumer->gone = true;
        oracle->places[consumer->place].consumers--;
    }
}

void oracle_over(struct oracle *oracle, struct oracle_session *session)
{
    session->over = true;
    session->untold = 0;
    session->unconfirmed = 0;
    for (size_t i = 0; i < session->consumer_count; i++) {
        oracle_consumer_gone(oracle, oracle->consumers[session->consumers[i]]);
    }
}

static void told_accepted(struct oracle *oracle, struct oracle_session *session,
                          const Relais__V1__Accepted *accepted)
{
    for (size_t i = 0; i < accepted->n_numbers; i++) {
        for (uint64_t n = accepted->numbers[i]->first; n <= accepted->numbers[i]->last; n++) {
            PROMISE(oracle->trace,
                    n > 0 && n <= session->number_count &&
                        session->numbers[n - 1].state == NUMBER_STORED,
                    "accepted is what is on disk, once", {"connection", session->connection},
                    {"number", n});
            session->numbers[n - 1].state = NUMBER_ANSWERED;
            session->numbers[n - 1].message->accepted = true;
            oracle_succession_accepted(oracle, session->numbers[n - 1].message);
            session->unconfirmed--;
        }
    }
}

/* Does it say that the same again is of no use? */
static bool is_final(uint32_t code)
{
    return code != RELAIS__V1__CODE__CODE_BUSY && code != RELAIS__V1__CODE__CODE_DRAINING &&
           code != RELAIS__V1__CODE__CODE_OVER_QUOTA && code != RELAIS__V1__CODE__CODE_STORE_FULL;
}

/* Is this number due this refusal, since the store has answered? */
static bool is_due(const struct oracle_number *number, const Relais__V1__Error *error)
{
    switch (number->state) {
    case NUMBER_FULL:
        return error->code == RELAIS__V1__CODE__CODE_STORE_FULL;
    case NUMBER_OVER:
        return error->code == RELAIS__V1__CODE__CODE_OVER_QUOTA && error->retry_after_ms > 0;
    case NUMBER_UNKNOWN:
        return error->code == RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE;
    case NUMBER_WRONG:
        return is_final(error->code);
    default:
        return false;
    }
}

static void check_refused(const struct oracle *oracle, const struct oracle_number *number,
                          uint32_t code)
{
    PROMISE(oracle->trace,
            !number->message || !number->message->accepted || !is_final(code) ||
                code == RELAIS__V1__CODE__CODE_ROLE_MISSING,
            "what was accepted is not refused for good", {"message", number->message->index},
            {"code", code});
}

static void told_refused(struct oracle *oracle, struct oracle_session *session,
                         const Relais__V1__Refused *refused)
{
    const struct oracle_step *step = &oracle->step;
    for (size_t i = 0; i < refused->n_refusals; i++) {
        uint64_t n = refused->refusals[i]->number;
        uint32_t code = refused->refusals[i]->error->code;
        PROMISE(oracle->trace, n > 0 && n <= session->number_count && code != 0,
                "a refusal is about a number that was used", {"number", n}, {"code", code});
        struct oracle_number *number = &session->numbers[n - 1];
        bool due = is_due(number, refused->refusals[i]->error);
        bool now = number->state == NUMBER_NEW && step->session == session && step->count > 0 &&
                   n > step->first && code != RELAIS__V1__CODE__CODE_STORE_FULL;
        PROMISE(oracle->trace, due || now, "a message is refused once, and in time", {"number", n},
                {"state", number->state}, {"code", code});
        check_refused(oracle, number, code);
        session->untold -= due;
        number->state = NUMBER_ANSWERED;
        number->refused = code;
        oracle->totals.refused++;
    }
}

static void check_delivery(const struct oracle *oracle, const struct oracle_consumer *consumer,
                           const struct message *message, const struct life *life)
{
    PROMISE(oracle->trace, life->state == LIFE_TAKEN, "one entry has one lease",
            {"message", message->index}, {"place", consumer->place}, {"state", life->state});
    PROMISE(oracle->trace, life->due_ms <= oracle->now.wall_ms, "nothing is delivered too early",
            {"message", message->index}, {"due", (uint64_t)life->due_ms});
    PROMISE(oracle->trace, message->expires_ms == 0 || message->expires_ms > oracle->now.wall_ms,
            "nothing is delivered too late", {"message", message->index});
    PROMISE(oracle->trace,
            consumer->held < LIMIT_CREDIT && consumer->held_bytes < LIMIT_UNACKED_BYTES,
            "a consumer holds no more than it may", {"held", consumer->held},
            {"bytes", consumer->held_bytes});
}

static void check_bytes(const struct oracle *oracle, const struct message *message,
                        const struct held_message *held, const Relais__V1__Delivery *delivery)
{
    const struct bytes *envelope = &message->envelope->bytes;
    PROMISE(oracle->trace,
            held->envelope.size == envelope->size &&
                memcmp(held->envelope.data, envelope->data, envelope->size) == 0 &&
                held->payload.size == message->payload.size &&
                (held->payload.size == 0 ||
                 memcmp(held->payload.data, message->payload.data, held->payload.size) == 0),
            "a message is delivered as it came", {"message", message->index});
    PROMISE(oracle->trace,
            delivery->part->envelope_bytes == held->envelope.size &&
                delivery->part->payload_bytes == held->payload.size &&
                delivery->accepted_ms == message->stored_ms,
            "a delivery says what it is", {"message", message->index});
}

void oracle_lease_add(struct oracle *oracle, const struct oracle_lease *lease)
{
    oracle->leases = agenda_grown(oracle->leases, oracle->lease_count, &oracle->lease_capacity,
                                  sizeof *oracle->leases);
    size_t at = oracle->lease_count++;
    for (; at > oracle->lease_first && oracle->leases[at - 1].until_ms > lease->until_ms; at--) {
        oracle->leases[at] = oracle->leases[at - 1];
    }
    oracle->leases[at] = *lease;
}

/* What the flow says, while it is there; else what the broker does. */
static void lay_rules(const struct oracle *oracle, const struct message *message, struct life *life)
{
    bool own = message->flow == FLOW_REPLY && !oracle->town->flow_absent[FLOW_REPLY];
    life->lease_ms = own ? TOWN_REPLY_LEASE_MS : oracle->plan->lease_ms;
    life->attempts_most = own ? TOWN_REPLY_ATTEMPTS : oracle->plan->attempts;
}

static void lease_begins(struct oracle *oracle, struct oracle_consumer *consumer, uint32_t serial,
                         struct message *message, struct life *life)
{
    consumer->tags = agenda_grown(consumer->tags, consumer->tag_count, &consumer->tag_capacity,
                                  sizeof *consumer->tags);
    consumer->tags[consumer->tag_count++] =
        (struct oracle_tag){.message = message, .state = TAG_HELD};
    consumer->credit--;
    consumer->held++;
    consumer->held_bytes += ledger_bytes(message);
    oracle->places[consumer->place].leased++;
    oracle_taken_ends(oracle, life, consumer->place);
    life->state = LIFE_LEASED;
    life->holder = serial;
    life->tag = consumer->tag_count;
    lay_rules(oracle, message, life);
    life->extended = false;
    life->leased_ms = oracle->now.mono_ms;
    life->until_ms = life->leased_ms + life->lease_ms;
    oracle_lease_add(oracle, &(struct oracle_lease){.message = message,
                                                    .life = life,
                                                    .holder = serial,
                                                    .tag = life->tag,
                                                    .until_ms = life->until_ms});
}

void oracle_lease_extend(struct oracle *oracle, const Relais__V1__Extend *extend)
{
    const struct oracle_consumer *consumer = oracle->step.consumer;
    for (size_t i = 0; i < extend->n_tags; i++) {
        for (uint64_t tag = extend->tags[i]->first;
             tag > 0 && tag <= extend->tags[i]->last && tag <= consumer->tag_count; tag++) {
            const struct oracle_tag *held = &consumer->tags[tag - 1];
            struct life *life = ledger_life(held->message, consumer->place);
            if (held->state == TAG_HELD) {
                life->extended = true;
                life->until_ms = oracle->now.mono_ms + extend->by_ms;
                oracle_lease_add(oracle, &(struct oracle_lease){.message = held->message,
                                                                .life = life,
                                                                .holder = life->holder,
                                                                .tag = tag,
                                                                .until_ms = life->until_ms});
            }
        }
    }
}

static uint32_t serial_of(const struct oracle *oracle, const struct oracle_session *session,
                          uint32_t number)
{
    for (size_t i = 0; i < session->consumer_count; i++) {
        const struct oracle_consumer *consumer = oracle->consumers[session->consumers[i]];
        if (consumer->number == number && !consumer->gone) {
            return session->consumers[i];
        }
    }
    trace_broken(oracle->trace, "what is said of a consumer is said of one that is attached",
                 (const struct trace_field[TRACE_FIELDS]){{"connection", session->connection},
                                                          {"consumer", number}});
}

static void told_deliver(struct oracle *oracle, const struct oracle_session *session,
                         const struct effect *effect, const Relais__V1__Deliver *deliver)
{
    uint32_t serial = serial_of(oracle, session, deliver->consumer);
    struct oracle_consumer *consumer = oracle->consumers[serial];
    PROMISE(oracle->trace,
            !consumer->ending && town_may_open(oracle->town, session->client, consumer->place),
            "a delivery goes to a consumer that may have it", {"connection", session->connection},
            {"consumer", consumer->number});
    PROMISE(oracle->trace,
            deliver->n_deliveries > 0 && deliver->n_deliveries == effect->send.message_count &&
                deliver->n_deliveries <= consumer->credit,
            "credit is not exceeded", {"credit", consumer->credit},
            {"count", deliver->n_deliveries});
    PROMISE(oracle->trace, deliver->first_tag == consumer->tag_count + 1, "tags follow one another",
            {"tag", deliver->first_tag}, {"wanted", consumer->tag_count + 1});
    for (size_t i = 0; i < deliver->n_deliveries; i++) {
        const struct held_message *held = &effect->send.messages[i];
        struct message *message = ledger_read(oracle->ledger, held->envelope);
        struct life *life = message ? ledger_life(message, consumer->place) : NULL;
        PROMISE(oracle->trace, life != NULL, "a delivery is for whom it was sent to",
                {"message", message ? message->index : 0}, {"place", consumer->place});
        check_delivery(oracle, consumer, message, life);
        oracle_order_delivered(oracle, message, consumer->place);
        check_bytes(oracle, message, held, deliver->deliveries[i]);
        PROMISE(oracle->trace, deliver->deliveries[i]->attempt == life->attempts + 1,
                "attempts are counted", {"attempt", deliver->deliveries[i]->attempt},
                {"made", life->attempts});
        lease_begins(oracle, consumer, serial, message, life);
        NOTE(oracle->trace, "deliver", {"connection", session->connection},
             {"message", message->index}, {"tag", life->tag}, {"place", consumer->place});
    }
    oracle->totals.delivered += deliver->n_deliveries;
    oracle->delivered += deliver->n_deliveries;
}

static void told_settled(struct oracle *oracle, const struct oracle_session *session,
                         const Relais__V1__Settled *settled)
{
    struct oracle_consumer *consumer =
        oracle->consumers[serial_of(oracle, session, settled->consumer)];
    for (size_t i = 0; i < settled->n_tags; i++) {
        for (uint64_t tag = settled->tags[i]->first; tag <= settled->tags[i]->last; tag++) {
            PROMISE(oracle->trace,
                    tag > 0 && tag <= consumer->tag_count &&
                        consumer->tags[tag - 1].state == TAG_ON_DISK,
                    "settled is what is on disk, once", {"tag", tag},
                    {"connection", session->connection});
            consumer->tags[tag - 1].state = TAG_OVER;
            consumer->untold--;
        }
    }
}

static void told_detached(struct oracle *oracle, const struct oracle_session *session,
                          const Relais__V1__Detached *detached)
{
    if (oracle->step.kind == STEP_FRAMES) {
        oracle->step.seen.detached = true; /* an attach that was refused */
        return;
    }
    struct oracle_consumer *consumer =
        oracle->consumers[serial_of(oracle, session, detached->consumer)];
    PROMISE(oracle->trace,
            consumer->ending && consumer->held == 0 && consumer->settling == 0 &&
                consumer->untold == 0,
            "detached is the last word about a consumer", {"connection", session->connection},
            {"held", consumer->held}, {"settling", consumer->settling});
    oracle_consumer_gone(oracle, consumer);
}

static void told_close(struct oracle *oracle, uint64_t connection)
{
    struct oracle_session *session = oracle_session(oracle, connection);
    if (connection >= ORACLE_OPERATOR) {
        return;
    }
    oracle->step.seen.close = true;
    NOTE(oracle->trace, "broker hangs up", {"connection", connection});
    if (session) {
        PROMISE(oracle->trace,
                oracle->step.kind != STEP_FLUSH || (oracle->draining && oracle->storing == 0 &&
                                                    oracle->settling == 0 && oracle->asking == 0),
                "a draining broker waits for its disk", {"storing", oracle->storing},
                {"settling", oracle->settling});
        oracle_over(oracle, session);
        for (size_t i = 0; i < session->consumer_count; i++) {
            PROMISE(oracle->trace, oracle->consumers[session->consumers[i]]->held == 0,
                    "what a consumer held goes back when it goes", {"connection", connection});
        }
    }
}

static void told_session(struct oracle *oracle, struct oracle_session *session,
                         const struct effect *effect, const Relais__V1__ToClient *command)
{
    PROMISE(oracle->trace, session && !session->over, "nothing is said to who has gone",
            {"connection", effect->send.connection}, {"command", command->command_case});
    switch (command->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_ACCEPTED:
        told_accepted(oracle, session, command->accepted);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_REFUSED:
        told_refused(oracle, session, command->refused);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ATTACHED:
        oracle_attached(oracle, oracle->step.command->attach);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DETACHED:
        told_detached(oracle, session, command->detached);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_DELIVER:
        told_deliver(oracle, session, effect, command->deliver);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ANSWER:
        oracle_told_answer(oracle, session->connection, command->answer);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_SETTLED:
        told_settled(oracle, session, command->settled);
        break;
    default:
        break;
    }
}

void oracle_told(struct oracle *oracle, const struct effect *effect)
{
    struct wire_fault fault = {0};
    if (effect->kind == EFFECT_CLOSE) {
        told_close(oracle, effect->close.connection);
        return;
    }
    if (effect->send.connection >= ORACLE_OPERATOR) {
        return;
    }
    struct oracle_session *session = oracle_session(oracle, effect->send.connection);
    wire_arena_reset(&oracle->told);
    const Relais__V1__ToClient *command =
        wire_unpack_to_client(effect->send.command, &oracle->told, &fault);
    PROMISE(oracle->trace, command != NULL, "what the broker says can be read",
            {"connection", effect->send.connection});
    NOTE(oracle->trace, "broker says", {"connection", effect->send.connection},
         {"command", command->command_case});
    switch (command->command_case) {
    case RELAIS__V1__TO_CLIENT__COMMAND_WELCOME:
        oracle_welcome(oracle);
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_ERROR:
        PROMISE(oracle->trace, oracle->step.seen.error == 0, "one error for one command",
                {"code", command->error->code});
        oracle->step.seen.error = command->error->code;
        break;
    case RELAIS__V1__TO_CLIENT__COMMAND_GOODBYE:
        break;
    default:
        told_session(oracle, session, effect, command);
        break;
    }
}
