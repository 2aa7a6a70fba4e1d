/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/power/script.h"

#include "tests/chaos/power/image.h"
#include "tests/unit/store/bench.h"

#include <stdio.h>
#include <string.h>

enum {
    FIRST_MAILBOX = 3,
    DUE_MS = 2000000, /* later than the bench' clock */
    LARGE_BYTES = 90000,
};

uint32_t script_mailbox_id(size_t mailbox)
{
    return FIRST_MAILBOX + (uint32_t)mailbox;
}

const char *script_mailbox_name(size_t mailbox)
{
    static const char *const names[SCRIPT_MAILBOXES] = {"commune-76540/etat-civil",
                                                        "commune-76540/elections",
                                                        "commune-33063/etat-civil", "dila/avis"};
    return names[mailbox];
}

/* A copy in this place, by chance; false when there is none. */
static bool choose(const struct model *model, enum place place, uint64_t *random, struct step *step)
{
    size_t copies = model->messages * SCRIPT_MAILBOXES;
    size_t from = copies > 0 ? next_random(random) % copies : 0;
    for (size_t i = 0; i < copies; i++) {
        size_t at = (from + i) % copies;
        if (model->copies[at / SCRIPT_MAILBOXES][at % SCRIPT_MAILBOXES].place == place) {
            step->message = at / SCRIPT_MAILBOXES;
            step->mailbox = at % SCRIPT_MAILBOXES;
            return true;
        }
    }
    return false;
}

static void make_append(const struct model *model, bool repeats, uint64_t *random,
                        struct step *step)
{
    step->kind = STORE_APPEND;
    step->message = model->messages;
    step->to = 1 + (unsigned)(next_random(random) % ((1U << SCRIPT_MAILBOXES) - 1));
    step->lane = (uint8_t)(next_random(random) % LANE_COUNT);
    step->due_ms = next_random(random) % 8 == 0 ? DUE_MS + (int64_t)(next_random(random) % 100) : 0;
    step->known = repeats && model->messages > 0 && next_random(random) % 6 == 0;
    if (step->known) {
        step->message = next_random(random) % model->messages;
    }
}

static void make_step(const struct model *model, bool repeats, uint64_t *random, struct step *step)
{
    static const enum store_op_kind answers[] = {STORE_ACK,   STORE_ACK,  STORE_ACK,    STORE_ACK,
                                                 STORE_DEFER, STORE_BURY, STORE_REPLAY, STORE_DROP};
    enum store_op_kind kind = answers[next_random(random) % (sizeof answers / sizeof answers[0])];
    bool dead = kind == STORE_REPLAY || kind == STORE_DROP;
    memset(step, 0, sizeof *step);
    if (next_random(random) % 2 == 0 ||
        !choose(model, dead ? PLACE_DEAD : PLACE_WAITING, random, step)) {
        make_append(model, repeats, random, step);
        return;
    }
    step->kind = kind;
    step->due_ms = DUE_MS + (int64_t)(next_random(random) % 100);
    step->attempts = 1 + (uint32_t)(next_random(random) % 5);
}

static void apply(struct model *model, const struct step *step)
{
    if (step->kind == STORE_APPEND) {
        for (size_t i = 0; i < SCRIPT_MAILBOXES && !step->known; i++) {
            struct copy *copy = &model->copies[step->message][i];
            copy->place = (step->to >> i & 1U) != 0 ? PLACE_WAITING : PLACE_NONE;
            copy->lane = step->lane;
            copy->due_ms = step->due_ms;
        }
        model->messages += step->known ? 0 : 1;
        return;
    }
    struct copy *copy = &model->copies[step->message][step->mailbox];
    if (step->kind == STORE_DEFER) {
        copy->due_ms = step->due_ms;
        copy->attempts = step->attempts;
    } else if (step->kind == STORE_BURY) {
        copy->place = PLACE_DEAD;
        copy->attempts = step->attempts;
    } else if (step->kind == STORE_REPLAY) {
        copy->place = PLACE_WAITING;
        copy->due_ms = 0;
        copy->attempts = 0;
    } else {
        copy->place = PLACE_NONE;
    }
}

void script_make(struct script *script, uint64_t seed, bool repeats)
{
    static struct model model; /* large */
    uint64_t random = seed;
    memset(&model, 0, sizeof model);
    for (size_t i = 0; i < SCRIPT_MESSAGES; i++) {
        bool large = next_random(&random) % 10 == 0;
        script->payload_bytes[i] = next_random(&random) % (large ? LARGE_BYTES : 900);
        (void)snprintf(script->ids[i], SCRIPT_ID_BYTES, "m%zu", i);
    }
    for (size_t i = 0; i < SCRIPT_OPS; i++) {
        make_step(&model, repeats, &random, &script->steps[i]);
        apply(&model, &script->steps[i]);
    }
}

void model_after(struct model *model, const struct script *script, size_t steps)
{
    memset(model, 0, sizeof *model);
    for (size_t i = 0; i < steps; i++) {
        apply(model, &script->steps[i]);
    }
}

static struct store_op append_op(const struct script *script, const struct step *step,
                                 struct store_recipient *recipients)
{
    uint32_t count = 0;
    for (size_t i = 0; i < SCRIPT_MAILBOXES; i++) {
        if ((step->to >> i & 1U) != 0) {
            recipients[count++] = (struct store_recipient){
                .mailbox = script_mailbox_id(i), .lane = step->lane, .due_ms = step->due_ms};
        }
    }
    return op_append(script->ids[step->message], SCRIPT_ENVELOPE_BYTES,
                     script->payload_bytes[step->message], recipients, count);
}

struct store_op script_op(const struct script *script, size_t step, const struct model *before,
                          struct store_recipient *recipients)
{
    const struct step *now = &script->steps[step];
    if (now->kind == STORE_APPEND) {
        return append_op(script, now, recipients);
    }
    const struct copy *copy = &before->copies[now->message][now->mailbox];
    struct entry_key key = {.mailbox = script_mailbox_id(now->mailbox),
                            .lane = copy->lane,
                            .due_ms = copy->due_ms,
                            .sequence = now->message + 1};
    switch (now->kind) {
    case STORE_ACK:
        return op_ack(&key);
    case STORE_DEFER:
        return op_defer(&key, now->attempts, now->due_ms);
    case STORE_BURY: {
        struct store_op op = op_bury(&key, "by the script");
        op.bury.attempts = now->attempts;
        return op;
    }
    default:
        return op_dead(now->kind, key.mailbox, key.sequence);
    }
}
