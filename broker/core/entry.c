/* SPDX-License-Identifier: EUPL-1.2
 *
 * See entry.h.
 */
#include "core/entry.h"

#include "core/consumer.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/refusal.h"

#include <string.h>

uint64_t entry_bytes(const struct store_entry *entry)
{
    return (uint64_t)entry->message.envelope.size + entry->message.payload.size +
           entry->stored_bytes;
}

static struct store_op *op_of(struct step *step, const struct entry_ref *ref,
                              enum store_op_kind kind, struct ticket **out_ticket)
{
    struct store_op *op = core_op(step, kind, out_ticket);
    if (*out_ticket) {
        struct ticket *ticket = *out_ticket;
        ticket->mailbox = ref->mailbox;
        ticket->key = ref->key;
        ticket->attempts = ref->attempts;
        ticket->bytes = ref->bytes;
        if (ref->consumer) {
            ticket->connection = ref->consumer->session->connection;
            ticket->consumer = ref->consumer->serial;
            ticket->number = ref->tag;
            step->core->settling++;
        }
    }
    return op;
}

void entry_acknowledge(struct step *step, const struct entry_ref *ref)
{
    struct ticket *ticket = NULL;
    op_of(step, ref, STORE_ACK, &ticket)->ack = ref->key;
}

/* What is kept of the attempt that has failed. NULL: none has (or without memory). */
static const struct stored_attempt *attempt_of(struct step *step, const struct entry_ref *ref,
                                               const char *reason)
{
    struct stored_attempt *attempt =
        ref->ending != ENDING_NONE ? effects_alloc(step->effects, sizeof *attempt) : NULL;
    if (!attempt) {
        return NULL;
    }
    const struct directory_client *client =
        directory_client(step->core->directory, ref->holder->session->key);
    *attempt = (struct stored_attempt){
        .number = ref->attempts, .ending = (uint8_t)ref->ending, .at_ms = step->now.wall_ms};
    if (client) {
        memcpy(attempt->client, client->name, strnlen(client->name, STORED_CLIENT_BYTES));
    }
    if (ref->ending != ENDING_LEASE) {
        memcpy(attempt->reason, reason, strnlen(reason, STORED_REASON_BYTES));
    }
    return attempt;
}

static void defer(struct step *step, const struct entry_ref *ref, int64_t due_ms,
                  const char *reason)
{
    struct ticket *ticket = NULL;
    struct store_op *op = op_of(step, ref, STORE_DEFER, &ticket);
    op->defer.attempt = attempt_of(step, ref, reason);
    op->defer.key = ref->key;
    op->defer.attempts = ref->attempts;
    op->defer.due_ms = due_ms > 0 ? due_ms : 1;
    if (ticket) {
        ticket->due_ms = op->defer.due_ms;
    }
}

void entry_defer(struct step *step, const struct entry_ref *ref, int64_t due_ms)
{
    defer(step, ref, due_ms, "");
}

void entry_bury(struct step *step, const struct entry_ref *ref, Relais__V1__Code code,
                const char *reason)
{
    struct ticket *ticket = NULL;
    struct store_op *op = op_of(step, ref, STORE_BURY, &ticket);
    op->bury.key = ref->key;
    op->bury.attempts = ref->attempts;
    op->bury.code = (uint32_t)code;
    op->bury.reason = reason;
    op->bury.attempt = attempt_of(step, ref, reason);
    if (ticket) {
        ticket->code = (uint32_t)code;
    }
}

void entry_try_again(struct step *step, const struct entry_ref *ref, int64_t due_ms,
                     const char *reason)
{
    if (ref->attempts >= ref->attempts_most) {
        entry_bury(step, ref, RELAIS__V1__CODE__CODE_ATTEMPTS_EXHAUSTED, reason);
    } else {
        defer(step, ref, due_ms, reason);
    }
}

static void note_dead(struct step *step, const struct ticket *ticket)
{
    struct effect *effect = note(step->effects, NOTE_NOTICE, "delivery.dead");
    note_text(step->effects, effect, "mailbox", ticket->mailbox->name);
    note_number(effect, "sequence", ticket->key.sequence);
    note_number(effect, "attempts", ticket->attempts);
    note_text(step->effects, effect, "code", refusal_code_name((Relais__V1__Code)ticket->code));
}

/* The next of its order has come to its lane or time. */
static void expect_next(struct step *step, const struct ticket *ticket,
                        const struct store_turn *turn)
{
    if (turn->passed) {
        mailbox_expect(step, ticket->mailbox, turn->due_ms);
    }
}

static void done(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    struct core *core = step->core;
    switch (ticket->kind) {
    case STORE_ACK:
        mailbox_count_gone(core, ticket->mailbox, ticket->bytes);
        ticket->mailbox->answered_ms = step->now.mono_ms;
        core->totals.acknowledged++;
        expect_next(step, ticket, &result->turn);
        if (core->settings.trace) {
            struct effect *effect = note(step->effects, NOTE_DEBUG, "message.acknowledged");
            note_text(step->effects, effect, "mailbox", ticket->mailbox->name);
            note_number(effect, "sequence", ticket->key.sequence);
        }
        break;
    case STORE_BURY:
        mailbox_count_gone(core, ticket->mailbox, ticket->bytes);
        ticket->mailbox->dead++;
        core->totals.dead++;
        note_dead(step, ticket);
        expect_next(step, ticket, &result->turn);
        break;
    default: /* STORE_DEFER */
        mailbox_expect(step, ticket->mailbox, ticket->due_ms);
        break;
    }
}

/* Nothing was written: the entry is still claimed. It goes back and comes again. */
static void undone(struct step *step, const struct ticket *ticket)
{
    mailbox_rest(step, ticket->mailbox, &ticket->key);
    struct effect *effect = note(step->effects, NOTE_WARNING, "store.answer_refused");
    note_text(step->effects, effect, "mailbox", ticket->mailbox->name);
    note_number(effect, "sequence", ticket->key.sequence);
}

void entry_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    enum store_status status = result->status;
    if (status == STORE_DONE) {
        done(step, ticket, result);
    } else if (status == STORE_NO_ROOM) {
        undone(step, ticket);
    }
    if (ticket->consumer) {
        step->core->settling--;
        consumer_settled(step, ticket, status != STORE_NO_ROOM);
    }
}
