/* SPDX-License-Identifier: EUPL-1.2
 *
 * See oracle.h. What the rules say of the messages of a submit, and what of them goes to the store.
 */
#include "ahead.h"
#include "core/limits.h"
#include "oracle.h"
#include "succession.h"

#include <string.h>

enum {
    BROKEN_RULE = 0xFFFF, /* any code that does not invite to try again */
    OVERHEAD_BYTES = 512,
    SUBSCRIBER_BYTES = 96,
    SUPERSEDED_BYTES = 1024 * 1024,
};

/* Who a message is for now: what it names, or the subscribers. Gives their number. */
static uint32_t recipients(const struct oracle *oracle, const struct message *message,
                           unsigned *out_places)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < (message->to_subscribers ? TOWN_PLACES : message->named_count); i++) {
        unsigned place = message->to_subscribers ? i : message->places[i];
        if (!message->to_subscribers || town_subscribes(oracle->town, message->flow, place)) {
            out_places[count++] = place;
        }
    }
    return count;
}

static uint64_t cost_of(const struct message *message, uint32_t count)
{
    return ledger_bytes(message) + OVERHEAD_BYTES +
           (message->to_subscribers ? (uint64_t)count * SUBSCRIBER_BYTES : 0) +
           (message->supersedes ? SUPERSEDED_BYTES : 0);
}

static bool is_busy(const struct oracle *oracle, const struct oracle_session *session,
                    uint64_t cost)
{
    return session->window_messages >= LIMIT_WINDOW_MESSAGES ||
           (session->window_messages > 0 && session->window_bytes + cost > LIMIT_WINDOW_BYTES) ||
           !oracle_may_store(oracle, TOWN_PEOPLE[session->client].member, cost);
}

static unsigned member_of(const struct message *message)
{
    return TOWN_PEOPLE[message->client].member;
}

/* Has one of them that is private as much waiting as it may? */
static bool is_crammed(const struct oracle *oracle, const unsigned *places, uint32_t count)
{
    bool crammed = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct oracle_place *at = &oracle->places[places[i]];
        bool full =
            at->waiting >= LIMIT_PRIVATE_WAITING || at->waiting_bytes >= LIMIT_PRIVATE_BYTES;
        crammed = crammed || (TOWN_ADDRESSES[places[i]].owner > 0 && full);
    }
    return crammed;
}

/* What the rules say of one message: 0, a code, or BROKEN_RULE. */
static uint32_t rule(const struct oracle *oracle, const struct message *message)
{
    const struct oracle_session *session = oracle->step.session;
    uint64_t bytes_quota = oracle->town->quota.bytes;
    unsigned places[TOWN_PLACES];
    uint32_t count = recipients(oracle, message, places);
    uint64_t cost = ledger_bytes(message) + OVERHEAD_BYTES;
    if ((town_roles(oracle->town, session->client) & ROLE_MAY_SEND) == 0) {
        return RELAIS__V1__CODE__CODE_ROLE_MISSING;
    }
    if (oracle->draining) {
        return RELAIS__V1__CODE__CODE_DRAINING;
    }
    if (is_busy(oracle, session, cost)) {
        return RELAIS__V1__CODE__CODE_BUSY;
    }
    if (!oracle_may_pass(oracle, member_of(message))) {
        return RELAIS__V1__CODE__CODE_OVER_QUOTA;
    }
    bool good = (message->expires_ms == 0 || message->expires_ms > oracle->now.wall_ms) &&
                (message->supersedes ? oracle_succession_may(oracle, message) : count > 0);
    for (uint32_t i = 0; i < count; i++) {
        good = good && town_may_send(oracle->town, session->client, message->flow, places[i],
                                     message->payload_bytes);
    }
    if (!good) {
        return BROKEN_RULE;
    }
    if (bytes_quota > 0 && ledger_stored_bytes(message, count) > bytes_quota) {
        return RELAIS__V1__CODE__CODE_OVER_QUOTA;
    }
    bool busy =
        is_crammed(oracle, places, count) || is_busy(oracle, session, cost_of(message, count));
    return busy ? RELAIS__V1__CODE__CODE_BUSY : 0;
}

/* One message was looked at: what was let in, or was wrong, has used up a token. */
static void account(struct oracle *oracle, const struct message *message, uint32_t code)
{
    if (code == 0 || code == BROKEN_RULE || code == RELAIS__V1__CODE__CODE_OVER_QUOTA) {
        oracle_spend(oracle, member_of(message));
    }
}

/* The numbers of this submit up to the one that goes to the store (or the end) were refused: each
 * for what the rules say. */
void oracle_check_refused(struct oracle *oracle, size_t until)
{
    struct oracle_step *step = &oracle->step;
    for (; step->next < until; step->next++) {
        const struct oracle_number *number = &step->session->numbers[step->first + step->next];
        uint32_t wanted = rule(oracle, number->message);
        bool again = number->refused == RELAIS__V1__CODE__CODE_BUSY ||
                     number->refused == RELAIS__V1__CODE__CODE_DRAINING ||
                     number->refused == RELAIS__V1__CODE__CODE_OVER_QUOTA ||
                     number->refused == RELAIS__V1__CODE__CODE_STORE_FULL;
        PROMISE(oracle->trace,
                number->refused != 0 &&
                    (wanted == BROKEN_RULE ? !again : number->refused == wanted),
                "a message is refused for what is wrong with it",
                {"message", number->message->index}, {"code", number->refused}, {"wanted", wanted});
        account(oracle, number->message, wanted);
    }
}

static void check_recipients(const struct oracle *oracle, const struct store_op *op,
                             const struct message *message)
{
    unsigned places[TOWN_PLACES];
    uint32_t count = recipients(oracle, message, places);
    int64_t due_ms = message->not_before_ms > oracle->now.wall_ms ? message->not_before_ms : 0;
    PROMISE(oracle->trace,
            op->append.recipient_count == count && op->append.expires_ms == message->expires_ms,
            "each recipient has an entry", {"message", message->index},
            {"count", op->append.recipient_count});
    for (uint32_t i = 0; i < count; i++) {
        const struct store_recipient *to = &op->append.recipients[i];
        const struct oracle_place *place = &oracle->places[places[i]];
        PROMISE(oracle->trace,
                place->opened && place->id == to->mailbox && to->lane == message->lane &&
                    to->due_ms == due_ms,
                "an entry is for its mailbox, lane and time", {"message", message->index},
                {"mailbox", to->mailbox}, {"lane", to->lane}, {"due", (uint64_t)to->due_ms});
    }
}

/* What is handed to the store is the next of this submit with that id: those before it have been
 * refused. It is on its way now. */
static struct message *begin_storing(struct oracle *oracle, const char *id, struct op_note *note)
{
    struct oracle_step *step = &oracle->step;
    struct message *message = ledger_find(oracle->ledger, id);
    size_t at = step->next;
    while (at < step->count && (step->session->numbers[step->first + at].message != message ||
                                step->session->numbers[step->first + at].refused != 0)) {
        at++;
    }
    PROMISE(oracle->trace, message && at < step->count, "what is stored was submitted",
            {"connection", step->connection});
    oracle_check_refused(oracle, at);
    step->next = at + 1;
    step->session->numbers[step->first + at].state = NUMBER_STORING;
    *note = (struct op_note){
        .connection = step->connection, .number = step->first + at + 1, .message = message};
    return message;
}

static void count_storing(struct oracle *oracle, struct op_note *note, uint64_t cost)
{
    struct oracle_session *session = oracle->step.session;
    note->cost = cost;
    session->window_messages++;
    session->window_bytes += cost;
    oracle->storing++;
    oracle->storing_bytes += cost;
    oracle->shares[member_of(note->message)].storing++;
    oracle->shares[member_of(note->message)].storing_bytes += cost;
}

/* It would be refused, unless it was accepted before. */
void oracle_known(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    const struct message *message = begin_storing(oracle, op->known.id, note);
    PROMISE(oracle->trace,
            rule(oracle, message) == BROKEN_RULE &&
                strcmp(op->known.sender, TOWN_SLUGS[member_of(message)]) == 0,
            "what was asked about is the sender's and cannot be stored",
            {"message", message->index});
    account(oracle, message, BROKEN_RULE);
    count_storing(oracle, note, LIMIT_KNOWN_BYTES);
}

void oracle_append(struct oracle *oracle, const struct store_op *op, struct op_note *note)
{
    const struct oracle_step *step = &oracle->step;
    struct message *message = begin_storing(oracle, op->append.id, note);
    PROMISE(oracle->trace, rule(oracle, message) == 0, "what is stored keeps the rules",
            {"message", message->index}, {"rule", rule(oracle, message)});
    PROMISE(oracle->trace,
            strcmp(op->append.sender, TOWN_SLUGS[TOWN_PEOPLE[step->client].member]) == 0 &&
                op->append.message.envelope.size == message->envelope->bytes.size &&
                op->append.message.payload.size == message->payload_bytes,
            "the sender's own message is stored", {"message", message->index});
    PROMISE(oracle->trace,
            op->append.quota.messages == oracle->town->quota.messages &&
                op->append.quota.bytes == oracle->town->quota.bytes,
            "the store is told the sender's quotas", {"message", message->index});
    account(oracle, message, 0);
    check_recipients(oracle, op, message);
    oracle_order_stored(oracle, message, op->append.order);
    oracle_succession_append(oracle, message, op);
    count_storing(oracle, note, cost_of(message, op->append.recipient_count));
    oracle_succession_note(oracle, message, note);
    oracle_claims(oracle, op, note);
}
