/* SPDX-License-Identifier: EUPL-1.2
 *
 * See sending.h.
 */
#include "adapter/sending.h"

#include "adapter/moment.h"
#include "program/error.h"
#include "program/log.h"

#include <poll.h>
#include <relais/payload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL_DISK_MS = 2000,
    AGAIN_MS = 2000, /* after a large payload was broken off, for instance */
};

static void come_again(int64_t *wait_ms, int64_t after_ms)
{
    after_ms = after_ms > 0 ? after_ms : 0;
    *wait_ms = after_ms < *wait_ms ? after_ms : *wait_ms;
}

size_t sending_unanswered(const struct sending *sending)
{
    return sending->used;
}

/* ---- answers ---- */

static void on_outcome(void *context, const relais_outcome *outcome)
{
    struct sending_slot *slot = context;
    slot->answered = true;
    slot->error = outcome->error;
}

static bool is_ours_to_mend(relais_status status)
{
    return status == RELAIS_ROLE_MISSING || status == RELAIS_KEY_REVOKED ||
           status == RELAIS_KEY_REFUSED || status == RELAIS_VERSION_UNSUPPORTED;
}

/* It stays in the outbox, and is submitted again. */
static bool stays(relais_status status)
{
    return is_ours_to_mend(status) || status == RELAIS_CLOSED || status == RELAIS_SYSTEM ||
           relais_status_is_transient(status);
}

static void hold(struct sending *sending, relais_status status, int64_t now_ms)
{
    bool ours = is_ours_to_mend(status);
    int64_t pause_ms = ours ? SENDING_HOLD_MS : AGAIN_MS;
    if (sending->hold_until_ms <= now_ms) {
        LOG(ours ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "outbox.on-hold",
            {"reason", relais_status_name(status), 0}, {"retry_ms", NULL, pause_ms});
    }
    sending->hold_until_ms = now_ms + pause_ms;
}

static relais_status record(struct sending *sending, const struct sending_slot *slot,
                            relais_error *error)
{
    if (slot->error.status == RELAIS_OK) {
        return outbox_remove(sending->outbox, slot->sequence, error);
    }
    if (!stays(slot->error.status)) {
        return outbox_set_aside(sending->outbox, slot->sequence, &slot->error, moment_unix_ms(),
                                error);
    }
    return RELAIS_OK;
}

/* After the commit. */
static void conclude(struct sending *sending, struct sending_slot *slot, int64_t now_ms)
{
    relais_status status = slot->error.status;
    slot->used = false;
    sending->used--;
    if (status == RELAIS_OK) {
        sending->metrics->totals[METRIC_ACCEPTED]++;
        LOG(LOG_LEVEL_DEBUG, "message.accepted", {"id", slot->id, 0});
        return;
    }
    if (stays(status)) {
        sending->next = slot->sequence < sending->next ? slot->sequence : sending->next;
        if (status != RELAIS_CLOSED) {
            hold(sending, status, now_ms);
        }
        return;
    }
    sending->metrics->totals[METRIC_SET_ASIDE]++;
    LOG(LOG_LEVEL_ERROR, "message.set-aside", {"id", slot->id, 0},
        {"sequence", NULL, (int64_t)slot->sequence}, {"reason", relais_status_name(status), 0},
        {"field", slot->error.field, 0});
    if (sending->refused) {
        sending->refused(sending->context, slot->id, &slot->error);
    }
}

static bool is_any_answered(const struct sending *sending)
{
    for (size_t i = 0; i < sending->window; i++) {
        if (sending->slots[i].used && sending->slots[i].answered) {
            return true;
        }
    }
    return false;
}

static relais_status record_all(struct sending *sending, relais_error *error)
{
    relais_status status = state_begin(sending->outbox->state, error);
    for (size_t i = 0; status == RELAIS_OK && i < sending->window; i++) {
        if (sending->slots[i].used && sending->slots[i].answered) {
            status = record(sending, &sending->slots[i], error);
        }
    }
    if (status == RELAIS_OK) {
        status = state_commit(sending->outbox->state, error);
    } else {
        state_abort(sending->outbox->state);
    }
    outbox_settle(sending->outbox, status == RELAIS_OK);
    return status;
}

relais_status sending_collect(struct sending *sending, int64_t now_ms, int64_t *out_wait_ms,
                              relais_error *error)
{
    if (!is_any_answered(sending)) {
        return RELAIS_OK;
    }
    if (now_ms < sending->retry_ms) {
        come_again(out_wait_ms, sending->retry_ms - now_ms);
        return RELAIS_OK;
    }
    relais_status status = record_all(sending, error);
    if (status == RELAIS_STORE_FULL || status == RELAIS_NO_MEMORY) {
        LOG(LOG_LEVEL_WARNING, "outbox.not-recorded", {"reason", relais_status_name(status), 0},
            {"retry_ms", NULL, FULL_DISK_MS});
        sending->retry_ms = now_ms + FULL_DISK_MS;
        come_again(out_wait_ms, FULL_DISK_MS);
        return RELAIS_OK;
    }
    for (size_t i = 0; status == RELAIS_OK && i < sending->window; i++) {
        if (sending->slots[i].used && sending->slots[i].answered) {
            conclude(sending, &sending->slots[i], now_ms);
        }
    }
    return status;
}

/* ---- submitting ---- */

static struct sending_slot *find_free(struct sending *sending)
{
    for (size_t i = 0; i < sending->window; i++) {
        if (!sending->slots[i].used) {
            return &sending->slots[i];
        }
    }
    return NULL;
}

static bool is_in_flight(const struct sending *sending, uint64_t sequence)
{
    for (size_t i = 0; i < sending->window; i++) {
        if (sending->slots[i].used && sending->slots[i].sequence == sequence) {
            return true;
        }
    }
    return false;
}

static void take_order(struct sending_slot *slot, const relais_message *message)
{
    const char *const texts[] = {"order", message->flow, message->ordering_key};
    slot->ordered = message->ordering_key != NULL;
    known_key(texts, sizeof texts / sizeof texts[0], slot->order);
}

static bool must_wait_its_turn(const struct sending *sending, const struct sending_slot *slot)
{
    for (size_t i = 0; slot->ordered && i < sending->window; i++) {
        const struct sending_slot *other = &sending->slots[i];
        if (other->used && other->ordered &&
            memcmp(other->order, slot->order, sizeof slot->order) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_memory(void *context, uint64_t offset, void *out, size_t size)
{
    const relais_bytes *payload = context;
    memcpy(out, (const char *)payload->data + offset, size);
    return true;
}

static bool is_stopping(int signals)
{
    struct pollfd look = {.fd = signals, .events = POLLIN};
    return signals >= 0 && poll(&look, 1, 0) == 1;
}

struct large {
    relais_bytes payload;
    int signals;
};

static bool read_large(void *context, uint64_t offset, void *out, size_t size)
{
    struct large *large = context;
    return read_memory(&large->payload, offset, out, size);
}

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    const struct large *large = context;
    (void)done;
    (void)total;
    return !is_stopping(large->signals);
}

/* What does not travel whole goes alone, while the program waits. */
static relais_status send_large(struct sending *sending, struct sending_slot *slot,
                                const relais_message *message)
{
    struct large large = {message->payload, sending->signals};
    relais_message head = *message;
    head.payload = (relais_bytes){NULL, 0};
    const relais_payload_source source = {
        .size = large.payload.size, .read = read_large, .progress = go_on, .context = &large};
    slot->answered = true;
    slot->error.status =
        relais_send_payload(sending->client, &head, &source, SENDING_SILENCE_MS, &slot->error);
    return RELAIS_OK;
}

/* RELAIS_WINDOW_FULL: not now. */
static relais_status submit(struct sending *sending, struct sending_slot *slot,
                            const relais_message *message)
{
    relais_session session;
    relais_client_session(sending->client, &session);
    take_order(slot, message);
    if (must_wait_its_turn(sending, slot)) {
        return RELAIS_WINDOW_FULL;
    }
    (void)snprintf(slot->id, sizeof slot->id, "%s", message->id);
    slot->error = (relais_error){.status = RELAIS_OK};
    slot->answered = false;
    if (session.payload_bytes_max == 0) {
        return RELAIS_WINDOW_FULL; /* what travels whole is not known before the first welcome */
    }
    if (message->payload.size > session.payload_bytes_max) {
        return sending->used > 0 || !session.connected ? RELAIS_WINDOW_FULL
                                                       : send_large(sending, slot, message);
    }
    relais_status status = relais_submit(sending->client, message, on_outcome, slot, &slot->error);
    if (status != RELAIS_OK && status != RELAIS_WINDOW_FULL && status != RELAIS_NO_MEMORY) {
        slot->answered = true; /* it can never be sent as it is */
        slot->error.status = status;
        return RELAIS_OK;
    }
    return status;
}

/* Submits the next one. RELAIS_NOT_FOUND: there is none. RELAIS_WINDOW_FULL: it must wait. */
static relais_status submit_next(struct sending *sending, struct sending_slot *slot,
                                 relais_error *error)
{
    struct outbox_message message = {0};
    struct record_message view;
    relais_status status = outbox_read(sending->outbox, sending->next, &message, error);
    if (status == RELAIS_OK && is_in_flight(sending, message.sequence)) {
        sending->next = message.sequence + 1;
        free(message.run);
        return RELAIS_OK;
    }
    *slot = (struct sending_slot){.sending = sending, .sequence = message.sequence};
    if (status == RELAIS_OK &&
        record_read_message((relais_bytes){message.run, message.size}, &view)) {
        status = submit(sending, slot, &view.message);
    } else if (status == RELAIS_OK || status == RELAIS_DAMAGED) {
        slot->answered = true;
        status = RELAIS_OK;
        (void)error_set(&slot->error, RELAIS_DAMAGED, "outbox", NULL, "%s", "");
        slot->error.status = RELAIS_DAMAGED;
    }
    if (status == RELAIS_OK) {
        slot->used = true;
        sending->used++;
        sending->next = message.sequence + 1;
    }
    free(message.run);
    return status;
}

relais_status sending_submit(struct sending *sending, int64_t now_ms, int64_t *out_wait_ms,
                             relais_error *error)
{
    relais_status status = RELAIS_OK;
    if (now_ms < sending->hold_until_ms) {
        come_again(out_wait_ms, sending->hold_until_ms - now_ms);
        return RELAIS_OK;
    }
    for (struct sending_slot *slot = find_free(sending);
         slot && status == RELAIS_OK && sending->next < sending->outbox->counts.next;
         slot = find_free(sending)) {
        status = submit_next(sending, slot, error);
        if (slot->used && slot->answered) {
            come_again(out_wait_ms, 0);
            return RELAIS_OK; /* is recorded first */
        }
    }
    if (status == RELAIS_NOT_FOUND) {
        sending->next = sending->outbox->counts.next;
        return RELAIS_OK;
    }
    return status == RELAIS_WINDOW_FULL || status == RELAIS_NO_MEMORY ? RELAIS_OK : status;
}

int64_t sending_oldest_ms(struct sending *sending, int64_t unix_ms)
{
    struct outbox_message message = {0};
    if (sending->outbox->counts.messages == 0) {
        return 0;
    }
    relais_status status = outbox_read(sending->outbox, 0, &message, NULL);
    free(message.run);
    return status == RELAIS_OK && message.since_ms < unix_ms ? unix_ms - message.since_ms : 0;
}
