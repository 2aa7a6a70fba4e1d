/* SPDX-License-Identifier: EUPL-1.2
 *
 * See track.h.
 */
#include "core/track.h"

#include "core/limits.h"
#include "core/mailbox.h"
#include "core/question.h"
#include "core/reply.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_OVERHEAD_BYTES = 64, /* of one packed TrackRow beside its address */
};

/* A question on its way: what was asked, and what the steps before have brought. */
struct tracking {
    char sender[NAME_SLUG_BYTES + 1];
    char id[NAME_ID_BYTES + 1];
    struct store_track_query asked; /* of the next step; without the names */
    struct store_tracked known;     /* without its rows */
    struct store_track_row rows[LIMIT_TRACK_PAGE];
};

_Static_assert((int)TRACK_WAITING == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_WAITING &&
                   (int)TRACK_DELIVERED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_DELIVERED &&
                   (int)TRACK_ACKNOWLEDGED ==
                       (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_ACKNOWLEDGED &&
                   (int)TRACK_REFUSED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_REFUSED &&
                   (int)TRACK_DEAD == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_DEAD &&
                   (int)TRACK_EXPIRED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_EXPIRED &&
                   (int)TRACK_SUPERSEDED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_SUPERSEDED &&
                   (int)TRACK_CANCELLED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_CANCELLED &&
                   (int)TRACK_DROPPED == (int)RELAIS__V1__TRACK_STATE__TRACK_STATE_DROPPED,
               "states of the store and of the wire differ");
_Static_assert((int)STORED_CODE_EXPIRED == (int)RELAIS__V1__CODE__CODE_EXPIRED &&
                   (int)STORED_CODE_REFUSED == (int)RELAIS__V1__CODE__CODE_REFUSED_BY_RECIPIENT,
               "codes of the store and of the wire differ");

static struct refusal unknown(struct step *step, const char *id)
{
    return (struct refusal){
        .code = RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE,
        .field = "query.track.id",
        .wrong = refusal_wrong(step->effects, id),
        .right = N_("the id of a message that this member has sent and the broker remembers"),
    };
}

static bool check_names(struct step *step, const Relais__V1__TrackQuery *query,
                        struct refusal *out_refusal)
{
    *out_refusal = (struct refusal){.code = RELAIS__V1__CODE__CODE_FIELD_INVALID};
    if (query->id[0] == '\0') {
        out_refusal->code = RELAIS__V1__CODE__CODE_FIELD_MISSING;
        out_refusal->field = "query.track.id";
        out_refusal->right = N_("1 to 128 printable ASCII characters without space");
        return false;
    }
    if (!name_is_id(query->id)) {
        *out_refusal = unknown(step, query->id);
        return false;
    }
    if (query->sender[0] != '\0' && !name_is_slug(query->sender)) {
        out_refusal->field = "query.track.sender";
        out_refusal->wrong = refusal_wrong(step->effects, query->sender);
        out_refusal->right = N_("a member of the directory");
        return false;
    }
    if (query->after[0] != '\0' && !mailbox_known(step->core, query->after)) {
        out_refusal->field = "query.track.after";
        out_refusal->wrong = refusal_wrong(step->effects, query->after);
        out_refusal->right = N_("the address of a row");
        return false;
    }
    return true;
}

/* Whose message is asked for; NULL: of whom this client may not know. */
static const char *sender_of(const struct directory_client *client,
                             const Relais__V1__TrackQuery *query)
{
    const char *own = directory_member_slug(client->member);
    if (query->sender[0] == '\0' || strcmp(query->sender, own) == 0) {
        return own;
    }
    return (client->roles & ROLE_MAY_OPERATE) != 0 ? query->sender : NULL;
}

/* The next step. NULL without memory: effects->failed is set. */
static struct ticket *ask_store(struct step *step, struct tracking *tracking, uint64_t number)
{
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_TRACK, &ticket);
    op->track = tracking->asked;
    op->track.sender = effects_text(step->effects, tracking->sender);
    op->track.id = effects_text(step->effects, tracking->id);
    if (ticket) {
        ticket->number = number;
        ticket->tracking = tracking;
    } else {
        free(tracking);
    }
    return ticket;
}

void track_query(struct step *step, struct session *session, const struct directory_client *client,
                 const Relais__V1__Query *query)
{
    const Relais__V1__TrackQuery *asked = query->track;
    struct refusal refusal = {0};
    const char *sender = sender_of(client, asked);
    bool good =
        check_names(step, asked, &refusal) && question_fits(step, session, "query.track", &refusal);
    if (good && !sender) {
        refusal = unknown(step, ""); /* word for word what the store's answer would bring */
    }
    if (!good || !sender) {
        reply_answer_error(step, session->connection, query->number, &refusal);
        return;
    }
    const struct mailbox *after =
        asked->after[0] != '\0' ? mailbox_known(step->core, asked->after) : NULL;
    bool full = asked->limit == 0 || asked->limit > LIMIT_TRACK_PAGE;
    struct tracking *tracking = calloc(1, sizeof *tracking);
    if (!tracking) {
        step->effects->failed = true;
        return;
    }
    memcpy(tracking->sender, sender, strnlen(sender, NAME_SLUG_BYTES));
    memcpy(tracking->id, asked->id, strnlen(asked->id, NAME_ID_BYTES));
    tracking->asked = (struct store_track_query){.after = after ? after->id : 0,
                                                 .max_rows = full ? LIMIT_TRACK_PAGE : asked->limit,
                                                 .missing = asked->missing,
                                                 .looks = LIMIT_TRACK_LOOKS};
    struct ticket *ticket = ask_store(step, tracking, query->number);
    if (ticket) {
        question_begin(step, session, ticket, query->number);
    }
}

/* What a step of the store has brought, to what is known. */
static void gather(struct tracking *tracking, const struct store_result *result)
{
    struct store_tracked *known = &tracking->known;
    const struct store_tracked *more = &result->track;
    known->sequence = more->sequence;
    known->accepted_ms = more->accepted_ms;
    known->expires_ms = more->expires_ms;
    known->deadline_ms = more->deadline_ms;
    known->flow = more->flow;
    known->more = known->more || more->more;
    for (uint32_t i = 0; i < more->count && known->count < LIMIT_TRACK_PAGE; i++) {
        tracking->rows[known->count++] = more->rows[i];
    }
    for (size_t state = 0; state < TRACK_STATES; state++) {
        known->totals[state] += more->totals[state];
    }
    tracking->asked.max_rows -= more->count;
    tracking->asked.from = more->next;
}

static bool lay_rows(struct step *step, const struct tracking *tracking,
                     Relais__V1__Track *out_track)
{
    size_t count = tracking->known.count;
    size_t bytes = 0;
    Relais__V1__TrackRow *rows = effects_alloc(step->effects, (count + 1) * sizeof *rows);
    out_track->rows = effects_alloc(step->effects, (count + 1) * sizeof(Relais__V1__TrackRow *));
    if (!rows || !out_track->rows) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_track_row *row = &tracking->rows[i];
        const struct mailbox *mailbox = mailbox_numbered(step->core, row->mailbox);
        bytes += ROW_OVERHEAD_BYTES + (mailbox ? strlen(mailbox->name) : 0);
        if (bytes > REPLY_COMMAND_BYTES) {
            out_track->more = true;
            break;
        }
        relais__v1__track_row__init(&rows[i]);
        rows[i].address = mailbox ? (char *)mailbox->name : rows[i].address;
        rows[i].state = (Relais__V1__TrackState)row->state;
        rows[i].since_ms = row->since_ms;
        rows[i].attempts = row->attempts;
        rows[i].code = row->code == STORED_CODE_DAMAGED ? RELAIS__V1__CODE__CODE_DAMAGED
                                                        : (Relais__V1__Code)row->code;
        out_track->rows[out_track->n_rows++] = &rows[i];
    }
    return true;
}

static bool lay_totals(struct step *step, const struct tracking *tracking,
                       Relais__V1__Track *out_track)
{
    Relais__V1__TrackTotal *totals = effects_alloc(step->effects, TRACK_STATES * sizeof *totals);
    out_track->totals =
        effects_alloc(step->effects, TRACK_STATES * sizeof(Relais__V1__TrackTotal *));
    if (!totals || !out_track->totals) {
        return false;
    }
    for (size_t state = 1; state < TRACK_STATES; state++) {
        if (tracking->known.totals[state] > 0) {
            relais__v1__track_total__init(&totals[state]);
            totals[state].state = (Relais__V1__TrackState)state;
            totals[state].recipients = tracking->known.totals[state];
            out_track->totals[out_track->n_totals++] = &totals[state];
        }
    }
    return true;
}

static void answer(struct step *step, const struct ticket *ticket)
{
    const struct store_tracked *known = &ticket->tracking->known;
    Relais__V1__Track track = RELAIS__V1__TRACK__INIT;
    Relais__V1__Answer reply = RELAIS__V1__ANSWER__INIT;
    const struct directory_flow *flow = directory_flow_hashed(step->core->directory, known->flow);
    track.sequence = known->sequence;
    track.accepted_ms = known->accepted_ms;
    track.expires_at_ms = known->expires_ms;
    track.deadline_ms = known->deadline_ms;
    track.flow = flow ? (char *)directory_flow_code(flow) : track.flow;
    track.more = known->more;
    if (!lay_rows(step, ticket->tracking, &track) || !lay_totals(step, ticket->tracking, &track)) {
        return;
    }
    reply.number = ticket->number;
    reply.what_case = RELAIS__V1__ANSWER__WHAT_TRACK;
    reply.track = &track;
    reply_answer(step, ticket->connection, &reply);
}

/* More is to be looked at, for somebody who is still there. */
static bool goes_on(const struct step *step, const struct ticket *ticket,
                    const struct store_result *result)
{
    const struct session *session = session_find(step->core, ticket->connection);
    return result->status == STORE_DONE && result->track.next > 0 && session && !session->over;
}

void track_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    gather(ticket->tracking, result);
    if (goes_on(step, ticket, result)) {
        struct ticket *next = ask_store(step, ticket->tracking, ticket->number);
        if (next) {
            next->connection = ticket->connection; /* its place among the questions stays taken */
        }
        return;
    }
    bool there = question_end(step, ticket);
    if (there && result->status == STORE_DONE) {
        answer(step, ticket);
    } else if (there) {
        const struct refusal refusal = unknown(step, "");
        reply_answer_error(step, ticket->connection, ticket->number, &refusal);
    }
    free(ticket->tracking);
}
