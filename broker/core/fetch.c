/* SPDX-License-Identifier: EUPL-1.2
 *
 * See fetch.h. What is on its way from the disk is counted in bytes, of one connection and of all;
 * what is on its way to the client is counted where it waits, in the network.
 */
#include "core/fetch.h"

#include "core/consumer.h"
#include "core/limits.h"
#include "core/note.h"
#include "core/quota.h"
#include "core/reply.h"
#include "core/session.h"

enum { BUSY_RETRY_MS = 100 };

/* Fetched, with the bytes or the reason why not. */
static struct effect *say(struct step *step, uint64_t connection, const Relais__V1__Fetch *about,
                          const struct refusal *reason)
{
    Relais__V1__Error error;
    Relais__V1__Fetched fetched = RELAIS__V1__FETCHED__INIT;
    fetched.consumer = about->consumer;
    fetched.tag = about->tag;
    fetched.offset = about->offset;
    if (reason) {
        refusal_to_error(reason, &error);
        fetched.reason = &error;
    }
    Relais__V1__ToClient command = RELAIS__V1__TO_CLIENT__INIT;
    command.command_case = RELAIS__V1__TO_CLIENT__COMMAND_FETCHED;
    command.fetched = &fetched;
    return reply_send(step, connection, &command);
}

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

static bool check_range(struct step *step, const struct delivery *delivery,
                        const Relais__V1__Fetch *command, struct refusal *out_refusal)
{
    struct effects *effects = step->effects;
    if (delivery->stored_bytes == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "fetch.tag",
                      refusal_number(effects, command->tag), "a delivery with stored_bytes");
    }
    if (command->offset >= delivery->stored_bytes) {
        return refuse(
            out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "fetch.offset",
            refusal_number(effects, command->offset),
            refusal_join(effects, "below ", refusal_number(effects, delivery->stored_bytes), ""));
    }
    uint64_t left = delivery->stored_bytes - command->offset;
    uint64_t most = left < LIMIT_CHUNK_BYTES ? left : LIMIT_CHUNK_BYTES;
    if (command->bytes == 0 || command->bytes > most) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "fetch.bytes",
                      refusal_number(effects, command->bytes),
                      refusal_join(effects, "1 to ", refusal_number(effects, most), ""));
    }
    return true;
}

static bool check_load(struct step *step, const struct session *session, uint32_t bytes,
                       struct refusal *out_refusal)
{
    /* While much is on its way to clients: one chunk after the other. */
    uint64_t window = step->core->tight ? LIMIT_CHUNK_BYTES : LIMIT_FETCH_WINDOW_BYTES;
    uint64_t most = LIMIT_FETCHING_BYTES;
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_BUSY,
                                    .field = "fetch",
                                    .wrong = "too many bytes at once",
                                    .retry_after_ms = BUSY_RETRY_MS};
    if (session->fetch_bytes + bytes > window) {
        out_refusal->wrong = "too many bytes at once on this connection";
        most = window;
    } else if (session->use->fetch_bytes + bytes > LIMIT_FETCHING_OF_MEMBER) {
        out_refusal->wrong = "too many bytes at once of this member";
        most = LIMIT_FETCHING_OF_MEMBER;
    } else if (step->core->fetch_bytes + bytes <= LIMIT_FETCHING_BYTES) {
        return true;
    }
    out_refusal->right = refusal_number(step->effects, most);
    return false;
}

static void ask_store(struct step *step, struct session *session, const struct delivery *delivery,
                      const Relais__V1__Fetch *command)
{
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_FETCH, &ticket);
    op->fetch.content = delivery->content;
    op->fetch.offset = command->offset;
    op->fetch.bytes = command->bytes;
    if (ticket) {
        ticket->connection = session->connection;
        ticket->consumer = delivery->consumer->serial;
        ticket->number = command->tag;
        ticket->offset = command->offset;
        ticket->bytes = command->bytes;
        session->fetch_bytes += command->bytes;
        ticket->use = session->use;
        ticket->use->fetch_bytes += command->bytes;
        step->core->fetch_bytes += command->bytes;
    }
}

void fetch_begin(struct step *step, struct session *session, const Relais__V1__Fetch *command)
{
    struct effects *effects = step->effects;
    struct consumer *consumer = consumer_find(session, command->consumer);
    struct delivery *delivery = consumer ? lease_find(consumer, command->tag) : NULL;
    struct refusal refusal = {0};
    if (!consumer) {
        refuse(&refusal, RELAIS__V1__CODE__CODE_UNKNOWN_CONSUMER, "fetch.consumer",
               refusal_number(effects, command->consumer),
               "a consumer attached on this connection");
    } else if (!delivery) {
        refuse(&refusal, RELAIS__V1__CODE__CODE_UNKNOWN_DELIVERY, "fetch.tag",
               refusal_number(effects, command->tag), "the tag of a delivery that is held");
    } else if (check_range(step, delivery, command, &refusal) &&
               check_load(step, session, command->bytes, &refusal)) {
        lease_renew(step, delivery);
        consumer->answered_ms = step->now.mono_ms; /* it lives: what was sent behind may wait */
        ask_store(step, session, delivery, command);
        return;
    }
    say(step, session->connection, command, &refusal);
}

/* The bytes of a payload do not match their checksums: it dies here. */
static void bury(struct step *step, struct delivery *delivery)
{
    struct entry_ref ref = lease_entry(delivery);
    struct effect *effect = note(step->effects, NOTE_ERROR, "store.damaged");
    note_text(step->effects, effect, "mailbox", ref.mailbox->name);
    note_number(effect, "sequence", ref.key.sequence);
    entry_bury(step, &ref, RELAIS__V1__CODE__CODE_DAMAGED, "damaged on the disk of the broker");
    lease_end(step, delivery);
}

static void hand_on(struct step *step, uint64_t connection, const Relais__V1__Fetch *about,
                    struct store_result *result)
{
    struct held_message *message = effects_alloc(step->effects, sizeof *message);
    if (message) {
        *message = result->fetched;
        result->fetched = (struct held_message){0};
        struct effect *effect = say(step, connection, about, NULL);
        effect->send.messages = message;
        effect->send.message_count = 1;
    }
}

void fetch_stored(struct step *step, const struct ticket *ticket, struct store_result *result)
{
    struct session *session = session_find(step->core, ticket->connection);
    struct consumer *consumer = NULL;
    step->core->fetch_bytes -= ticket->bytes;
    ticket->use->fetch_bytes -= ticket->bytes;
    if (session) {
        session->fetch_bytes -= ticket->bytes;
        consumer = session->consumers;
    }
    while (consumer && consumer->serial != ticket->consumer) {
        consumer = consumer->next;
    }
    struct delivery *delivery = consumer ? lease_find(consumer, ticket->number) : NULL;
    if (!delivery) {
        return; /* answered meanwhile: nobody waits for it */
    }
    Relais__V1__Fetch about = RELAIS__V1__FETCH__INIT;
    about.consumer = consumer->number;
    about.tag = ticket->number;
    about.offset = ticket->offset;
    if (result->status == STORE_DONE) {
        hand_on(step, ticket->connection, &about, result);
        return;
    }
    struct refusal refusal = {.code = RELAIS__V1__CODE__CODE_DAMAGED,
                              .field = "fetch",
                              .wrong = "damaged on the disk of the broker",
                              .right = N_("the message again from its sender")};
    bury(step, delivery);
    say(step, ticket->connection, &about, &refusal);
}
