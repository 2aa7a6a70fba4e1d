/* SPDX-License-Identifier: EUPL-1.2
 *
 * Appends in the memory engine. See memory_store.h.
 */
#include "store/claims.h"
#include "store/memory_order.h"
#include "store/memory_store.h"

#include <stdlib.h>
#include <string.h>

enum { COST_APPEND_BYTES = 512 };

static uint64_t cost_of(const struct held_message *message)
{
    return message->envelope.size + message->payload.size + COST_APPEND_BYTES;
}

uint64_t memory_cost_of(const struct memory_message *message)
{
    return cost_of(&message->held) + (message->content != NULL ? message->content->bytes : 0);
}

static enum store_status admit(const struct memory_store *store, const struct store_op *op)
{
    for (uint32_t i = 0; i < op->append.recipient_count; i++) {
        const struct store_recipient *recipient = &op->append.recipients[i];
        if (memory_find_mailbox(store, recipient->mailbox) == NULL ||
            recipient->lane >= LANE_COUNT) {
            return STORE_NOT_FOUND;
        }
    }
    uint64_t limit = store->settings.map_bytes / 100 * MEMORY_APPEND_PERCENT;
    return store->used_bytes + cost_of(&op->append.message) <= limit ? STORE_DONE : STORE_NO_ROOM;
}

/* Takes the message's references over. */
static bool add_entries(struct memory_store *store, struct store_op *op, uint64_t sequence,
                        struct memory_content *content)
{
    struct memory_message *message = calloc(1, sizeof *message);
    if (message == NULL) {
        memory_content_free(content);
        return false;
    }
    struct held_message *held = &op->append.message;
    *message = (struct memory_message){.bytes = held->envelope.size + held->payload.size +
                                                op->append.stored_bytes,
                                       .content = content,
                                       .accepted_ms = op->now_ms,
                                       .expires_ms = op->append.expires_ms,
                                       .look_ms = op->append.expires_ms,
                                       .sender = sender_find(&store->senders, op->append.sender),
                                       .held = *held};
    sender_count_in(message->sender,
                    message->bytes + (uint64_t)op->append.recipient_count * STORED_RECIPIENT_BYTES);
    memset(held, 0, sizeof *held);
    bool added = true;
    for (uint32_t i = 0; added && i < op->append.recipient_count; i++) {
        const struct store_recipient *recipient = &op->append.recipients[i];
        struct memory_entry entry = {
            .key = {.mailbox = recipient->mailbox,
                    .lane = recipient->lane,
                    .due_ms = recipient->due_ms > 0 ? recipient->due_ms : 0,
                    .sequence = sequence},
            .order = op->append.order,
            .message = message};
        added = memory_order_add(memory_find_mailbox(store, recipient->mailbox), &entry);
        message->entries += added ? 1 : 0;
    }
    if (message->entries == 0) {
        (void)memory_message_unref(message);
    }
    return added;
}

/* `earlier` NULL: it supersedes nothing. False without memory. */
static bool admit_and_add(struct memory_store *store, struct store_op *op,
                          const struct memory_earlier *earlier, struct store_result *result)
{
    struct sender *sender = sender_add(&store->senders, op->append.sender);
    if (sender == NULL) {
        return false;
    }
    sender->begun = memory_contents_begun(&store->contents, op->append.sender);
    if (sender_is_over(sender, &op->append.quota,
                       cost_of(&op->append.message) - COST_APPEND_BYTES + op->append.stored_bytes +
                           (uint64_t)op->append.recipient_count * STORED_RECIPIENT_BYTES,
                       op->append.stored_bytes)) {
        result->status = STORE_OVER_QUOTA;
        result->append.usage = sender_usage(sender);
        result->append.quota = op->append.quota;
        return true;
    }
    result->status = admit(store, op);
    if (result->status != STORE_DONE) {
        return true;
    }
    struct memory_content *content = NULL;
    if (op->append.stored_bytes > 0) {
        content = memory_contents_claim(&store->contents, op->append.sender, op->append.id,
                                        op->append.stored_bytes);
        if (content == NULL) {
            result->status = STORE_NOT_FOUND;
            return true;
        }
    }
    if (earlier != NULL && !memory_supersede_replace(store, op, earlier, result)) {
        return false;
    }
    uint64_t sequence = store->next_sequence++;
    result->append.sequence = sequence;
    if (op->append.recipient_count == 0) {
        store->used_bytes -= content != NULL ? content->durable_bytes : 0;
        memory_content_free(content);
    } else {
        store->used_bytes += cost_of(&op->append.message);
        if (!add_entries(store, op, sequence, content)) {
            return false;
        }
        if (claims_asked(op)) {
            memory_mailbox_claim(memory_find_mailbox(store, op->append.recipients[0].mailbox), op,
                                 result);
        }
    }
    const struct duplicate_node values = {
        .accepted_ms = op->now_ms,
        .age_ms = op->now_ms,
        .expires_ms = op->append.expires_ms,
        .deadline_ms = op->append.deadline != NULL ? op->append.deadline->deadline_ms : 0,
        .flow = op->append.flow,
        .sequence = sequence};
    return memory_tracks_begin(&store->tracks, op, sequence) &&
           memory_deadlines_begin(&store->deadlines, op, sequence) &&
           memory_duplicates_add(&store->duplicates, op->append.sender, op->append.id, &values);
}

/* `reminded` holds the recipients that the step finds. False without memory. */
static bool pass_step(struct memory_store *store, struct store_op *op, uint32_t after,
                      struct reminded *reminded, struct store_result *result)
{
    const struct deadline_pass *pass = &op->append.pass;
    struct store_op own = *op;
    if (reminded != NULL) {
        memory_tracks_remind(&store->tracks, pass->sequence, after, reminded);
        own.append.recipients = reminded->recipients;
        own.append.recipient_count = reminded->count;
    }
    if (own.append.recipient_count == 0) {
        return true;
    }
    result->append.duplicate = memory_is_duplicate(store, op->append.sender, op->append.id,
                                                   op->now_ms, &result->append.sequence);
    if (result->append.duplicate) {
        return true;
    }
    bool kept = admit_and_add(store, &own, NULL, result);
    op->append.message = own.append.message; /* what was not taken over */
    bool tells = kept && reminded != NULL && result->status == STORE_DONE;
    return kept && (!tells || reminded_tell(reminded, result));
}

bool memory_pass(struct memory_store *store, struct store_op *op, struct store_result *result)
{
    const struct deadline_pass *pass = &op->append.pass;
    struct memory_deadline *found =
        memory_deadlines_find(&store->deadlines, pass->at_ms, pass->sequence);
    struct reminded reminded = {0};
    if (found == NULL || pass->step < found->deadline.step) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    if (!reminded_init(&reminded, op)) {
        return false;
    }
    bool reminds = pass->step < found->deadline.remind_count;
    uint32_t after = stored_deadline_after(&found->deadline, pass->step);
    bool kept = pass_step(store, op, after, reminds ? &reminded : NULL, result);
    if (kept && result->status == STORE_DONE) {
        struct stored_deadline deadline = found->deadline;
        bool stays = reminded_pass(&reminded, &deadline, pass->step);
        memory_deadlines_remove(&store->deadlines, found);
        kept = !stays || memory_deadlines_add(&store->deadlines, pass->sequence, &deadline);
    }
    reminded_fini(&reminded);
    return kept;
}

bool memory_append(struct memory_store *store, struct store_op *op, struct store_result *result)
{
    struct memory_earlier earlier = {0};
    result->append.duplicate = memory_is_duplicate(store, op->append.sender, op->append.id,
                                                   op->now_ms, &result->append.sequence);
    if (result->append.duplicate) {
        return true;
    }
    if (op->append.supersedes == NULL) {
        return admit_and_add(store, op, NULL, result);
    }
    struct store_op wide = *op;
    bool kept = memory_supersede_begin(store, &wide, &earlier);
    if (kept && earlier.found) {
        kept = admit_and_add(store, &wide, &earlier, result);
        op->append.message = wide.append.message; /* what was not taken over */
    } else if (kept) {
        result->status = STORE_UNKNOWN_EARLIER;
    }
    memory_supersede_end(&earlier);
    return kept;
}
