/* SPDX-License-Identifier: EUPL-1.2
 *
 * See handover.h.
 */
#include "core/handover.h"

#include "core/ahead.h"
#include "core/limits.h"
#include "core/mailbox.h"

enum {
    /* Smaller pieces are copied into the frame they leave in (net/outgoing.h); larger ones keep the
     * frame they came in until they have left. */
    BORROWED_BYTES = 16 * 1024,
    FRAME_SHARE = 2, /* then it must be half of that frame, or a crowd of small ones keeps much */
};

uint64_t handover_room(const struct mailbox *mailbox)
{
    uint64_t ours = mailbox->claims + mailbox->ahead_count;
    uint64_t held = mailbox->leased + ours;
    uint64_t room = held < LIMIT_HELD_ENTRIES ? LIMIT_HELD_ENTRIES - held : 0;
    uint64_t most = mailbox->credit;
    most += mailbox->ahead_bytes < LIMIT_AHEAD_BYTES ? ahead_most(mailbox) : 0;
    uint64_t wanted = most > ours ? most - ours : 0;
    return wanted < room ? wanted : room;
}

static bool keeps_little(struct bytes piece, const struct buffer *frame)
{
    return piece.size < BORROWED_BYTES || frame->bytes.size <= FRAME_SHARE * piece.size;
}

static bool may_claim(const struct mailbox *mailbox, const struct ticket *ticket,
                      const struct store_op *op)
{
    const struct held_message *message = &op->append.message;
    return op->append.order == 0 && op->append.stored_bytes == 0 && !op->append.supersedes &&
           ticket->due_ms == 0 && !mailbox->more && !mailbox->taking && mailbox->unclaimed == 0 &&
           handover_room(mailbox) > 0 &&
           mailbox->claim_bytes + ticket->bytes <= LIMIT_UNACKED_BYTES &&
           keeps_little(message->envelope, message->envelope_buffer) &&
           keeps_little(message->payload, message->payload_buffer);
}

void handover_ask(const struct step *step, struct ticket *ticket, struct store_op *op)
{
    struct mailbox *mailbox = ticket->mailbox;
    if (ticket->mailbox_count != 1 || !mailbox) {
        return;
    }
    ticket->claimed = may_claim(mailbox, ticket, op);
    op->append.claim = ticket->claimed;
    if (ticket->claimed) {
        ticket->accepted_ms = step->now.wall_ms;
        ticket->expires_ms = op->append.expires_ms;
        ticket->key =
            (struct entry_key){.mailbox = mailbox->id, .lane = op->append.recipients[0].lane};
        mailbox->claims++;
        mailbox->claim_bytes += ticket->bytes;
    } else {
        mailbox->unclaimed++;
    }
}

void handover_end(struct step *step, const struct ticket *ticket)
{
    struct mailbox *mailbox = ticket->mailbox;
    if (ticket->mailbox_count != 1 || !mailbox) {
        return;
    }
    if (!ticket->claimed) {
        mailbox->unclaimed--;
        return;
    }
    mailbox->claims--;
    mailbox->claim_bytes -= ticket->bytes;
    if (mailbox->turn && mailbox->more) {
        mailbox_touch(step->core, mailbox); /* its credit is free again */
    }
}

void handover_give(struct step *step, const struct ticket *ticket, struct store_result *result)
{
    struct mailbox *mailbox = ticket->mailbox;
    struct store_entry entry = {.key = ticket->key,
                                .accepted_ms = ticket->accepted_ms,
                                .expires_ms = ticket->expires_ms,
                                .message = result->append.message};
    entry.key.sequence = result->append.sequence;
    result->append.message = (struct held_message){0};
    if (mailbox->more) {
        mailbox_put_back(step, mailbox, &entry.key);
        held_message_drop(&entry.message);
    } else {
        mailbox_hand_on(step, mailbox, &entry);
    }
}
