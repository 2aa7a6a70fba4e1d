/* SPDX-License-Identifier: EUPL-1.2
 *
 * See track.h.
 */
#include "core/track.h"

#include "core/limits.h"
#include "core/mailbox.h"
#include "core/question.h"
#include "core/reply.h"

#include <string.h>

enum {
    ROW_OVERHEAD_BYTES = 64, /* of one packed TrackRow beside its address */
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
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_TRACK, &ticket);
    op->track.sender = effects_text(step->effects, sender);
    op->track.id = effects_text(step->effects, asked->id);
    op->track.after = after ? after->id : 0;
    op->track.max_rows = full ? LIMIT_TRACK_PAGE : asked->limit;
    op->track.missing = asked->missing;
    if (ticket) {
        question_begin(step, session, ticket, query->number);
    }
}

static bool lay_rows(struct step *step, const struct store_result *result,
                     Relais__V1__Track *out_track)
{
    size_t count = result->track.count;
    size_t bytes = 0;
    Relais__V1__TrackRow *rows = effects_alloc(step->effects, (count + 1) * sizeof *rows);
    out_track->rows = effects_alloc(step->effects, (count + 1) * sizeof(Relais__V1__TrackRow *));
    if (!rows || !out_track->rows) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_track_row *row = &result->track.rows[i];
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

static bool lay_totals(struct step *step, const struct store_result *result,
                       Relais__V1__Track *out_track)
{
    Relais__V1__TrackTotal *totals = effects_alloc(step->effects, TRACK_STATES * sizeof *totals);
    out_track->totals =
        effects_alloc(step->effects, TRACK_STATES * sizeof(Relais__V1__TrackTotal *));
    if (!totals || !out_track->totals) {
        return false;
    }
    for (size_t state = 1; state < TRACK_STATES; state++) {
        if (result->track.totals[state] > 0) {
            relais__v1__track_total__init(&totals[state]);
            totals[state].state = (Relais__V1__TrackState)state;
            totals[state].recipients = result->track.totals[state];
            out_track->totals[out_track->n_totals++] = &totals[state];
        }
    }
    return true;
}

static void answer(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    Relais__V1__Track track = RELAIS__V1__TRACK__INIT;
    Relais__V1__Answer reply = RELAIS__V1__ANSWER__INIT;
    const struct directory_flow *flow =
        directory_flow_hashed(step->core->directory, result->track.flow);
    track.sequence = result->track.sequence;
    track.accepted_ms = result->track.accepted_ms;
    track.expires_at_ms = result->track.expires_ms;
    track.deadline_ms = result->track.deadline_ms;
    track.flow = flow ? (char *)directory_flow_code(flow) : track.flow;
    track.more = result->track.more;
    if (!lay_rows(step, result, &track) || !lay_totals(step, result, &track)) {
        return;
    }
    reply.number = ticket->number;
    reply.what_case = RELAIS__V1__ANSWER__WHAT_TRACK;
    reply.track = &track;
    reply_answer(step, ticket->connection, &reply);
}

void track_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    if (!question_end(step, ticket)) {
        return;
    }
    if (result->status == STORE_DONE) {
        answer(step, ticket, result);
        return;
    }
    const struct refusal refusal = unknown(step, "");
    reply_answer_error(step, ticket->connection, ticket->number, &refusal);
}
