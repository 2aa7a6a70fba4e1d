/* SPDX-License-Identifier: EUPL-1.2
 *
 * See known.h.
 */
#include "core/known.h"

#include "core/limits.h"
#include "core/quota.h"
#include "core/reply.h"
#include "core/session.h"
#include "core/submit.h"
#include "core/upload.h"

#include <stdlib.h>
#include <string.h>

bool known_may_be(Relais__V1__Code code)
{
    switch (code) {
    case RELAIS__V1__CODE__CODE_EXPIRED:
    case RELAIS__V1__CODE__CODE_UNKNOWN_FLOW:
    case RELAIS__V1__CODE__CODE_SENDER_NOT_ALLOWED:
    case RELAIS__V1__CODE__CODE_RECEIVER_NOT_ALLOWED:
    case RELAIS__V1__CODE__CODE_UNKNOWN_MEMBER:
    case RELAIS__V1__CODE__CODE_UNKNOWN_SERVICE:
    case RELAIS__V1__CODE__CODE_NO_SUBSCRIBER:
    case RELAIS__V1__CODE__CODE_TOO_LARGE:
        return true;
    default:
        return false;
    }
}

static const char *lay(char **at, const char *text)
{
    size_t size = strlen(text ? text : "") + 1;
    char *copy = memcpy(*at, text ? text : "", size);
    *at += size;
    return copy;
}

/* A copy with its texts behind it, to be freed. NULL without memory. */
static struct refusal *keep(const struct refusal *refusal)
{
    const char *const texts[] = {refusal->field, refusal->wrong, refusal->right};
    size_t bytes = sizeof(struct refusal);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bytes += strlen(texts[i] ? texts[i] : "") + 1;
    }
    struct refusal *kept = malloc(bytes);
    if (!kept) {
        return NULL;
    }
    char *at = (char *)(kept + 1);
    *kept = *refusal;
    kept->field = lay(&at, refusal->field);
    kept->wrong = lay(&at, refusal->wrong);
    kept->right = lay(&at, refusal->right);
    return kept;
}

bool known_ask(struct step *step, struct session *session, const struct known_question *question)
{
    struct core *core = step->core;
    struct refusal *kept = keep(question->refusal);
    struct ticket *ticket = NULL;
    if (!kept) {
        return false;
    }
    struct store_op *op = core_op(step, STORE_KNOWN, &ticket);
    op->known.sender = effects_text(step->effects, session->member);
    op->known.id = effects_text(step->effects, question->id);
    if (!ticket) {
        free(kept);
        return true; /* effects->failed is set */
    }
    ticket->connection = session->connection;
    ticket->number = question->number;
    ticket->consumer = question->upload;
    ticket->cost = LIMIT_KNOWN_BYTES;
    ticket->refusal = kept;
    ticket->use = session->use;
    quota_storing_begins(core, session, ticket);
    return true;
}

static void refuse(struct step *step, struct session *session, const struct ticket *ticket)
{
    struct reply_refused refused = {.step = step, .connection = session->connection};
    reply_refused_add(&refused, ticket->number, ticket->refusal);
    reply_refused_end(&refused);
    submit_note_refused(step, session, ticket->refusal);
}

void known_stored(struct step *step, const struct ticket *ticket, const struct store_result *result)
{
    struct core *core = step->core;
    struct session *session = session_find(core, ticket->connection);
    bool known = result->status == STORE_DONE;
    quota_storing_ends(core, session, ticket);
    core->totals.accepted += known ? 1 : 0;
    core->totals.duplicates += known ? 1 : 0;
    if (session && !session->over && known) {
        upload_end(session, ticket->consumer);
        session_touch(core, session);
        step->effects->failed =
            step->effects->failed || !ranges_add(&session->accepted, ticket->number);
    } else if (session && !session->over) {
        refuse(step, session, ticket);
    }
    free(ticket->refusal);
}
