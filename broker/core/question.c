/* SPDX-License-Identifier: EUPL-1.2
 *
 * See question.h.
 */
#include "core/question.h"

#include "core/limits.h"

enum { BUSY_RETRY_MS = 200 /* some reads of the disk */ };

bool question_fits(struct step *step, const struct session *session, const char *field,
                   struct refusal *out_refusal)
{
    bool of_one = session->asking >= LIMIT_ASKING_OF_ONE;
    if (step->core->draining) {
        *out_refusal = session_draining();
        return false;
    }
    if (!of_one && step->core->asking < LIMIT_ASKING) {
        return true;
    }
    *out_refusal = (struct refusal){
        .code = RELAIS__V1__CODE__CODE_BUSY,
        .field = field,
        .wrong = of_one ? "too many at once on this connection" : "too many at once",
        .right = refusal_number(step->effects, of_one ? LIMIT_ASKING_OF_ONE : LIMIT_ASKING),
        .retry_after_ms = BUSY_RETRY_MS,
    };
    return false;
}

void question_begin(struct step *step, struct session *session, struct ticket *ticket,
                    uint64_t number)
{
    ticket->connection = session->connection;
    ticket->number = number;
    session->asking++;
    step->core->asking++;
}

bool question_end(struct step *step, const struct ticket *ticket)
{
    struct session *session = session_find(step->core, ticket->connection);
    step->core->asking--;
    if (!session) {
        return false;
    }
    session->asking--;
    return !session->over;
}
