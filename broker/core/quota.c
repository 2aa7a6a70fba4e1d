/* SPDX-License-Identifier: EUPL-1.2
 *
 * See quota.h.
 */
#include "core/quota.h"

#include "core/note.h"
#include "core/reply.h"
#include "core/session.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN = 1000, /* a message: a rate of 1 a second fills 1 in a millisecond */
    MS_US = 1000,
    PROMISED_MS = 60000,        /* as far ahead as anybody is told to come again */
    CONNECTION_RETRY_MS = 5000, /* others have to leave first */
    STORED_RETRY_MS = 2000,     /* recipients have to take something first */
    STORED_RETRY_LONGEST_MS = 60000,
    STORED_DOUBLINGS = 5,
    KEPT_PART = 8,    /* of settings.storing_bytes, for members with little there */
    LITTLE_PART = 64, /* so much is little */
};

static const char CONNECTIONS[] = "quota.connections";
static const char RATE[] = "quota.rate";
static const char MESSAGES[] = "quota.messages";
static const char BYTES[] = "quota.bytes";

static uint64_t told_or(uint64_t own, uint64_t of_all)
{
    return own == QUOTA_NOT_TOLD ? of_all : own;
}

struct quota quota_of(const struct core *core, const struct directory_member *member)
{
    const struct quota *own = directory_member_quota(member);
    const struct quota *of_all = &core->settings.quota;
    struct quota quota = {
        .messages = told_or(own->messages, of_all->messages),
        .bytes = told_or(own->bytes, of_all->bytes),
        .rate = told_or(own->rate, of_all->rate),
        .burst = told_or(own->burst, of_all->burst),
        .connections = told_or(own->connections, of_all->connections),
    };
    quota.burst = quota.burst > 0 ? quota.burst : quota.rate;
    return quota;
}

static bool same_member(const void *item, const void *key)
{
    return strcmp(((const struct member_use *)item)->slug, key) == 0;
}

struct member_use *quota_use(struct core *core, const char *slug)
{
    uint64_t hash = table_hash_text(slug, strlen(slug));
    struct member_use *use = table_find(&core->uses, hash, same_member, slug);
    if (use) {
        return use;
    }
    use = calloc(1, sizeof *use);
    if (!use) {
        return NULL;
    }
    memcpy(use->slug, slug, strnlen(slug, NAME_SLUG_BYTES));
    if (!table_add(&core->uses, hash, use)) {
        free(use);
        return NULL;
    }
    return use;
}

void quota_fini(struct core *core)
{
    struct member_use *use = NULL;
    size_t cursor = 0;
    while ((use = table_next(&core->uses, &cursor))) {
        free(use);
    }
    table_fini(&core->uses);
}

static struct refusal over_quota(struct step *step, const char *quota, uint64_t use, uint64_t limit,
                                 uint32_t retry_after_ms)
{
    return (struct refusal){.code = RELAIS__V1__CODE__CODE_OVER_QUOTA,
                            .field = quota,
                            .wrong = refusal_number(step->effects, use),
                            .right = refusal_number(step->effects, limit),
                            .retry_after_ms = retry_after_ms};
}

bool quota_admit(struct step *step, struct member_use *use, const struct quota *quota,
                 struct refusal *out_refusal)
{
    if (quota->connections == 0 || use->connections < quota->connections) {
        return true;
    }
    use->refused++;
    *out_refusal =
        over_quota(step, CONNECTIONS, use->connections, quota->connections, CONNECTION_RETRY_MS);
    return false;
}

bool quota_storing_allows(const struct core *core, const struct member_use *use, uint64_t cost)
{
    uint64_t most = core->settings.storing_bytes;
    if (core->storing == 0) {
        return true;
    }
    if (use->storing == 0) {
        return core->storing_bytes <= most;
    }
    bool little = use->storing_bytes + cost <= most / LITTLE_PART;
    return core->storing_bytes + cost <= (little ? most : most - most / KEPT_PART);
}

void quota_storing_begins(struct core *core, struct session *session, const struct ticket *ticket)
{
    session->window_messages++;
    session->window_bytes += ticket->cost;
    core->storing++;
    core->storing_bytes += ticket->cost;
    ticket->use->storing++;
    ticket->use->storing_bytes += ticket->cost;
}

void quota_storing_ends(struct core *core, struct session *session, const struct ticket *ticket)
{
    core->storing--;
    core->storing_bytes -= ticket->cost;
    ticket->use->storing--;
    ticket->use->storing_bytes -= ticket->cost;
    if (session && !session->over) {
        session->window_messages--;
        session->window_bytes -= ticket->cost;
    }
}

/* What has come into the bucket since it was last looked at. */
static void fill(struct member_use *use, const struct quota *quota, int64_t mono_ms)
{
    const uint64_t most = quota->burst * TOKEN;
    if (use->filled_ms == 0) {
        use->tokens = most;
    } else if (mono_ms > use->filled_ms) {
        uint64_t since_ms = (uint64_t)(mono_ms - use->filled_ms);
        /* A bucket is full long before this overflows. */
        use->tokens += since_ms > UINT32_MAX ? most : since_ms * quota->rate;
    }
    use->tokens = use->tokens < most ? use->tokens : most;
    use->filled_ms = mono_ms;
}

/* When one more will find a token. Each that is told to come again has a time of its own: all at
 * once would find one. */
static uint32_t promise(struct member_use *use, const struct quota *quota, int64_t mono_ms)
{
    const int64_t rate = (int64_t)quota->rate;
    const int64_t now_us = mono_ms * MS_US;
    int64_t first_us = now_us + ((int64_t)(TOKEN - use->tokens) * MS_US + rate - 1) / rate;
    int64_t next_us = use->promised_us + ((int64_t)TOKEN * MS_US + rate - 1) / rate;
    int64_t at_us = first_us > next_us ? first_us : next_us;
    if (at_us - now_us > (int64_t)PROMISED_MS * MS_US) {
        return PROMISED_MS;
    }
    use->promised_us = at_us;
    return (uint32_t)((at_us - now_us + MS_US - 1) / MS_US);
}

bool quota_pass(struct step *step, struct member_use *use, const struct quota *quota,
                struct refusal *out_refusal)
{
    if (quota->rate == 0) {
        return true;
    }
    fill(use, quota, step->now.mono_ms);
    if (use->tokens >= TOKEN) {
        use->tokens -= TOKEN;
        return true;
    }
    use->refused++;
    uint32_t wait_ms = promise(use, quota, step->now.mono_ms);
    *out_refusal = over_quota(step, RATE, quota->rate, quota->rate, wait_ms);
    out_refusal->wrong = "more messages a second";
    return false;
}

void quota_return(struct member_use *use, const struct quota *quota)
{
    use->tokens += quota->rate == 0 ? 0 : TOKEN;
}

uint32_t quota_burst(struct member_use *use, const struct quota *quota, int64_t mono_ms)
{
    if (quota->rate == 0) {
        return 0;
    }
    fill(use, quota, mono_ms);
    return (uint32_t)(use->tokens / TOKEN);
}

bool quota_fits(struct step *step, struct member_use *use, const struct quota *quota,
                uint64_t bytes, struct refusal *out_refusal)
{
    if (quota->bytes == 0 || bytes <= quota->bytes) {
        return true;
    }
    use->refused++;
    *out_refusal = over_quota(step, BYTES, bytes, quota->bytes, 0);
    return false;
}

static bool is_of_messages(const struct store_result *result)
{
    const struct store_usage *quota = &result->append.quota;
    return quota->messages > 0 && result->append.usage.messages >= quota->messages;
}

void quota_over(struct step *step, struct session *session, uint64_t number,
                const struct store_result *result)
{
    struct over_quota *over =
        &session->over_quota[is_of_messages(result) ? OVER_MESSAGES : OVER_BYTES];
    over->use = is_of_messages(result) ? result->append.usage.messages : result->append.usage.bytes;
    over->limit =
        is_of_messages(result) ? result->append.quota.messages : result->append.quota.bytes;
    session->use->refused++;
    if (!ranges_add(&over->numbers, number)) {
        step->effects->failed = true;
    }
}

static uint32_t stored_retry_ms(const struct member_use *use)
{
    unsigned doublings = use->over < STORED_DOUBLINGS ? use->over : STORED_DOUBLINGS;
    uint32_t retry_ms = (uint32_t)STORED_RETRY_MS << doublings;
    return retry_ms < STORED_RETRY_LONGEST_MS ? retry_ms : STORED_RETRY_LONGEST_MS;
}

/* Once for a run of refusals: who fills its share fills no log. */
static void note_over(struct step *step, const struct session *session, const char *quota,
                      const struct over_quota *over)
{
    if (session->use->over > 0) {
        return;
    }
    struct effect *effect = note(step->effects, NOTE_WARNING, "quota.reached");
    note_text(step->effects, effect, "member", session->member);
    note_text(step->effects, effect, "quota", quota);
    note_number(effect, "use", over->use);
    note_number(effect, "limit", over->limit);
}

void quota_say_over(struct step *step, struct session *session)
{
    static const char *const names[OVER_COUNT] = {
        [OVER_MESSAGES] = MESSAGES,
        [OVER_BYTES] = BYTES,
    };
    struct reply_refused refused = {.step = step, .connection = session->connection};
    bool said = false;
    for (int kind = 0; kind < OVER_COUNT; kind++) {
        struct over_quota *over = &session->over_quota[kind];
        if (over->numbers.count == 0) {
            continue;
        }
        struct refusal refusal =
            over_quota(step, names[kind], over->use, over->limit, stored_retry_ms(session->use));
        note_over(step, session, names[kind], over);
        for (size_t i = 0; i < over->numbers.count; i++) {
            const struct number_range *range = &over->numbers.items[i];
            for (uint64_t number = range->first; number <= range->last; number++) {
                reply_refused_add(&refused, number, &refusal);
            }
        }
        ranges_clear(&over->numbers);
        said = true;
    }
    reply_refused_end(&refused);
    session->use->over += said ? 1 : 0;
}
