/* SPDX-License-Identifier: EUPL-1.2
 *
 * See query.h.
 */
#include "core/query.h"

#include "core/dead.h"
#include "core/limits.h"
#include "core/mailbox.h"
#include "core/reply.h"
#include "core/signed_directory.h"
#include "core/track.h"
#include "core/usage.h"

#include <string.h>

enum {
    QUEUES_DEFAULT = 100,
    QUEUE_OVERHEAD_BYTES = 64, /* of one packed Queue beside its address */
};

static void answer_status(struct step *step, const struct session *session, uint64_t number)
{
    const struct core *core = step->core;
    Relais__V1__Status status = RELAIS__V1__STATUS__INIT;
    status.software = (char *)core->software;
    status.uptime_ms = step->now.mono_ms - core->started_ms;
    status.connections = (uint32_t)core->sessions.count;
    status.consumers = core->totals.consumers;
    status.members = (uint32_t)directory_members(core->directory);
    status.flows = (uint32_t)directory_flows(core->directory);
    status.mailboxes = core->mailboxes.count;
    status.waiting = core->totals.waiting;
    status.waiting_bytes = core->totals.waiting_bytes;
    status.leased = core->totals.leased;
    status.dead = core->totals.dead;
    status.accepted_total = core->totals.accepted;
    status.duplicates_total = core->totals.duplicates;
    status.refused_total = core->totals.refused;
    status.delivered_total = core->totals.delivered;
    status.acknowledged_total = core->totals.acknowledged;
    status.store_used_bytes = core->store_used_bytes;
    status.store_size_bytes = core->store_size_bytes;
    status.store_findings_total = core->upkeep.findings_total;
    status.store_checked_ms = core->upkeep.checked_ms;
    status.reminders_total = core->totals.reminders;
    status.deadlines_missed_total = core->totals.deadlines_missed;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_STATUS;
    answer.status = &status;
    reply_answer(step, session->connection, &answer);
}

/* The first mailbox with a name > text (`behind`) or >= text. */
static size_t first_from(struct mailbox *const *sorted, size_t count, const char *text, bool behind)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sorted[middle]->name, text);
        if (order < 0 || (behind && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The mailboxes that a client may see, from behind an address on. */
struct view {
    struct mailbox *const *sorted;
    size_t first;
    size_t end;
};

static struct view view_of(struct step *step, const struct directory_client *client,
                           const char *after)
{
    struct view view = {0};
    view.sorted = mailboxes_sorted(step->core, &view.end);
    if (after[0] != '\0') {
        view.first = first_from(view.sorted, view.end, after, true);
    }
    if ((client->roles & ROLE_MAY_OPERATE) == 0) {
        /* '0' is the character behind '/': what begins with "slug/" lies between the two. */
        const char *slug = directory_member_slug(client->member);
        size_t own =
            first_from(view.sorted, view.end, refusal_join(step->effects, slug, "/", ""), false);
        view.end =
            first_from(view.sorted, view.end, refusal_join(step->effects, slug, "0", ""), false);
        view.first = view.first > own ? view.first : own;
    }
    return view;
}

static void lay_queue(const struct mailbox *mailbox, Relais__V1__Queue *out_queue)
{
    relais__v1__queue__init(out_queue);
    out_queue->address = (char *)mailbox->name;
    out_queue->waiting = mailbox->waiting;
    out_queue->waiting_bytes = mailbox->waiting_bytes;
    out_queue->leased = mailbox->leased;
    out_queue->dead = mailbox->dead;
    out_queue->consumers = mailbox->consumers;
}

static void answer_queues(struct step *step, const struct session *session,
                          const struct directory_client *client, const Relais__V1__Query *query)
{
    struct view view = view_of(step, client, query->queues->after);
    uint32_t limit = query->queues->limit ? query->queues->limit : QUEUES_DEFAULT;
    limit = limit > LIMIT_QUEUES_PAGE ? LIMIT_QUEUES_PAGE : limit;
    Relais__V1__Queue *values = effects_alloc(step->effects, limit * sizeof *values);
    Relais__V1__Queue **pointers =
        effects_alloc(step->effects, limit * sizeof(Relais__V1__Queue *));
    if (step->effects->failed || !values || !pointers) {
        return;
    }
    Relais__V1__Queues queues = RELAIS__V1__QUEUES__INIT;
    queues.queues = pointers;
    size_t bytes = 0;
    for (; view.first < view.end && queues.n_queues < limit; view.first++) {
        const struct mailbox *mailbox = view.sorted[view.first];
        bytes += strlen(mailbox->name) + QUEUE_OVERHEAD_BYTES;
        if (bytes > REPLY_COMMAND_BYTES) {
            break;
        }
        lay_queue(mailbox, &values[queues.n_queues]);
        pointers[queues.n_queues] = &values[queues.n_queues];
        queues.n_queues++;
    }
    queues.more = view.first < view.end;
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = query->number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_QUEUES;
    answer.queues = &queues;
    reply_answer(step, session->connection, &answer);
}

void query_answer(struct step *step, struct session *session, const struct directory_client *client,
                  const Relais__V1__Query *query)
{
    struct refusal refusal = {0};
    switch (query->what_case) {
    case RELAIS__V1__QUERY__WHAT_STATUS:
        if (client->roles & ROLE_MAY_OPERATE) {
            answer_status(step, session, query->number);
            return;
        }
        refusal.code = RELAIS__V1__CODE__CODE_ROLE_MISSING;
        refusal.field = "client.roles";
        refusal.wrong = "without operate";
        refusal.right = N_("a client with the role operate");
        break;
    case RELAIS__V1__QUERY__WHAT_QUEUES:
        answer_queues(step, session, client, query);
        return;
    case RELAIS__V1__QUERY__WHAT_DEAD:
    case RELAIS__V1__QUERY__WHAT_DEAD_LETTER:
        dead_query(step, session, client, query);
        return;
    case RELAIS__V1__QUERY__WHAT_MEMBER_USAGE:
        usage_query(step, session, client, query);
        return;
    case RELAIS__V1__QUERY__WHAT_DIRECTORY:
        signed_directory_query(step, session, query);
        return;
    case RELAIS__V1__QUERY__WHAT_TRACK:
        track_query(step, session, client, query);
        return;
    default:
        refusal.code = RELAIS__V1__CODE__CODE_UNKNOWN_COMMAND;
        refusal.field = "query.what";
        refusal.right = "status, queues, dead, dead_letter, member_usage, track, directory";
        break;
    }
    reply_answer_error(step, session->connection, query->number, &refusal);
}
