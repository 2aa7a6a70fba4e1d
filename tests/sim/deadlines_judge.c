/* SPDX-License-Identifier: EUPL-1.2
 *
 * See deadlines_disk.h. Who owes what, and when, is told here a second time.
 */
#include "deadlines_disk.h"
#include "relais/v1/envelope.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool deadlines_owes(enum track_state state)
{
    switch (state) {
    case TRACK_ACKNOWLEDGED:
    case TRACK_SUPERSEDED:
    case TRACK_CANCELLED:
        return false;
    default:
        return true;
    }
}

bool deadlines_can(enum track_state state)
{
    return deadlines_owes(state) && state != TRACK_DROPPED;
}

void deadlines_judge_letter(const struct deadlines_disk *disk, const struct deadlines_op *op)
{
    const struct deadlines_letter *letter = &disk->written.letters[op->letter];
    const struct stored_deadline *deadline = &op->deadline;
    PROMISE(disk->trace, (op->op.append.deadline != NULL) == op->has_deadline,
            "a message has the deadline of its flow", {"letter", op->letter});
    if (!op->has_deadline) {
        return;
    }
    PROMISE(disk->trace,
            deadline->remind_count == DEADLINES_STEPS - 1 && deadline->step == 0 &&
                deadline->after == 0 &&
                deadline->deadline_ms == deadlines_at(letter, DEADLINES_STEPS - 1) &&
                strcmp(deadline->from, DEADLINES_SENDER_PLACE) == 0 &&
                strcmp(deadline->sender, "dila") == 0,
            "a deadline is reckoned from the acceptance", {"letter", op->letter},
            {"deadline", (uint64_t)deadline->deadline_ms});
    for (unsigned i = 0; i + 1 < DEADLINES_STEPS; i++) {
        PROMISE(disk->trace, deadline->remind_ms[i] == deadlines_at(letter, i),
                "a reminder is so long before the deadline", {"letter", op->letter}, {"step", i});
    }
}

/* What the broker says is about that letter, and says from whom it is. */
static void judge_words(const struct deadlines_disk *disk, const struct deadlines_op *op,
                        unsigned letter, const char *type)
{
    char id[DEADLINES_TEXT];
    Relais__V1__Envelope *envelope =
        relais__v1__envelope__unpack(NULL, op->envelope_bytes, op->envelope);
    (void)snprintf(id, sizeof id, "%u", letter);
    PROMISE(disk->trace, envelope != NULL, "what the broker says can be read", {"letter", letter});
    PROMISE(disk->trace,
            strcmp(envelope->correlation_id, id) == 0 && strcmp(envelope->type, type) == 0 &&
                strcmp(envelope->flow, "F") == 0 &&
                strcmp(envelope->source, "relais://broker") == 0 &&
                strcmp(op->sender, "relais") == 0,
            "what the broker says names what it is about", {"letter", letter},
            {"step", op->op.append.pass.step});
    PROMISE(disk->trace,
            op->op.append.deadline == NULL && op->op.append.quota.messages == 0 &&
                op->op.append.quota.bytes == 0,
            "what the broker says costs nobody anything", {"letter", letter});
    relais__v1__envelope__free_unpacked(envelope, NULL);
}

void deadlines_judge_step(const struct deadlines_disk *disk, const struct deadlines_op *op,
                          unsigned letter)
{
    const struct deadlines_letter *one = &disk->written.letters[letter];
    unsigned step = op->op.append.pass.step;
    PROMISE(disk->trace, deadlines_at(one, step) <= disk->asked_ms, "no step is taken too early",
            {"letter", letter}, {"step", step});
    PROMISE(disk->trace, deadlines_at(one, step + 1) > disk->asked_ms,
            "of what was slept through only the latest is said", {"letter", letter},
            {"step", step});
    PROMISE(disk->trace, op->op.append.recipient_count == 0, "who is reminded the store finds out",
            {"letter", letter});
    judge_words(disk, op, letter, "fr.relais.reminder");
}

void deadlines_judge_reminder(const struct deadlines_disk *disk, const struct deadlines_op *op,
                              unsigned letter, unsigned recipient)
{
    const struct deadlines_letter *one = &disk->written.letters[letter];
    unsigned step = op->op.append.pass.step;
    PROMISE(disk->trace, deadlines_can(one->states[recipient]),
            "nobody is reminded who has answered", {"letter", letter}, {"recipient", recipient},
            {"state", one->states[recipient]});
    PROMISE(disk->trace, (one->reminded[recipient] >> step & 1U) == 0,
            "nobody is reminded twice in one step", {"letter", letter}, {"recipient", recipient},
            {"step", step});
}

void deadlines_judge_warning(const struct deadlines_disk *disk, const struct deadlines_op *op,
                             unsigned letter)
{
    const struct deadlines_letter *one = &disk->written.letters[letter];
    uint32_t count = op->op.append.recipient_count;
    PROMISE(disk->trace, deadlines_at(one, DEADLINES_STEPS - 1) <= disk->asked_ms,
            "no sender is warned too early", {"letter", letter});
    PROMISE(disk->trace, !one->warned, "a sender is warned once", {"letter", letter});
    PROMISE(disk->trace, count == (disk->asked_owing > 0 && !disk->sender_gone ? 1U : 0U),
            "a sender is warned when somebody owes an answer", {"letter", letter},
            {"owing", disk->asked_owing}, {"count", count});
    if (count > 0) {
        uint32_t mailbox = op->recipients[0].mailbox;
        PROMISE(disk->trace,
                mailbox < DEADLINES_MAILBOXES &&
                    disk->written.places[mailbox] == DEADLINES_RECIPIENTS + 1,
                "the sender is warned, and nobody else", {"letter", letter}, {"mailbox", mailbox});
        judge_words(disk, op, letter, "fr.relais.deadline-missed");
    }
}
