/* SPDX-License-Identifier: EUPL-1.2
 *
 * See lease.h.
 */
#include "core/lease.h"

#include "core/consumer.h"
#include "core/deadline.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "wire/envelope_field.h"

#include <stdlib.h>

enum {
    BACKOFF_MOST_MS = 3600 * 1000,
    BACKOFF_DOUBLINGS = 22, /* a millisecond doubled so often is beyond the most */
    JITTER_PERCENT = 20,    /* either way: those that failed together do not come together */
};

static bool same_delivery(const void *item, const void *key)
{
    return ((const struct delivery *)item)->tag == *(const uint64_t *)key;
}

struct delivery *lease_find(const struct consumer *consumer, uint64_t tag)
{
    return table_find(&consumer->deliveries, table_hash_number(tag), same_delivery, &tag);
}

static void append_to_consumer(struct consumer *consumer, struct delivery *delivery)
{
    delivery->older = consumer->newest;
    if (consumer->newest) {
        consumer->newest->newer = delivery;
    } else {
        consumer->oldest = delivery;
    }
    consumer->newest = delivery;
    if (!consumer->unsent) {
        consumer->unsent = delivery;
    }
}

/* What the flow of a message says about its deliveries, or what the broker says of all. */
static void lay_rules(const struct core *core, const struct store_entry *entry,
                      struct delivery *delivery)
{
    char code[NAME_FLOW_BYTES + 1];
    const struct directory_flow *flow =
        envelope_find_text(entry->message.envelope, ENVELOPE_FIELD_FLOW, code, sizeof code)
            ? directory_flow(core->directory, code)
            : NULL;
    struct flow_delivery own = flow ? directory_flow_delivery(flow) : (struct flow_delivery){0};
    delivery->attempts_most = own.attempts > 0 ? own.attempts : core->settings.attempts;
    delivery->lease_ms = own.lease_ms > 0 ? own.lease_ms : core->settings.lease_ms;
}

bool lease_grant(struct step *step, struct consumer *consumer, struct store_entry *entry)
{
    struct core *core = step->core;
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (!delivery) {
        return false;
    }
    delivery->consumer = consumer;
    delivery->key = entry->key;
    delivery->attempts = entry->attempts;
    delivery->bytes = entry_bytes(entry);
    lay_rules(core, entry, delivery);
    delivery->leased_ms = step->now.mono_ms;
    delivery->deadline_ms = step->now.mono_ms + delivery->lease_ms;
    delivery->serial = ++core->next_serial;
    if (!deadline_add(core, delivery)) {
        free(delivery);
        return false;
    }
    delivery->content = entry->content;
    delivery->stored_bytes = entry->stored_bytes;
    delivery->accepted_ms = entry->accepted_ms;
    delivery->message = entry->message;
    entry->message = (struct held_message){0};
    append_to_consumer(consumer, delivery);
    consumer->held++;
    consumer->held_bytes += delivery->bytes - delivery->stored_bytes;
    consumer->mailbox->leased++;
    core->totals.leased++;
    return true;
}

void lease_sent(struct step *step, struct delivery *delivery)
{
    struct consumer *consumer = delivery->consumer;
    delivery->tag = consumer->next_tag++;
    delivery->sent = true;
    if (!table_add(&consumer->deliveries, table_hash_number(delivery->tag), delivery)) {
        step->effects->failed = true;
    }
    if (step->core->settings.trace) {
        struct effect *effect = note(step->effects, NOTE_DEBUG, "message.delivered");
        note_text(step->effects, effect, "mailbox", consumer->mailbox->name);
        note_number(effect, "sequence", delivery->key.sequence);
        note_number(effect, "attempt", (uint64_t)delivery->attempts + 1);
        note_number(effect, "connection", consumer->session->connection);
    }
}

struct entry_ref lease_entry(const struct delivery *delivery)
{
    return (struct entry_ref){.mailbox = delivery->consumer->mailbox,
                              .key = delivery->key,
                              .attempts = delivery->attempts + 1,
                              .attempts_most = delivery->attempts_most,
                              .bytes = delivery->bytes,
                              .holder = delivery->consumer};
}

static void unlink_delivery(struct core *core, struct delivery *delivery)
{
    struct consumer *consumer = delivery->consumer;
    *(delivery->older ? &delivery->older->newer : &consumer->oldest) = delivery->newer;
    *(delivery->newer ? &delivery->newer->older : &consumer->newest) = delivery->older;
    if (consumer->unsent == delivery) {
        consumer->unsent = delivery->newer;
    }
    deadline_remove(core, delivery);
    if (delivery->sent) {
        table_remove(&consumer->deliveries, table_hash_number(delivery->tag), delivery);
    }
}

void lease_end(struct step *step, struct delivery *delivery)
{
    struct consumer *consumer = delivery->consumer;
    unlink_delivery(step->core, delivery);
    consumer->credit += delivery->sent ? 0 : 1; /* never used */
    consumer->held--;
    consumer->held_bytes -= delivery->bytes - delivery->stored_bytes;
    consumer->mailbox->leased--;
    step->core->totals.leased--;
    held_message_drop(&delivery->message);
    free(delivery);
    consumer_refresh(step->core, consumer);
}

/* retry_ms, doubled for each attempt before this one. */
static int64_t backoff_ms(struct core *core, uint32_t attempts)
{
    uint32_t doublings = attempts < BACKOFF_DOUBLINGS ? attempts : BACKOFF_DOUBLINGS;
    uint64_t delay = (uint64_t)core->settings.retry_ms << doublings;
    if (delay > BACKOFF_MOST_MS) {
        delay = BACKOFF_MOST_MS;
    }
    uint64_t spread = delay * JITTER_PERCENT / 100;
    return (int64_t)(delay - spread + core_random(core) % (2 * spread + 1));
}

void lease_return(struct step *step, struct delivery *delivery)
{
    struct entry_ref ref = lease_entry(delivery);
    mailbox_put_back(step, ref.mailbox, &ref.key);
    lease_end(step, delivery);
}

void lease_pause(struct step *step, struct delivery *delivery)
{
    struct entry_ref ref = lease_entry(delivery);
    ref.attempts = delivery->attempts;
    entry_defer(step, &ref, step->now.wall_ms + backoff_ms(step->core, 0));
    lease_end(step, delivery);
}

/* It was sent behind others that are being answered: on a slow line it may not have arrived. */
static bool is_on_its_way(const struct delivery *delivery)
{
    const struct consumer *consumer = delivery->consumer;
    return delivery->sent && !delivery->extended && consumer->answered_tag < delivery->tag &&
           consumer->answered_ms > delivery->leased_ms;
}

void lease_renew(struct step *step, struct delivery *delivery)
{
    int64_t deadline_ms = step->now.mono_ms + delivery->lease_ms;
    delivery->leased_ms = step->now.mono_ms;
    if (deadline_ms > delivery->deadline_ms) { /* it may have been extended for longer */
        delivery->deadline_ms = deadline_ms;
        deadline_move(step->core, delivery);
    }
}

void lease_extend(struct step *step, struct delivery *delivery, uint32_t by_ms)
{
    delivery->extended = true;
    delivery->deadline_ms = step->now.mono_ms + by_ms;
    deadline_move(step->core, delivery);
}

static void run_out(struct step *step, struct delivery *delivery)
{
    struct entry_ref ref = lease_entry(delivery);
    if (delivery->sent) {
        int64_t delay = backoff_ms(step->core, delivery->attempts);
        ref.ending = ENDING_LEASE;
        entry_try_again(step, &ref, step->now.wall_ms + delay, "lease");
    } else {
        mailbox_put_back(step, ref.mailbox, &ref.key);
    }
    lease_end(step, delivery);
}

void lease_time(struct step *step)
{
    struct delivery *first = NULL;
    while ((first = deadline_first(step->core)) && first->deadline_ms <= step->now.mono_ms) {
        if (is_on_its_way(first)) {
            lease_renew(step, first);
        } else {
            run_out(step, first);
        }
    }
}

int64_t lease_first_ms(const struct core *core)
{
    const struct delivery *first = deadline_first(core);
    return first ? first->deadline_ms : 0;
}
