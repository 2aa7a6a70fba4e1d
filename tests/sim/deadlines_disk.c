/* SPDX-License-Identifier: EUPL-1.2
 *
 * See deadlines_disk.h. Who is reminded, and whether a deadline goes, is the engines' own
 * (store/deadline.h): a bug there is found here.
 */
#include "deadlines_disk.h"

#include "core/stored_message.h"
#include "store/deadline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int64_t DEADLINES_BEFORE_MS[DEADLINES_STEPS] = {60000, 30000, 10000, 0};

enum { REMINDED_MOST = 3 /* in one step: a page is small here */ };

void deadlines_disk_init(struct deadlines_disk *disk, struct trace *trace, struct chance *chance)
{
    memset(disk, 0, sizeof *disk);
    disk->trace = trace;
    disk->chance = chance;
    disk->written.next_sequence = 1;
    disk->synced = disk->written;
}

unsigned deadlines_place(const char *name)
{
    unsigned place = 0;
    while (place < DEADLINES_PLACES && strcmp(deadlines_name(place), name) != 0) {
        place++;
    }
    return place;
}

const char *deadlines_name(unsigned place)
{
    static const char *const names[DEADLINES_PLACES] = {"commune-0/s", "commune-1/s",
                                                        "commune-2/s", "commune-3/s",
                                                        "commune-4/s", DEADLINES_SENDER_PLACE};
    return names[place];
}

int64_t deadlines_at(const struct deadlines_letter *letter, unsigned step)
{
    return letter->accepted_ms + DEADLINES_WITHIN_MS - DEADLINES_BEFORE_MS[step];
}

/* Ops that come in. */

static bool is_about_deadlines(const struct deadlines_op *one)
{
    return !one->is_answer && (one->op.kind == STORE_DUE ||
                               (one->op.kind == STORE_APPEND && one->op.append.pass.sequence > 0));
}

static void keep_append(struct deadlines_disk *disk, struct deadlines_op *copy)
{
    const struct store_op *op = &copy->op;
    PROMISE(disk->trace, op->append.recipient_count <= DEADLINES_PLACES,
            "no more entries than recipients", {"count", op->append.recipient_count});
    for (uint32_t i = 0; i < op->append.recipient_count; i++) {
        copy->recipients[i] = op->append.recipients[i];
    }
    (void)snprintf(copy->sender, sizeof copy->sender, "%s", op->append.sender);
    copy->letter = (unsigned)strtoul(op->append.id, NULL, 10) % DEADLINES_LETTERS;
    copy->envelope_bytes = op->append.message.envelope.size;
    PROMISE(disk->trace, copy->envelope_bytes <= sizeof copy->envelope, "an envelope is small",
            {"bytes", copy->envelope_bytes});
    if (copy->envelope_bytes > 0) {
        memcpy(copy->envelope, op->append.message.envelope.data, copy->envelope_bytes);
    }
    if (op->append.deadline) {
        copy->deadline = *op->append.deadline;
    }
    held_message_drop(&copy->op.append.message);
}

static struct deadlines_op *enqueue(struct deadlines_disk *disk)
{
    if (disk->first == disk->count) {
        disk->first = disk->count = 0;
    }
    PROMISE(disk->trace, disk->count < DEADLINES_QUEUE, "what is with the store is bounded",
            {"count", disk->count});
    struct deadlines_op *copy = &disk->queue[disk->count++];
    memset(copy, 0, sizeof *copy);
    return copy;
}

void deadlines_disk_submit(struct deadlines_disk *disk, const struct store_op *op,
                           bool has_deadline)
{
    struct deadlines_op *copy = enqueue(disk);
    copy->op = *op;
    copy->has_deadline = has_deadline;
    if (op->kind == STORE_MAILBOX) {
        copy->names = 1;
        copy->ids[0] = op->mailbox.id;
        copy->places[0] = deadlines_place(op->mailbox.name);
    } else if (op->kind == STORE_MAILBOXES) {
        for (uint32_t i = 0; i < op->announce.count; i++) {
            copy->ids[copy->names] = op->announce.names[i].id;
            copy->places[copy->names++] = deadlines_place(op->announce.names[i].name);
        }
    } else if (op->kind == STORE_APPEND) {
        keep_append(disk, copy);
    } else {
        PROMISE(disk->trace, op->kind == STORE_DUE, "nothing else is asked of the store",
                {"op", op->kind});
        disk->dues++;
        disk->asked_ms = op->now_ms;
    }
    disk->under_way += is_about_deadlines(copy);
    PROMISE(disk->trace, disk->under_way <= 1,
            "one thing about deadlines is with the store at a time", {"count", disk->under_way});
    PROMISE(disk->trace, disk->dues <= disk->reasons + 1, "the store is not asked for nothing",
            {"questions", disk->dues}, {"reasons", disk->reasons});
}

void deadlines_disk_answer(struct deadlines_disk *disk, const struct deadlines_answer *answer)
{
    struct deadlines_op *copy = enqueue(disk);
    copy->is_answer = true;
    copy->answer = *answer;
}

/* What is written. */

static void write_names(struct deadlines_disk *disk, const struct deadlines_op *op)
{
    for (uint32_t i = 0; i < op->names; i++) {
        PROMISE(disk->trace,
                op->ids[i] > 0 && op->ids[i] < DEADLINES_MAILBOXES &&
                    op->places[i] < DEADLINES_PLACES,
                "a mailbox is a service of the directory", {"mailbox", op->ids[i]});
        disk->written.places[op->ids[i]] = op->places[i] + 1;
    }
}

static void write_letter(struct deadlines_disk *disk, const struct deadlines_op *op,
                         struct store_result *result)
{
    struct deadlines_letter *letter = &disk->written.letters[op->letter];
    result->append.duplicate = letter->stored;
    result->append.sequence = letter->sequence;
    if (letter->stored) {
        return;
    }
    if (disk->full) {
        result->status = STORE_NO_ROOM;
        return;
    }
    *letter = (struct deadlines_letter){.stored = true,
                                        .sequence = disk->written.next_sequence++,
                                        .accepted_ms = op->op.now_ms,
                                        .has_deadline = op->has_deadline};
    for (unsigned i = 0; i < DEADLINES_RECIPIENTS; i++) {
        letter->states[i] = TRACK_WAITING;
    }
    result->append.sequence = letter->sequence;
    deadlines_judge_letter(disk, op);
    if (op->op.append.deadline) {
        letter->kept = true;
        letter->deadline = op->deadline;
        letter->at_ms = stored_deadline_at(&letter->deadline, letter->deadline.step);
    }
}

static unsigned letter_of(const struct deadlines_disk *disk, uint64_t sequence)
{
    unsigned i = 0;
    while (i < DEADLINES_LETTERS &&
           (!disk->written.letters[i].stored || disk->written.letters[i].sequence != sequence)) {
        i++;
    }
    PROMISE(disk->trace, i < DEADLINES_LETTERS, "a deadline is one of a message that is stored",
            {"sequence", sequence});
    return i;
}

/* Recipients in the order of their mailboxes, for whoever looks at rows. */
static void each_row(const struct deadlines_state *state, const struct deadlines_letter *letter,
                     uint32_t after, bool (*look)(void *context, const struct store_track_row *row),
                     void *context)
{
    bool more = true;
    for (uint32_t id = after + 1; more && id < DEADLINES_MAILBOXES; id++) {
        unsigned place = state->places[id];
        if (place > 0 && place <= DEADLINES_RECIPIENTS) {
            const struct store_track_row row = {.mailbox = id, .state = letter->states[place - 1]};
            more = look(context, &row);
        }
    }
}

static void write_reminder(struct deadlines_disk *disk, const struct deadlines_op *op,
                           unsigned number, const struct reminded *reminded)
{
    struct deadlines_letter *letter = &disk->written.letters[number];
    deadlines_judge_step(disk, op, number);
    for (uint32_t i = 0; i < reminded->count; i++) {
        unsigned recipient = disk->written.places[reminded->recipients[i].mailbox] - 1;
        deadlines_judge_reminder(disk, op, number, recipient);
        letter->reminded[recipient] |= (uint8_t)(1U << op->op.append.pass.step);
    }
    letter->said |= (uint8_t)(1U << op->op.append.pass.step);
    disk->written.said += reminded->count > 0;
}

static void write_pass(struct deadlines_disk *disk, struct deadlines_op *op,
                       struct store_result *result)
{
    struct deadline_pass *pass = &op->op.append.pass;
    unsigned number = letter_of(disk, pass->sequence);
    struct deadlines_letter *letter = &disk->written.letters[number];
    bool reminds = pass->step < letter->deadline.remind_count;
    struct reminded reminded;
    PROMISE(disk->trace,
            letter->kept && letter->at_ms == pass->at_ms && pass->step >= letter->deadline.step,
            "a step is done once", {"letter", number}, {"step", pass->step});
    pass->max =
        pass->max < REMINDED_MOST ? pass->max : 1 + chance_below(disk->chance, REMINDED_MOST);
    assert(reminded_init(&reminded, &op->op));
    if (reminds) {
        each_row(&disk->written, letter, stored_deadline_after(&letter->deadline, pass->step),
                 reminded_add, &reminded);
    }
    if (disk->full && (reminded.count > 0 || op->op.append.recipient_count > 0)) {
        result->status = STORE_NO_ROOM;
    } else {
        if (reminds) {
            write_reminder(disk, op, number, &reminded);
        } else {
            deadlines_judge_warning(disk, op, number);
            letter->warned = op->op.append.recipient_count > 0;
            disk->written.said += letter->warned;
        }
        assert(reminded_tell(&reminded, result));
        letter->kept = reminded_pass(&reminded, &letter->deadline, pass->step);
        letter->at_ms = stored_deadline_at(&letter->deadline, letter->deadline.step);
    }
    reminded_fini(&reminded);
}

static bool count_due(void *context, const struct store_track_row *row)
{
    due_count(context, row);
    return true;
}

static void write_due(struct deadlines_disk *disk, const struct store_op *op,
                      struct store_result *result)
{
    const struct deadlines_letter *first = NULL;
    result->due = calloc(1, sizeof *result->due);
    assert(result->due);
    for (unsigned i = 0; i < DEADLINES_LETTERS; i++) {
        const struct deadlines_letter *one = &disk->written.letters[i];
        if (one->kept && (!first || one->at_ms < first->at_ms ||
                          (one->at_ms == first->at_ms && one->sequence < first->sequence))) {
            first = one;
        }
    }
    if (!first) {
        return;
    }
    result->due->sequence = first->sequence;
    result->due->at_ms = first->at_ms;
    result->due->deadline = first->deadline;
    if (first->deadline.deadline_ms <= op->now_ms) {
        each_row(&disk->written, first, 0, count_due, result->due);
    }
    disk->asked_owing = result->due->owing;
}

static void write_answer(struct deadlines_disk *disk, const struct deadlines_answer *answer)
{
    struct deadlines_letter *letter = &disk->written.letters[answer->letter];
    enum track_state *state = &letter->states[answer->recipient];
    bool waits = *state == TRACK_WAITING;
    bool dead = *state == TRACK_REFUSED || *state == TRACK_DEAD || *state == TRACK_EXPIRED ||
                *state == TRACK_CANCELLED;
    bool back = answer->state == TRACK_WAITING || answer->state == TRACK_DROPPED;
    if (letter->stored && (back ? dead : waits)) {
        *state = answer->state;
        letter->wavered[answer->recipient] =
            letter->wavered[answer->recipient] || !deadlines_can(*state);
        letter->released[answer->recipient] =
            letter->released[answer->recipient] || !deadlines_owes(*state);
    }
}

static void write_one(struct deadlines_disk *disk, struct deadlines_op *op)
{
    struct store_result result = {.kind = op->op.kind, .ticket = op->op.ticket};
    if (op->is_answer) {
        write_answer(disk, &op->answer);
        return;
    }
    switch (op->op.kind) {
    case STORE_APPEND:
        if (op->op.append.pass.sequence > 0) {
            write_pass(disk, op, &result);
        } else {
            write_letter(disk, op, &result);
        }
        break;
    case STORE_DUE:
        write_due(disk, &op->op, &result);
        break;
    default:
        write_names(disk, op);
        break;
    }
    disk->results[disk->result_count++] =
        (struct deadlines_result){.result = result, .about_deadlines = is_about_deadlines(op)};
}

void deadlines_disk_write(struct deadlines_disk *disk, size_t count)
{
    while (count-- > 0 && disk->first < disk->count && disk->result_count < DEADLINES_QUEUE) {
        write_one(disk, &disk->queue[disk->first++]);
    }
}

void deadlines_disk_sync(struct deadlines_disk *disk)
{
    disk->synced = disk->written;
    disk->result_synced = disk->result_count;
}

bool deadlines_disk_collect(struct deadlines_disk *disk, struct store_result *out_result)
{
    if (disk->result_first == disk->result_synced) {
        return false;
    }
    const struct deadlines_result *next = &disk->results[disk->result_first++];
    *out_result = next->result;
    disk->under_way -= next->about_deadlines;
    disk->reasons += next->about_deadlines && out_result->kind == STORE_APPEND;
    if (disk->result_first == disk->result_count) {
        disk->result_first = disk->result_synced = disk->result_count = 0;
    }
    return true;
}

void deadlines_disk_crash(struct deadlines_disk *disk)
{
    for (size_t i = disk->result_first; i < disk->result_count; i++) {
        store_result_drop(&disk->results[i].result);
    }
    disk->first = disk->count = 0;
    disk->result_first = disk->result_synced = disk->result_count = 0;
    disk->written = disk->synced;
    disk->under_way = 0;
}
