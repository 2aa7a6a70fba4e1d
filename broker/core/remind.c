/* SPDX-License-Identifier: EUPL-1.2
 *
 * See remind.h.
 */
#include "core/remind.h"

#include "core/directory.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/notice.h"
#include "core/supersede.h"

#include <string.h>

enum {
    REST_MS = 60 * 1000, /* after a step for which the store had no room */
    LOOK_MS = 60 * 1000, /* the wall clock may have been set forward while we slept */
};

_Static_assert((int)LIMIT_REMINDERS == (int)STORED_REMINDERS, "a flow's reminders are kept");
_Static_assert((int)NAME_SLUG_BYTES <= (int)STORED_SENDER_BYTES &&
                   (int)NAME_ADDRESS_BYTES <= (int)STORED_NAME_BYTES,
               "names are kept whole");

static void expect(struct core *core, int64_t at_ms)
{
    struct reminding *reminding = &core->reminding;
    if (reminding->next_ms == 0 || at_ms < reminding->next_ms) {
        reminding->next_ms = at_ms;
    }
}

/* What is answered by a flow to who has asked has no deadline of its own. */
static bool is_answer(const Relais__V1__Envelope *envelope)
{
    size_t member_bytes = 0;
    return envelope->n_to == 1 && name_is_address(envelope->to[0], &member_bytes) &&
           name_is_private(envelope->to[0], member_bytes);
}

/* Names that have been checked, and so fit. */
static void keep(char *out_text, size_t room, const char *text)
{
    size_t size = strnlen(text, room - 1);
    memcpy(out_text, text, size);
    out_text[size] = '\0';
}

const struct stored_deadline *remind_lay(struct step *step, const char *sender,
                                         const Relais__V1__Envelope *envelope, int64_t due_ms)
{
    const struct directory_flow *flow = directory_flow(step->core->directory, envelope->flow);
    const struct flow_acknowledge *asked = flow ? directory_flow_acknowledge(flow) : NULL;
    if (!asked || asked->within_ms == 0 || is_answer(envelope)) {
        return NULL;
    }
    struct stored_deadline *deadline = effects_alloc(step->effects, sizeof *deadline);
    if (!deadline) {
        return NULL;
    }
    int64_t from_ms = due_ms > 0 ? due_ms : step->now.wall_ms;
    *deadline = (struct stored_deadline){.accepted_ms = step->now.wall_ms,
                                         .deadline_ms = from_ms + asked->within_ms,
                                         .remind_count = asked->remind_count};
    for (uint8_t i = 0; i < asked->remind_count; i++) {
        deadline->remind_ms[i] = deadline->deadline_ms - asked->remind_ms[i];
    }
    keep(deadline->sender, sizeof deadline->sender, sender);
    keep(deadline->id, sizeof deadline->id, envelope->id);
    keep(deadline->from, sizeof deadline->from, envelope->from);
    keep(deadline->flow, sizeof deadline->flow, envelope->flow);
    expect(step->core, stored_deadline_at(deadline, 0));
    return deadline;
}

static void ask(struct step *step)
{
    struct reminding *reminding = &step->core->reminding;
    struct ticket *ticket = NULL;
    (void)core_op(step, STORE_DUE, &ticket);
    if (ticket) {
        ticket->due_ms = step->now.wall_ms;
        reminding->with_store = true;
        reminding->next_ms = 0; /* the answer says it anew */
    }
}

void remind_start(struct step *step)
{
    if (step->core->settings.deadlines) {
        ask(step);
    }
}

static bool is_due(const struct core *core, struct moment now)
{
    const struct reminding *reminding = &core->reminding;
    return reminding->next_ms > 0 && reminding->next_ms <= now.wall_ms && !reminding->with_store &&
           reminding->rest_until_ms <= now.mono_ms && !core->draining;
}

void remind_time(struct step *step)
{
    if (is_due(step->core, step->now)) {
        ask(step);
    }
}

int64_t remind_first_ms(const struct core *core, struct moment now)
{
    const struct reminding *reminding = &core->reminding;
    if (reminding->next_ms == 0 || reminding->with_store || core->draining) {
        return 0;
    }
    int64_t wait_ms = reminding->next_ms - now.wall_ms;
    wait_ms = wait_ms < 0 ? 0 : wait_ms;
    wait_ms = wait_ms > LOOK_MS ? LOOK_MS : wait_ms;
    int64_t first_ms = now.mono_ms + wait_ms;
    return first_ms > reminding->rest_until_ms ? first_ms : reminding->rest_until_ms;
}

/* The mailbox of who is to be warned, made when it is not there. NULL: nobody can be. */
static struct mailbox *sender_mailbox(struct step *step, const char *from)
{
    size_t member_bytes = 0;
    if (!name_is_address(from, &member_bytes)) {
        return NULL;
    }
    const struct directory_member *member =
        directory_member(step->core->directory, from, member_bytes);
    if (!member || !directory_has_place(member, from + member_bytes + 1)) {
        return NULL;
    }
    struct mailbox *mailbox = mailbox_open(step->core, from);
    step->effects->failed = step->effects->failed || !mailbox;
    return mailbox;
}

/* An append that passes a step; its message is still to be laid. */
static struct store_op *begin_pass(struct step *step, const struct store_due *due, uint8_t number,
                                   struct ticket **out_ticket)
{
    struct store_op *op = core_op(step, STORE_APPEND, out_ticket);
    op->append.sender = DIRECTORY_BROKER;
    op->append.id = "";
    op->append.pass = (struct deadline_pass){
        .sequence = due->sequence, .at_ms = due->at_ms, .step = number, .max = STORED_REMINDED};
    step->core->reminding.with_store = true;
    if (*out_ticket) {
        (*out_ticket)->passes = true;
        (*out_ticket)->number = due->sequence;
        (*out_ticket)->due_ms = 0;
    }
    return op;
}

static void count_bytes(struct ticket *ticket, const struct store_op *op)
{
    if (ticket) {
        ticket->bytes = op->append.message.envelope.size + op->append.message.payload.size;
    }
}

/* One line a step, however many messages it took. */
static void note_reminded(struct step *step, uint64_t sequence, uint8_t number)
{
    struct reminding *reminding = &step->core->reminding;
    if (reminding->sequence == sequence && reminding->step == number) {
        return;
    }
    if (reminding->recipients > 0) {
        struct effect *effect = note(step->effects, NOTE_NOTICE, "deadline.reminded");
        note_number(effect, "sequence", reminding->sequence);
        note_number(effect, "recipients", reminding->recipients);
    }
    reminding->sequence = sequence;
    reminding->step = number;
    reminding->recipients = 0;
}

static void remind(struct step *step, const struct store_due *due, uint8_t number)
{
    struct ticket *ticket = NULL;
    note_reminded(step, due->sequence, number);
    struct store_op *op = begin_pass(step, due, number, &ticket);
    if (!notice_remind(step, due, number, op)) {
        step->effects->failed = true;
    }
    count_bytes(ticket, op);
}

static void note_missed(struct step *step, const struct store_due *due, bool warned)
{
    struct effect *effect = note(step->effects, NOTE_WARNING, "deadline.missed");
    note_text(step->effects, effect, "id", due->deadline.id);
    note_text(step->effects, effect, "member", due->deadline.sender);
    note_text(step->effects, effect, "flow", due->deadline.flow);
    note_number(effect, "missing", due->owing);
    note_number(effect, "warned", warned ? 1 : 0);
}

static void warn(struct step *step, const struct store_due *due)
{
    struct mailbox *mailbox = due->owing > 0 ? sender_mailbox(step, due->deadline.from) : NULL;
    struct store_recipient *to = NULL;
    struct ticket *ticket = NULL;
    note_reminded(step, 0, 0);
    if (mailbox) {
        mailbox_announce(step, mailbox);
        to = effects_alloc(step->effects, sizeof *to);
    }
    struct store_op *op = begin_pass(step, due, due->deadline.remind_count, &ticket);
    if (to) {
        *to = (struct store_recipient){.mailbox = mailbox->id, .lane = LANE_HIGH};
        op->append.recipients = to;
        op->append.recipient_count = 1;
        if (!notice_missed(step, due, op)) {
            step->effects->failed = true;
        }
    }
    count_bytes(ticket, op);
    if (ticket) {
        ticket->mailbox = to ? mailbox : NULL;
        ticket->attempts = due->owing;
    }
    if (due->owing > 0) {
        note_missed(step, due, to != NULL);
    }
}

void remind_due(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    const struct store_due *due = result->due;
    step->core->reminding.with_store = false;
    if (due->sequence == 0) {
        note_reminded(step, 0, 0);
        return;
    }
    if (due->at_ms > ticket->due_ms || step->core->draining) {
        note_reminded(step, 0, 0);
        expect(step->core, due->at_ms);
        remind_time(step);
        return;
    }
    uint8_t number = stored_deadline_step(&due->deadline, ticket->due_ms);
    if (number < due->deadline.remind_count) {
        remind(step, due, number);
    } else {
        warn(step, due);
    }
}

void remind_passed(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    struct reminding *reminding = &step->core->reminding;
    reminding->with_store = false;
    expect(step->core, step->now.wall_ms); /* the next may be due as well */
    if (result->status != STORE_DONE) {
        reminding->rest_until_ms = step->now.mono_ms + REST_MS;
        struct effect *effect = note(step->effects, NOTE_WARNING, "deadline.waits");
        note_number(effect, "sequence", ticket->number);
        note_number(effect, "full", result->status == STORE_NO_ROOM ? 1 : 0);
        return;
    }
    if (!result->append.duplicate) {
        supersede_stored(step, ticket, result);
        if (ticket->mailbox) {
            mailbox_count_append(step->core, ticket->mailbox, ticket->bytes);
            mailbox_expect(step, ticket->mailbox, 0);
        }
    }
    step->core->totals.reminders += result->append.replaced_count;
    step->core->totals.deadlines_missed += ticket->attempts > 0;
    reminding->recipients += result->append.replaced_count;
    remind_time(step);
}
