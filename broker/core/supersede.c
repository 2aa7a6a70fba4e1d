/* SPDX-License-Identifier: EUPL-1.2
 *
 * See supersede.h.
 */
#include "core/supersede.h"

#include "core/mailbox.h"
#include "core/reply.h"

void supersede_stored(struct step *step, const struct ticket *ticket,
                      const struct store_result *result)
{
    for (uint32_t i = 0; i < result->append.replaced_count; i++) {
        const struct store_replaced *replaced = &result->append.replaced[i];
        struct mailbox *mailbox = mailbox_numbered(step->core, replaced->mailbox);
        if (!mailbox) {
            continue;
        }
        if (replaced->gone) {
            mailbox_count_gone(step->core, mailbox, replaced->bytes);
        }
        if (replaced->turn.passed) {
            mailbox_expect(step, mailbox, replaced->turn.due_ms);
        }
        if (replaced->added) {
            mailbox_count_append(step->core, mailbox, ticket->bytes + ticket->stored_bytes);
            mailbox_expect(step, mailbox, ticket->due_ms);
        }
    }
}

void supersede_refuse(struct step *step, const struct session *session, uint64_t number)
{
    struct reply_refused refused = {.step = step, .connection = session->connection};
    const struct refusal refusal = {
        .code = RELAIS__V1__CODE__CODE_UNKNOWN_MESSAGE,
        .field = "submit.parts.envelope.supersedes",
        .wrong = "not known",
        .right = N_("the id of a message of the same member and flow that the broker remembers")};
    reply_refused_add(&refused, number, &refusal);
    reply_refused_end(&refused);
}
