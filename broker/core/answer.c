/* SPDX-License-Identifier: EUPL-1.2
 *
 * See answer.h. A range may be as wide as it likes: work is bounded by what the consumer holds, and
 * for the ranges of a command together by LIMIT_ANSWER_TAGS.
 */
#include "core/answer.h"

#include "core/consumer.h"
#include "core/limits.h"
#include "core/reply.h"

#include <string.h>

/* What one command says of each tag that it names. */
struct verdict {
    struct step *step;
    struct consumer *consumer;
    const Relais__V1__Nack *nack;     /* NULL: ack */
    const Relais__V1__Extend *extend; /* not NULL: no answer, longer leases */
    const char *field;                /* of the tags, for refusals */
    const char *reason;               /* of the nack, cleaned */
};

static void give_verdict(const struct verdict *verdict, struct delivery *delivery)
{
    struct step *step = verdict->step;
    const Relais__V1__Nack *nack = verdict->nack;
    if (verdict->extend) {
        lease_extend(step, delivery, verdict->extend->by_ms);
        return;
    }
    struct entry_ref ref = lease_entry(delivery);
    ref.consumer = verdict->consumer;
    ref.tag = delivery->tag;
    verdict->consumer->settling++;
    verdict->consumer->answered_ms = step->now.mono_ms;
    if (delivery->tag > verdict->consumer->answered_tag) {
        verdict->consumer->answered_tag = delivery->tag;
    }
    if (nack && (nack->refuse || !nack->uncounted)) {
        ref.ending = nack->refuse ? ENDING_REFUSE : ENDING_NACK;
    }
    if (!nack) {
        entry_acknowledge(step, &ref);
    } else if (nack->refuse) {
        entry_bury(step, &ref, RELAIS__V1__CODE__CODE_REFUSED_BY_RECIPIENT, verdict->reason);
    } else {
        int64_t delay_ms = nack->delay_ms > 0 ? nack->delay_ms : 1;
        ref.attempts -= nack->uncounted ? 1 : 0;
        entry_try_again(step, &ref, step->now.wall_ms + delay_ms, verdict->reason);
    }
    lease_end(step, delivery);
}

/* Every tag of a narrow range. Returns the first that is not held, 0 when all are. */
static uint64_t answer_tags(const struct verdict *verdict, uint64_t first, uint64_t last)
{
    uint64_t unknown = 0;
    for (uint64_t i = 0; i <= last - first; i++) {
        struct delivery *delivery = lease_find(verdict->consumer, first + i);
        if (delivery) {
            give_verdict(verdict, delivery);
        } else if (unknown == 0) {
            unknown = first + i;
        }
    }
    return unknown;
}

/* Every delivery within a range that is wider than what can be held: some of it is unknown. */
static uint64_t answer_held(const struct verdict *verdict, uint64_t first, uint64_t last)
{
    uint64_t unknown = first;
    struct delivery *next = NULL;
    for (struct delivery *delivery = verdict->consumer->oldest; delivery && delivery->sent;
         delivery = next) {
        next = delivery->newer;
        if (delivery->tag < first || delivery->tag > last) {
            continue;
        }
        unknown += delivery->tag == unknown ? 1 : 0;
        give_verdict(verdict, delivery);
    }
    return unknown;
}

static void say_unknown(struct step *step, const struct session *session, const char *field,
                        uint64_t tag)
{
    struct refusal refusal = {
        .code = RELAIS__V1__CODE__CODE_UNKNOWN_DELIVERY,
        .field = field,
        .wrong = refusal_number(step->effects, tag),
        .right = "tags of deliveries that are held",
    };
    reply_error(step, session->connection, &refusal);
}

static void say_too_many(struct step *step, const struct session *session, const char *field)
{
    struct refusal refusal = {
        .code = RELAIS__V1__CODE__CODE_LIMIT_EXCEEDED,
        .field = field,
        .wrong = "more tags in one command, by ranges that overlap or are not held",
        .right = refusal_number(step->effects, LIMIT_ANSWER_TAGS),
    };
    reply_error(step, session->connection, &refusal);
}

/* One error for all unknown tags of a command: it names the first. */
static void answer_all(const struct verdict *verdict, Relais__V1__Range *const *tags, size_t count)
{
    const struct session *session = verdict->consumer->session;
    uint64_t looked = 0;
    bool told = false;
    for (size_t i = 0; i < count; i++) {
        uint64_t first = tags[i]->first;
        uint64_t last = tags[i]->last;
        uint64_t unknown = first;
        if (first > 0 && first <= last) {
            looked += last - first < LIMIT_CREDIT ? last - first + 1 : LIMIT_CREDIT;
            if (looked > LIMIT_ANSWER_TAGS) {
                say_too_many(verdict->step, session, verdict->field);
                return;
            }
            unknown = last - first < LIMIT_CREDIT ? answer_tags(verdict, first, last)
                                                  : answer_held(verdict, first, last);
        }
        bool bad = first == 0 || first > last || unknown != 0;
        if (bad && !told) {
            say_unknown(verdict->step, session, verdict->field, unknown);
            told = true;
        }
    }
}

/* NULL: the error has been said. */
static struct consumer *find(struct step *step, const struct session *session, uint32_t number,
                             const char *field)
{
    struct consumer *consumer = consumer_find(session, number);
    if (!consumer) {
        struct refusal refusal = {
            .code = RELAIS__V1__CODE__CODE_UNKNOWN_CONSUMER,
            .field = field,
            .wrong = refusal_number(step->effects, number),
            .right = "a consumer attached on this connection",
        };
        reply_error(step, session->connection, &refusal);
    }
    return consumer;
}

void answer_ack(struct step *step, struct session *session, const Relais__V1__Ack *ack)
{
    struct consumer *consumer = find(step, session, ack->consumer, "ack.consumer");
    if (consumer) {
        struct verdict verdict = {.step = step, .consumer = consumer, .field = "ack.tags"};
        answer_all(&verdict, ack->tags, ack->n_tags);
    }
}

static bool check_nack(struct step *step, const struct consumer *consumer,
                       const Relais__V1__Nack *nack, struct refusal *out_refusal)
{
    out_refusal->code = RELAIS__V1__CODE__CODE_FIELD_INVALID;
    if (nack->delay_ms > LIMIT_DELAY_MS) {
        out_refusal->field = "nack.delay_ms";
        out_refusal->wrong = refusal_number(step->effects, nack->delay_ms);
        out_refusal->right = refusal_number(step->effects, LIMIT_DELAY_MS);
        return false;
    }
    if (strnlen(nack->reason, LIMIT_REASON_BYTES + 1) > LIMIT_REASON_BYTES) {
        out_refusal->field = "nack.reason";
        out_refusal->wrong = refusal_wrong(step->effects, nack->reason);
        out_refusal->right = "at most 256 bytes";
        return false;
    }
    if (nack->uncounted && strchr(consumer->mailbox->name, '/')[1] != '~') {
        out_refusal->field = "nack.uncounted";
        out_refusal->wrong = consumer->mailbox->name;
        out_refusal->right = N_("a client's private mailbox");
        return false;
    }
    return true;
}

void answer_nack(struct step *step, struct session *session, const Relais__V1__Nack *nack)
{
    struct refusal refusal = {0};
    struct consumer *consumer = find(step, session, nack->consumer, "nack.consumer");
    if (!consumer) {
        return;
    }
    if (!check_nack(step, consumer, nack, &refusal)) {
        reply_error(step, session->connection, &refusal);
        return;
    }
    struct verdict verdict = {
        .step = step, .consumer = consumer, .nack = nack, .field = "nack.tags"};
    verdict.reason = refusal_clean(step->effects, nack->reason, LIMIT_REASON_BYTES);
    answer_all(&verdict, nack->tags, nack->n_tags);
}

void answer_extend(struct step *step, struct session *session, const Relais__V1__Extend *extend)
{
    struct consumer *consumer = find(step, session, extend->consumer, "extend.consumer");
    if (!consumer) {
        return;
    }
    if (extend->by_ms == 0 || extend->by_ms > LIMIT_EXTEND_MS) {
        struct refusal refusal = {
            .code = RELAIS__V1__CODE__CODE_FIELD_INVALID,
            .field = "extend.by_ms",
            .wrong = refusal_number(step->effects, extend->by_ms),
            .right = refusal_number(step->effects, LIMIT_EXTEND_MS),
        };
        reply_error(step, session->connection, &refusal);
        return;
    }
    struct verdict verdict = {
        .step = step, .consumer = consumer, .extend = extend, .field = "extend.tags"};
    answer_all(&verdict, extend->tags, extend->n_tags);
}
