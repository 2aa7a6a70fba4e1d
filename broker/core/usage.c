/* SPDX-License-Identifier: EUPL-1.2
 *
 * See usage.h.
 */
#include "core/usage.h"

#include "core/question.h"
#include "core/quota.h"
#include "core/reply.h"

#include <stdlib.h>
#include <string.h>

static const char FIELD[] = "query.member_usage.member";

/* NULL: *out_refusal says why. */
static const struct directory_member *find(struct step *step, const struct directory_client *client,
                                           const char *slug, struct refusal *out_refusal)
{
    const char *own = directory_member_slug(client->member);
    if (slug[0] == '\0' || strcmp(slug, own) == 0) {
        return client->member;
    }
    if ((client->roles & ROLE_MAY_OPERATE) == 0) {
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_ROLE_MISSING,
                                        .field = FIELD,
                                        .wrong = refusal_wrong(step->effects, slug),
                                        .right = own};
        return NULL;
    }
    const struct directory_member *member =
        directory_member(step->core->directory, slug, strlen(slug));
    if (!member) {
        *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER,
                                        .field = FIELD,
                                        .wrong = refusal_wrong(step->effects, slug),
                                        .right = N_("a member of the directory")};
    }
    return member;
}

void usage_query(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Query *query)
{
    struct refusal refusal = {0};
    const struct directory_member *member =
        find(step, client, query->member_usage->member, &refusal);
    if (!member || !question_fits(step, session, "query.member_usage", &refusal)) {
        reply_answer_error(step, session->connection, query->number, &refusal);
        return;
    }
    struct member_use *use = quota_use(step->core, directory_member_slug(member));
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_USAGE, &ticket);
    op->usage.sender = effects_text(step->effects, directory_member_slug(member));
    if (!use) {
        step->effects->failed = true;
    }
    if (ticket) {
        question_begin(step, session, ticket, query->number);
        ticket->use = use;
    }
}

static void answer(struct step *step, const struct ticket *ticket,
                   const struct directory_member *member, const struct store_usage *stored)
{
    const struct quota quota = quota_of(step->core, member);
    struct member_use *use = ticket->use;
    Relais__V1__Usage usage = RELAIS__V1__USAGE__INIT;
    Relais__V1__Answer reply = RELAIS__V1__ANSWER__INIT;
    usage.member = use->slug;
    usage.messages = stored->messages;
    usage.messages_quota = quota.messages;
    usage.bytes = stored->bytes;
    usage.bytes_quota = quota.bytes;
    usage.connections = (uint32_t)use->connections;
    usage.connections_quota = (uint32_t)quota.connections;
    usage.rate_quota = (uint32_t)quota.rate;
    usage.burst_quota = (uint32_t)quota.burst;
    usage.burst = quota_burst(use, &quota, step->now.mono_ms);
    usage.refused_total = use->refused;
    reply.number = ticket->number;
    reply.what_case = RELAIS__V1__ANSWER__WHAT_USAGE;
    reply.usage = &usage;
    reply_answer(step, ticket->connection, &reply);
}

void usage_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    const char *slug = ticket->use->slug;
    if (!question_end(step, ticket)) {
        return;
    }
    const struct directory_member *member =
        directory_member(step->core->directory, slug, strlen(slug));
    if (member) {
        answer(step, ticket, member, &result->usage);
        return;
    }
    const struct refusal gone = {.code = RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER,
                                 .field = FIELD,
                                 .wrong = slug,
                                 .right = N_("a member of the directory")};
    reply_answer_error(step, ticket->connection, ticket->number, &gone);
}
