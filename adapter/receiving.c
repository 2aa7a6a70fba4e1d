/* SPDX-License-Identifier: EUPL-1.2
 *
 * See receiving.h. item.c holds what the adapter says of one item.
 */
#include "adapter/receiving.h"

#include "adapter/moment.h"
#include "program/log.h"

#include <relais/payload.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 64,         /* deliveries that share a sync of the ledger */
    REFUSED_MS = 60000, /* a mailbox that the broker does not open */
    PAUSE_MS = 5000,
    PAUSE_MS_MAX = 300000,
    FULL_DISK_MS = 2000,
    LATER_MS = 5000,
    LATER_MS_MAX = 3600000,
    JITTER_PERCENT = 20, /* so that what failed together does not come together */
};

static void come_again(int64_t *wait_ms, int64_t after_ms)
{
    after_ms = after_ms > 0 ? after_ms : 0;
    *wait_ms = after_ms < *wait_ms ? after_ms : *wait_ms;
}

/* ---- items ---- */

static void unlink_item(struct receiving *receiving, struct relais_adapter_item *item)
{
    struct relais_adapter_item **at = &receiving->items;
    while (*at && *at != item) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = item->next;
        receiving->item_count--;
    }
}

/* Deliveries that were not answered come again at once, or go back uncounted once their consumer is
 * detached. */
static void free_item(struct relais_adapter_item *item)
{
    if (item->leased != item->shown) {
        relais_delivery_free(item->leased);
    }
    relais_delivery_free(item->shown);
    free(item);
}

static void free_items(struct relais_adapter_item **items)
{
    while (*items) {
        struct relais_adapter_item *item = *items;
        *items = item->next;
        free_item(item);
    }
}

static struct relais_adapter_item *find_item(const struct receiving *receiving,
                                             const unsigned char key[KNOWN_KEY_BYTES])
{
    struct relais_adapter_item *item = receiving->items;
    while (item && memcmp(item->key, key, KNOWN_KEY_BYTES) != 0) {
        item = item->next;
    }
    return item;
}

static void plan_extension(struct relais_adapter_item *item, int64_t now_ms)
{
    uint32_t lease_ms = relais_delivery_lease_ms(item->leased);
    item->extend_ms = lease_ms > 0 ? now_ms + lease_ms / 2 : INT64_MAX;
}

/* The line was lost while the item was worked on, and the message has come again. */
static void join(struct relais_adapter_item *item, relais_delivery *delivery, int64_t now_ms)
{
    if (item->leased != item->shown) {
        relais_delivery_free(item->leased);
    }
    item->leased = delivery;
    if (item->written) {
        relais_payload_known(delivery);
    }
    plan_extension(item, now_ms);
}

static void acknowledge_known(struct receiving *receiving, relais_delivery *delivery)
{
    receiving->metrics->totals[METRIC_KNOWN]++;
    LOG(LOG_LEVEL_NOTICE, "message.known", {"id", relais_delivery_message(delivery)->id, 0});
    relais_payload_known(delivery);
    (void)relais_ack(delivery);
    relais_delivery_free(delivery);
}

static void give(struct receiving *receiving, struct place *place, relais_delivery *delivery,
                 const unsigned char key[KNOWN_KEY_BYTES], int64_t now_ms)
{
    struct relais_adapter_item *item = calloc(1, sizeof *item);
    if (!item) {
        (void)relais_nack(delivery, LATER_MS, "no memory");
        relais_delivery_free(delivery);
        return;
    }
    item->receiving = receiving;
    item->place = place;
    item->shown = delivery;
    item->leased = delivery;
    memcpy(item->key, key, KNOWN_KEY_BYTES);
    plan_extension(item, now_ms);
    if (receiving->stopped) {
        item->next = receiving->shelf;
        receiving->shelf = item;
        return;
    }
    item->next = receiving->items;
    receiving->items = item;
    receiving->item_count++;
    receiving->metrics->totals[METRIC_DELIVERED]++;
    receiving->kind->deliver(receiving->context, item);
}

static void arrive(struct receiving *receiving, struct place *place, relais_delivery *delivery,
                   int64_t now_ms)
{
    unsigned char key[KNOWN_KEY_BYTES];
    const relais_message *message = relais_delivery_message(delivery);
    const char *const texts[] = {"mailbox", place->address, relais_delivery_sender(delivery),
                                 message->source, message->id};
    known_key(texts, sizeof texts / sizeof texts[0], key);
    struct relais_adapter_item *item = find_item(receiving, key);
    if (item) {
        join(item, delivery, now_ms);
    } else if (known_has(receiving->state, key)) {
        acknowledge_known(receiving, delivery);
    } else {
        give(receiving, place, delivery, key, now_ms);
    }
}

/* ---- mailboxes ---- */

static void leave(struct place *place, int64_t retry_ms)
{
    relais_detach(place->consumer);
    place->consumer = NULL;
    place->retry_ms = retry_ms;
}

static bool is_about_the_line(relais_status status)
{
    return status == RELAIS_TIMED_OUT || status == RELAIS_INTERRUPTED ||
           status == RELAIS_UNREACHABLE || status == RELAIS_KEY_REFUSED ||
           status == RELAIS_KEY_REVOKED || status == RELAIS_VERSION_UNSUPPORTED ||
           status == RELAIS_MALFORMED || status == RELAIS_NO_MEMORY;
}

static void refused(struct place *place, relais_status status, int64_t now_ms)
{
    if (!place->refused) {
        LOG(LOG_LEVEL_ERROR, "mailbox.refused", {"mailbox", place->address, 0},
            {"reason", relais_status_name(status), 0}, {"retry_ms", NULL, REFUSED_MS});
    }
    place->refused = true;
    leave(place, now_ms + REFUSED_MS);
}

static void take_from(struct receiving *receiving, struct place *place, int64_t now_ms,
                      int64_t *wait_ms)
{
    relais_error error = {.status = RELAIS_OK};
    for (int i = 0; i < BATCH && !receiving->paused; i++) {
        relais_delivery *delivery = NULL;
        relais_status status = relais_receive(place->consumer, 0, &delivery, &error);
        if (status != RELAIS_OK) {
            if (!is_about_the_line(status)) {
                refused(place, status, now_ms);
            }
            return;
        }
        place->refused = false;
        arrive(receiving, place, delivery, now_ms);
        come_again(wait_ms, 0); /* the adapter is asked again when to be polled */
    }
}

/* True: open. */
static bool make_open(struct receiving *receiving, struct place *place, int64_t now_ms)
{
    relais_error error = {.status = RELAIS_OK};
    if (place->consumer) {
        return true;
    }
    if (now_ms < place->retry_ms) {
        return false;
    }
    if (relais_attach(receiving->client, place->address, receiving->credit, &place->consumer,
                      &error) != RELAIS_OK) {
        place->consumer = NULL;
        refused(place, error.status, now_ms);
        return false;
    }
    return true;
}

/* ---- the software is away ---- */

static void pause(struct receiving *receiving, const char *reason, int64_t now_ms)
{
    int64_t pause_ms = receiving->pause_ms > 0 ? receiving->pause_ms : PAUSE_MS;
    if (!receiving->paused) {
        LOG(LOG_LEVEL_WARNING, "software.unavailable", {"reason", reason, 0},
            {"retry_ms", NULL, pause_ms});
        receiving->metrics->totals[METRIC_UNAVAILABLE]++;
    }
    receiving->paused = true;
    receiving->pause_until_ms = now_ms + pause_ms;
    receiving->pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
    for (size_t i = 0; i < receiving->place_count; i++) {
        leave(&receiving->places[i], receiving->pause_until_ms);
    }
}

/* True: messages may be taken. */
static bool resume(struct receiving *receiving, int64_t now_ms, int64_t *wait_ms)
{
    if (!receiving->paused) {
        return true;
    }
    if (now_ms >= receiving->pause_until_ms) {
        if (!receiving->kind->ready || receiving->kind->ready(receiving->context)) {
            receiving->paused = false;
            LOG(LOG_LEVEL_NOTICE, "software.tried-again",
                {"mailboxes", NULL, (int64_t)receiving->place_count});
            return true;
        }
        pause(receiving, "not ready", now_ms);
    }
    come_again(wait_ms, receiving->pause_until_ms - now_ms);
    return false;
}

void receiving_take(struct receiving *receiving, int64_t now_ms, int64_t *out_wait_ms)
{
    if (receiving->place_count == 0 || !resume(receiving, now_ms, out_wait_ms)) {
        return;
    }
    for (size_t i = 0; i < receiving->place_count; i++) {
        struct place *place = &receiving->places[i];
        if (receiving->stopped && !place->consumer) {
            continue;
        }
        if (make_open(receiving, place, now_ms)) {
            take_from(receiving, place, now_ms, out_wait_ms);
        }
        if (!place->consumer) {
            come_again(out_wait_ms, place->retry_ms - now_ms);
        }
    }
}

/* ---- answers ---- */

static uint32_t back_off_ms(uint32_t attempt)
{
    uint32_t delay_ms = LATER_MS;
    for (uint32_t i = 1; i < attempt && delay_ms < LATER_MS_MAX; i++) {
        delay_ms *= 2;
    }
    delay_ms = delay_ms < LATER_MS_MAX ? delay_ms : LATER_MS_MAX;
    return delay_ms - randombytes_uniform(delay_ms * JITTER_PERCENT / 100 + 1);
}

static relais_status record(struct receiving *receiving, relais_error *error)
{
    size_t count = 0;
    int64_t unix_ms = moment_unix_ms();
    for (struct relais_adapter_item *item = receiving->items; item; item = item->next) {
        count += item->answer == ITEM_DONE ? 1 : 0;
    }
    if (count == 0) {
        return RELAIS_OK;
    }
    relais_status status = state_begin(receiving->state, error);
    for (struct relais_adapter_item *item = receiving->items; status == RELAIS_OK && item;
         item = item->next) {
        if (item->answer == ITEM_DONE) {
            status = known_add(receiving->state, item->key, unix_ms, error);
        }
    }
    if (status == RELAIS_OK) {
        return state_commit(receiving->state, error);
    }
    state_abort(receiving->state);
    return status;
}

/* A lost lease brings the message again: then it is known, or tried again. */
static void say(struct receiving *receiving, struct relais_adapter_item *item)
{
    uint64_t *totals = receiving->metrics->totals;
    switch (item->answer) {
    case ITEM_DONE:
        totals[METRIC_DONE]++;
        receiving->pause_ms = PAUSE_MS;
        (void)relais_ack(item->leased);
        break;
    case ITEM_LATER:
        totals[METRIC_LATER]++;
        (void)relais_nack(item->leased,
                          item->delay_ms > 0 ? item->delay_ms
                                             : back_off_ms(relais_delivery_attempt(item->leased)),
                          item->reason[0] != '\0' ? item->reason : NULL);
        break;
    case ITEM_REFUSE:
        totals[METRIC_REFUSED]++;
        (void)relais_refuse(item->leased, item->reason[0] != '\0' ? item->reason : NULL);
        break;
    default: /* goes back with its mailbox */
        break;
    }
}

static void answer_all(struct receiving *receiving, int64_t now_ms)
{
    struct relais_adapter_item *away = NULL;
    for (struct relais_adapter_item *item = receiving->items, *next; item; item = next) {
        next = item->next;
        if (item->answer == ITEM_WORKING) {
            continue;
        }
        unlink_item(receiving, item);
        say(receiving, item);
        if (item->answer == ITEM_UNAVAILABLE) {
            item->next = away;
            away = item;
        } else if (item->answer == ITEM_BACK) {
            item->next = receiving->shelf;
            receiving->shelf = item;
        } else {
            free_item(item);
        }
    }
    if (away) {
        pause(receiving, away->reason, now_ms);
    }
    free_items(&away); /* after the mailboxes were left: uncounted */
    receiving->answered = 0;
}

static void keep_leases(struct receiving *receiving, int64_t now_ms, int64_t *wait_ms)
{
    for (struct relais_adapter_item *item = receiving->items; item; item = item->next) {
        if (now_ms >= item->extend_ms) {
            uint32_t lease_ms = relais_delivery_lease_ms(item->leased);
            relais_status status = relais_extend(item->leased, lease_ms);
            item->extend_ms = now_ms + lease_ms / 2;
            if (status == RELAIS_UNREACHABLE) {
                item->extend_ms = now_ms + lease_ms / 8;
            } else if (status != RELAIS_OK) {
                item->extend_ms = INT64_MAX; /* it comes again, and is joined */
            }
        }
        if (item->extend_ms != INT64_MAX) {
            come_again(wait_ms, item->extend_ms - now_ms);
        }
    }
}

relais_status receiving_settle(struct receiving *receiving, int64_t now_ms, int64_t *out_wait_ms,
                               relais_error *error)
{
    relais_error trouble = {.status = RELAIS_OK};
    keep_leases(receiving, now_ms, out_wait_ms);
    if (receiving->answered == 0) {
        return RELAIS_OK;
    }
    if (now_ms < receiving->retry_ms) {
        come_again(out_wait_ms, receiving->retry_ms - now_ms);
        return RELAIS_OK;
    }
    relais_status status = record(receiving, &trouble);
    if (status == RELAIS_STORE_FULL || status == RELAIS_NO_MEMORY) {
        /* the answers wait, and so does the adapter once it has its credit's worth of items */
        LOG(LOG_LEVEL_WARNING, "ledger.not-recorded", {"reason", relais_status_name(status), 0},
            {"retry_ms", NULL, FULL_DISK_MS});
        receiving->retry_ms = now_ms + FULL_DISK_MS;
        come_again(out_wait_ms, FULL_DISK_MS);
        return RELAIS_OK;
    }
    if (status != RELAIS_OK) {
        *error = trouble;
        return status;
    }
    answer_all(receiving, now_ms);
    come_again(out_wait_ms, 0);
    return RELAIS_OK;
}

void receiving_stop(struct receiving *receiving)
{
    receiving->stopped = true;
}

size_t receiving_unsettled(const struct receiving *receiving)
{
    size_t count = 0;
    for (size_t i = 0; i < receiving->place_count; i++) {
        count +=
            receiving->places[i].consumer ? relais_unsettled(receiving->places[i].consumer) : 0;
    }
    return count;
}

void receiving_close(struct receiving *receiving)
{
    for (size_t i = 0; i < receiving->place_count; i++) {
        leave(&receiving->places[i], 0);
    }
    free_items(&receiving->items);
    free_items(&receiving->shelf);
    receiving->item_count = 0;
}
