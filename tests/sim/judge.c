/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What the core hands to the store, and whether each step came out as it should.
 */
#include "oracle.h"

#include "ahead.h"
#include "expiry.h"
#include "history.h"

#include "agenda.h"
#include "core/limits.h"

#include <string.h>

enum {
    BACKOFF_MOST_MS = 3600 * 1000,
};

static bool names(Relais__V1__Range *const *tags, size_t count, uint64_t tag)
{
    for (size_t i = 0; i < count; i++) {
        if (tags[i]->first <= tag && tag <= tags[i]->last) {
            return true;
        }
    }
    return false;
}

bool oracle_renews(const struct oracle *oracle, const struct life *life)
{
    const struct oracle_consumer *consumer = oracle->consumers[life->holder];
    return !life->extended && consumer->answered_tag < life->tag &&
           consumer->answered_ms > life->leased_ms;
}

static bool has_run_out(const struct oracle *oracle, const struct life *life)
{
    return life->until_ms <= oracle->now.mono_ms && !oracle_renews(oracle, life);
}

void oracle_lease_ends(struct oracle *oracle, struct life *life, struct message *message)
{
    struct oracle_consumer *consumer = oracle->consumers[life->holder];
    consumer->held--;
    consumer->held_bytes -= ledger_bytes(message);
    oracle->places[consumer->place].leased--;
    consumer->tags[life->tag - 1].state = TAG_OVER;
}

/* Does the command of this step give this verdict on this tag? */
static bool is_said(const struct oracle *oracle, const struct store_op *op, uint64_t tag)
{
    const Relais__V1__ToBroker *command = oracle->step.command;
    if (command->command_case == RELAIS__V1__TO_BROKER__COMMAND_ACK) {
        return op->kind == STORE_ACK && names(command->ack->tags, command->ack->n_tags, tag);
    }
    if (command->command_case != RELAIS__V1__TO_BROKER__COMMAND_NACK ||
        !names(command->nack->tags, command->nack->n_tags, tag)) {
        return false;
    }
    if (op->kind == STORE_BURY) {
        return command->nack->refuse ? op->bury.code == RELAIS__V1__CODE__CODE_REFUSED_BY_RECIPIENT
                                     : op->bury.code == RELAIS__V1__CODE__CODE_ATTEMPTS_EXHAUSTED;
    }
    int64_t delay_ms = command->nack->delay_ms > 0 ? command->nack->delay_ms : 1;
    return op->kind == STORE_DEFER && !command->nack->refuse &&
           op->defer.due_ms == oracle->now.wall_ms + delay_ms;
}

/* The delay after so many attempts that failed, +- 20 %. */
static bool is_backoff(const struct oracle *oracle, uint32_t attempts, int64_t due_ms)
{
    int64_t delay_ms = oracle->plan->retry_ms;
    for (uint32_t i = 0; i < attempts && delay_ms < BACKOFF_MOST_MS; i++) {
        delay_ms *= 2;
    }
    delay_ms = delay_ms < BACKOFF_MOST_MS ? delay_ms : BACKOFF_MOST_MS;
    int64_t wait_ms = due_ms - oracle->now.wall_ms;
    return wait_ms >= delay_ms - delay_ms / 5 - 1 && wait_ms <= delay_ms + delay_ms / 5 + 1;
}

/* It was for another process: said of what is held in a private mailbox. */
static bool is_uncounted(const struct oracle *oracle, const struct life *life)
{
    const Relais__V1__ToBroker *command = oracle->step.command;
    return oracle->step.kind == STEP_FRAMES && command && oracle->step.consumer &&
           command->command_case == RELAIS__V1__TO_BROKER__COMMAND_NACK &&
           command->nack->uncounted && !command->nack->refuse &&
           names(command->nack->tags, command->nack->n_tags, life->tag);
}

static void check_attempts(const struct oracle *oracle, const struct store_op *op,
                           const struct life *life)
{
    uint32_t made = life->attempts + (is_uncounted(oracle, life) ? 0 : 1);
    if (op->kind == STORE_DEFER) {
        PROMISE(oracle->trace, op->defer.attempts == made, "an attempt is counted once",
                {"attempts", op->defer.attempts}, {"made", made});
        PROMISE(oracle->trace, made < life->attempts_most, "attempts are limited", {"made", made},
                {"limit", life->attempts_most});
    } else if (op->kind == STORE_BURY) {
        PROMISE(oracle->trace, op->bury.attempts == made, "an attempt is counted once",
                {"attempts", op->bury.attempts}, {"made", made}, {"code", op->bury.code});
        PROMISE(oracle->trace,
                op->bury.code != RELAIS__V1__CODE__CODE_ATTEMPTS_EXHAUSTED ||
                    made >= life->attempts_most,
                "a letter is dead only after its last attempt", {"made", made},
                {"limit", life->attempts_most});
    }
}

static void answered(struct oracle *oracle, struct life *life, struct op_note *note)
{
    struct oracle_consumer *consumer = oracle->consumers[life->holder];
    consumer->tags[life->tag - 1].state = TAG_ANSWERED;
    consumer->settling++;
    consumer->answered_ms = oracle->now.mono_ms;
    consumer->answered_tag =
        life->tag > consumer->answered_tag ? life->tag : consumer->answered_tag;
    oracle->settling++;
    note->connection = consumer->connection;
    note->consumer = life->holder;
    note->number = life->tag;
}

/* What a consumer held first, that went without having answered anything: not at once again. */
static void judge_pause(struct oracle *oracle, const struct store_op *op, struct life *life,
                        struct op_note *note)
{
    struct oracle_consumer *consumer = oracle->consumers[life->holder];
    uint64_t first = 1;
    while (consumer->tags[first - 1].state != TAG_HELD) {
        first++;
    }
    PROMISE(oracle->trace,
            op->kind == STORE_DEFER && consumer->ending && !consumer->paused &&
                consumer->answered_tag == 0 && life->tag == first,
            "the first that a consumer may have died of pauses, no other",
            {"message", note->message->index}, {"tag", life->tag}, {"op", op->kind});
    PROMISE(oracle->trace,
            op->defer.attempts == life->attempts && is_backoff(oracle, 0, op->defer.due_ms),
            "a pause is the first back-off and no attempt", {"message", note->message->index},
            {"attempts", op->defer.attempts});
    consumer->paused = true;
    oracle_lease_ends(oracle, life, note->message);
}

static void judge_leased(struct oracle *oracle, const struct store_op *op, struct life *life,
                         struct op_note *note)
{
    const struct oracle_step *step = &oracle->step;
    if (step->dies) {
        judge_pause(oracle, op, life, note);
        return;
    }
    check_attempts(oracle, op, life);
    oracle_lease_ends(oracle, life, note->message);
    if (step->kind == STEP_TIME) {
        PROMISE(oracle->trace, has_run_out(oracle, life), "a lease lasts until its deadline",
                {"message", note->message->index}, {"since", (uint64_t)life->leased_ms});
        PROMISE(oracle->trace,
                op->kind == STORE_BURY ? op->bury.code == RELAIS__V1__CODE__CODE_ATTEMPTS_EXHAUSTED
                                       : op->kind == STORE_DEFER &&
                                             is_backoff(oracle, life->attempts, op->defer.due_ms),
                "what ran out comes again after the back-off", {"message", note->message->index},
                {"op", op->kind});
    } else {
        PROMISE(oracle->trace,
                step->kind == STEP_FRAMES && step->consumer &&
                    step->consumer == oracle->consumers[life->holder] &&
                    is_said(oracle, op, life->tag),
                "an entry is settled by the answer of its consumer",
                {"message", note->message->index}, {"op", op->kind}, {"tag", life->tag});
        answered(oracle, life, note);
        life->ack_said = life->ack_said || op->kind == STORE_ACK;
    }
}

static void judge_answer(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    struct life *life = oracle_life(oracle, &op->ack, &note->message, &note->place);
    oracle_history_kept(oracle, op, life);
    if (life->state == LIFE_LEASED) {
        judge_leased(oracle, op, life, note);
    } else {
        PROMISE(oracle->trace,
                life->state == LIFE_TAKEN && op->kind == STORE_BURY &&
                    op->bury.code == RELAIS__V1__CODE__CODE_EXPIRED &&
                    note->message->expires_ms > 0 &&
                    note->message->expires_ms <= oracle->now.wall_ms &&
                    op->bury.attempts == life->attempts,
                "an entry that nobody holds is only buried, when it has expired",
                {"message", note->message->index}, {"state", life->state}, {"op", op->kind});
        oracle_taken_ends(oracle, life, note->place);
    }
    life->state = LIFE_ANSWERED;
}

static void judge_release(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    struct life *life = oracle_life(oracle, &op->release, &note->message, &note->place);
    if (life->state == LIFE_LEASED) {
        const struct oracle_consumer *consumer = oracle->consumers[life->holder];
        PROMISE(oracle->trace, !oracle->step.dies || consumer->paused || consumer->answered_tag > 0,
                "the first that a consumer may have died of pauses, no other",
                {"message", note->message->index}, {"tag", life->tag});
        PROMISE(oracle->trace,
                consumer->ending || (oracle->draining && oracle->step.kind == STEP_FLUSH),
                "a lease is not taken from a consumer that stays",
                {"message", note->message->index});
        oracle_lease_ends(oracle, life, note->message);
    } else {
        PROMISE(oracle->trace, life->state == LIFE_TAKEN || life->state == LIFE_UNDONE,
                "what is given back was the core's", {"message", note->message->index},
                {"state", life->state});
        if (life->state == LIFE_TAKEN) {
            oracle_taken_ends(oracle, life, note->place);
        }
    }
    life->state = LIFE_FREE;
}

static void judge_take(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    unsigned place = 0;
    while (place < TOWN_PLACES &&
           (!oracle->places[place].opened || oracle->places[place].id != op->take.mailbox)) {
        place++;
    }
    PROMISE(oracle->trace, place < TOWN_PLACES && oracle->places[place].takes == 0,
            "one take of a known mailbox at a time", {"mailbox", op->take.mailbox});
    PROMISE(oracle->trace,
            op->take.max_entries > 0 && op->take.max_entries <= oracle_room(oracle, place),
            "no more is taken than there is room for", {"entries", op->take.max_entries},
            {"place", place}, {"room", oracle_room(oracle, place)});
    oracle->places[place].takes++;
    note->place = place;
}

static unsigned judge_name(struct oracle *oracle, uint32_t id, const char *name)
{
    unsigned place = town_place(name);
    PROMISE(oracle->trace, place < TOWN_PLACES, "a mailbox is a service of the directory",
            {"mailbox", id});
    for (unsigned i = 0; i < TOWN_PLACES; i++) {
        const struct oracle_place *other = &oracle->places[i];
        PROMISE(oracle->trace,
                !other->opened || (i == place) == (other->id == id) || other->id == 0,
                "a mailbox has a number of its own", {"mailbox", id}, {"place", i});
    }
    oracle->places[place].opened = oracle->places[place].announced = true;
    oracle->places[place].id = id;
    return place;
}

static void judge_mailboxes(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    if (op->kind == STORE_MAILBOX) {
        note->places = 1U << judge_name(oracle, op->mailbox.id, op->mailbox.name);
        return;
    }
    for (uint32_t i = 0; i < op->announce.count; i++) {
        const struct store_name *name = &op->announce.names[i];
        note->places |= 1U << judge_name(oracle, name->id, name->name);
    }
}

static void judge_store(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    *note = (struct op_note){0};
    PROMISE(oracle->trace, op->now_ms == oracle->now.wall_ms, "an op has the time of its turn",
            {"op", op->kind});
    switch (op->kind) {
    case STORE_MAILBOX:
    case STORE_MAILBOXES:
        judge_mailboxes(oracle, op, note);
        break;
    case STORE_APPEND:
        oracle_append(oracle, op, note);
        break;
    case STORE_KNOWN:
        oracle_known(oracle, op, note);
        break;
    case STORE_TAKE:
        judge_take(oracle, op, note);
        break;
    case STORE_RELEASE:
        judge_release(oracle, op, note);
        break;
    case STORE_ACK:
    case STORE_DEFER:
    case STORE_BURY:
        judge_answer(oracle, op, note);
        break;
    case STORE_EXPIRE:
        oracle_expire_asked(oracle, op);
        break;
    default:
        oracle_asked(oracle, op, note);
        break;
    }
    NOTE(oracle->trace, "to the disk", {"op", op->kind},
         {"message", note->message ? note->message->index : 0}, {"place", note->place},
         {"tag", note->number});
}

/* Refusals come behind the ops of a submit: they are looked at first. */
static void hear_refusals(struct oracle *oracle, const struct effects *effects, size_t from)
{
    for (size_t i = from; i < effects->count && oracle->step.count > 0; i++) {
        if (effects->items[i].kind == EFFECT_SEND) {
            oracle_told(oracle, &effects->items[i]);
        }
    }
}

/* Every tag that was named has found its end. */
static void check_answered(const struct oracle *oracle)
{
    const struct oracle_step *step = &oracle->step;
    Relais__V1__Range *const *tags = NULL;
    size_t count = 0;
    if (step->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_ACK) {
        tags = step->command->ack->tags;
        count = step->command->ack->n_tags;
    } else if (step->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_NACK) {
        tags = step->command->nack->tags;
        count = step->command->nack->n_tags;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint64_t tag = tags[i]->first; tag <= tags[i]->last; tag++) {
            if (tag == 0 || tag > step->consumer->tag_count) {
                break;
            }
            PROMISE(oracle->trace, step->consumer->tags[tag - 1].state != TAG_HELD,
                    "an answer counts for each tag it names", {"tag", tag});
        }
    }
}

static void check_credit(struct oracle *oracle)
{
    struct oracle_step *step = &oracle->step;
    uint64_t add = step->command->credit->add;
    if (step->seen.error == RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED) {
        step->expected.error = step->seen.error;
        PROMISE(oracle->trace, step->consumer->credit + add > LIMIT_CREDIT,
                "credit within the limit is given", {"credit", step->consumer->credit},
                {"add", add});
    } else {
        step->consumer->credit += add;
    }
}

static void check_frames(struct oracle *oracle)
{
    struct oracle_step *step = &oracle->step;
    if (step->consumer) {
        if (step->command->command_case == RELAIS__V1__TO_BROKER__COMMAND_CREDIT) {
            check_credit(oracle);
        }
        check_answered(oracle);
    }
    if (step->count > 0) {
        oracle_check_refused(oracle, step->count);
    }
    const struct oracle_outcome *expected = &step->expected;
    const struct oracle_outcome *seen = &step->seen;
    PROMISE(oracle->trace, expected->error == seen->error && expected->close == seen->close,
            "a command is answered as the protocol says", {"expected", expected->error},
            {"seen", seen->error}, {"close", expected->close}, {"closed", seen->close});
    PROMISE(oracle->trace,
            expected->welcome == seen->welcome && expected->attached == seen->attached &&
                expected->detached == seen->detached,
            "who may come in is let in, nobody else", {"welcome", seen->welcome},
            {"attached", seen->attached}, {"detached", seen->detached});
}

/* Nothing is held by what has gone. */
static void check_session(struct oracle *oracle, struct oracle_session *session)
{
    for (size_t i = 0; i < session->consumer_count; i++) {
        struct oracle_consumer *consumer = oracle->consumers[session->consumers[i]];
        PROMISE(oracle->trace, !consumer->ending || consumer->held == 0,
                "what a consumer held goes back when it goes", {"connection", session->connection},
                {"held", consumer->held});
    }
}

static void check_closed(struct oracle *oracle)
{
    struct oracle_session *session = oracle->step.session;
    if (!session) {
        return;
    }
    check_session(oracle, session);
    oracle_over(oracle, session);
    session->gone = true;
    for (size_t i = 0; i < oracle->open_count; i++) {
        if (oracle->open[i] == session->connection) {
            oracle->open[i] = oracle->open[--oracle->open_count];
        }
    }
}

void oracle_judge(struct oracle *oracle, const struct effects *effects, size_t from)
{
    struct oracle_step *step = &oracle->step;
    while (oracle->note_capacity < effects->count) {
        oracle->notes = agenda_grown(oracle->notes, oracle->note_capacity, &oracle->note_capacity,
                                     sizeof *oracle->notes);
    }
    bool told_first = step->count > 0;
    hear_refusals(oracle, effects, from);
    for (size_t i = from; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_STORE) {
            judge_store(oracle, &effect->store, &oracle->notes[i]);
        } else if (effect->kind == EFFECT_CLOSE || (effect->kind == EFFECT_SEND && !told_first)) {
            oracle_told(oracle, effect);
        }
    }
    PROMISE(oracle->trace, !step->question.is_due && !step->question.to_store,
            "a question is answered, or goes to the store", {"connection", step->connection},
            {"number", step->question.number});
    if (step->kind == STEP_FRAMES) {
        check_frames(oracle);
    } else if (step->kind == STEP_CLOSED) {
        check_closed(oracle);
    }
    for (size_t i = 0; i < oracle->open_count; i++) {
        check_session(oracle, oracle->sessions[oracle->open[i]]);
    }
}
