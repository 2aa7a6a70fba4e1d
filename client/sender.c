/* SPDX-License-Identifier: EUPL-1.2
 *
 * The list of what has no outcome yet: adding, answers, loss. States and invariants: sender.h.
 */
#include "client/sender.h"

#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/clock.h"
#include "client/envelope.h"
#include "client/error.h"
#include "client/payload.h"
#include "client/sealing.h"
#include "program/locale.h"

enum {
    FLIGHT_TABLE_FACTOR = 4,      /* a late answer holds back numbers only four windows later */
    RETRY_LONGEST_MS = 5 * 60000, /* whatever the broker asks for */
    GENERATED_ID_BYTES = 33,
};

relais_status sender_init(struct sender *sender, size_t window_messages, size_t window_bytes)
{
    size_t size = 1;
    while (size < FLIGHT_TABLE_FACTOR * window_messages) {
        size *= 2;
    }
    *sender = (struct sender){
        .window_messages = window_messages,
        .window_bytes = window_bytes,
        .next_number = 1,
        .flight_mask = size - 1,
        .rest_ms = INT64_MAX,
    };
    sender->flight = calloc(size, sizeof(struct pending *));
    return sender->flight != NULL ? RELAIS_OK : RELAIS_NO_MEMORY;
}

void sender_fini(struct sender *sender)
{
    free(sender->flight);
    sender->flight = NULL;
}

static size_t pending_bytes(const struct pending *pending)
{
    return (size_t)pending->envelope_bytes + pending->payload_bytes;
}

/* One block: the struct, the id, the envelope, and a small payload. */
static struct pending *pending_new(const char *id, const uint8_t *envelope, size_t envelope_bytes,
                                   relais_bytes payload)
{
    size_t id_bytes = strlen(id) + 1;
    bool large = payload.size >= PAYLOAD_LARGE_BYTES;
    size_t inline_bytes = large ? 0 : payload.size;
    struct pending *pending = malloc(sizeof *pending + id_bytes + envelope_bytes + inline_bytes);
    if (pending == NULL) {
        return NULL;
    }
    char *text = (char *)(pending + 1);
    uint8_t *bytes = (uint8_t *)text + id_bytes;
    *pending = (struct pending){
        .state = PENDING_QUEUED,
        .id = text,
        .envelope = bytes,
        .envelope_bytes = (uint32_t)envelope_bytes,
        .payload = bytes + envelope_bytes,
        .payload_bytes = (uint32_t)payload.size,
    };
    memcpy(text, id, id_bytes);
    memcpy(bytes, envelope, envelope_bytes);
    if (inline_bytes > 0) {
        memcpy(bytes + envelope_bytes, payload.data, inline_bytes);
    }
    if (large) {
        pending->shared = payload_copy_new(payload.data, payload.size);
        if (pending->shared == NULL) {
            free(pending);
            return NULL;
        }
        pending->payload = payload_copy_bytes(pending->shared);
    }
    return pending;
}

static void pending_free(struct pending *pending)
{
    payload_copy_unref(pending->shared);
    free(pending);
}

static void link_last(struct sender *sender, struct pending *pending)
{
    pending->previous = sender->last;
    if (sender->last != NULL) {
        sender->last->next = pending;
    } else {
        sender->first = pending;
    }
    sender->last = pending;
    if (sender->unsent == NULL) {
        sender->unsent = pending;
    }
    sender->count++;
    sender->waiting++;
    sender->bytes += pending_bytes(pending);
}

static void unlink_pending(struct sender *sender, struct pending *pending)
{
    if (sender->unsent == pending) {
        sender->unsent = pending->next;
    }
    if (pending->previous != NULL) {
        pending->previous->next = pending->next;
    } else {
        sender->first = pending->next;
    }
    if (pending->next != NULL) {
        pending->next->previous = pending->previous;
    } else {
        sender->last = pending->previous;
    }
    sender->count--;
    sender->waiting -= pending->given_up ? 0 : 1;
    sender->bytes -= pending_bytes(pending);
}

static relais_status check_room(const relais_client *client, const relais_message *message,
                                relais_error *error)
{
    const struct sender *sender = &client->sender;
    uint32_t largest = client->connection.limits.payload_bytes;
    if (client->closing) {
        return error_fill(error, RELAIS_CLOSED, NULL, NULL, NULL);
    }
    if (largest > 0 && message->payload.size > largest) {
        return error_fill_number(error, RELAIS_TOO_LARGE, "payload", message->payload.size,
                                 largest);
    }
    if (sender->count >= sender->window_messages ||
        (sender->count > 0 && sender->bytes + message->payload.size > sender->window_bytes)) {
        return error_fill(error, RELAIS_WINDOW_FULL, NULL, NULL,
                          _("an outcome of what was submitted before"));
    }
    return RELAIS_OK;
}

/* A message that has been checked, with its id. */
static relais_status add_checked(relais_client *client, const relais_message *message,
                                 const struct stored_payload *stored,
                                 const struct envelope_seal *seal, struct pending **out_pending,
                                 relais_error *error)
{
    uint8_t *envelope = NULL;
    size_t envelope_bytes = 0;
    struct envelope_defaults defaults = {
        .member = client->member, .now_ms = clock_wall_ms(), .seal = seal};
    if (stored != NULL) {
        defaults.digest = stored->digest;
        defaults.payload_size = stored->size;
    }
    relais_status status = envelope_pack(message, &defaults, &envelope, &envelope_bytes, error);
    if (status != RELAIS_OK) {
        return status;
    }
    struct pending *pending = pending_new(message->id, envelope, envelope_bytes, message->payload);
    free(envelope);
    if (pending == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    pending->upload = stored != NULL ? stored->upload : 0;
    link_last(&client->sender, pending);
    *out_pending = pending;
    return RELAIS_OK;
}

static relais_status add_sealed(relais_client *client, const relais_message *message,
                                struct pending **out_pending, relais_error *error)
{
    struct sealed_message *sealed = malloc(sizeof *sealed);
    relais_status status = RELAIS_OK;
    if (sealed == NULL) {
        return error_fill(error, RELAIS_NO_MEMORY, NULL, NULL, NULL);
    }
    status = sealing_seal(client, message, sealed, error);
    if (status == RELAIS_OK) {
        status = check_room(client, &sealed->message, error); /* it is larger now */
    }
    if (status == RELAIS_OK) {
        status = add_checked(client, &sealed->message, NULL, &sealed->seal, out_pending, error);
    }
    sealed_fini(sealed);
    free(sealed);
    return status;
}

/* `stored` NULL: the payload is the message's. */
static relais_status add(relais_client *client, const relais_message *message,
                         const struct stored_payload *stored, struct pending **out_pending,
                         relais_error *error)
{
    char generated[GENERATED_ID_BYTES];
    relais_message copy = *message;
    relais_status status = envelope_check(message, error);
    if (status == RELAIS_OK) {
        status = check_room(client, message, error);
    }
    if (status != RELAIS_OK) {
        return status;
    }
    if (message->id == NULL) {
        relais_message_new_id(generated);
        copy.id = generated;
    }
    if (!sealing_covers(client->sealing, message->flow)) {
        return add_checked(client, &copy, stored, NULL, out_pending, error);
    }
    if (stored != NULL) {
        return error_fill(error, RELAIS_NOT_SEALED, "payload", _("in chunks"),
                          _("a payload that travels whole: larger ones cannot be sealed yet"));
    }
    return add_sealed(client, &copy, out_pending, error);
}

relais_status sender_add(relais_client *client, const relais_message *message,
                         relais_outcome_fn done, void *context, struct pending **out_pending,
                         relais_error *error)
{
    relais_status status = add(client, message, NULL, out_pending, error);
    if (status == RELAIS_OK) {
        (*out_pending)->done = done;
        (*out_pending)->context = context;
    }
    return status;
}

relais_status sender_add_stored(relais_client *client, const relais_message *message,
                                const struct stored_payload *stored, struct pending **out_pending,
                                relais_error *error)
{
    relais_status status = add(client, message, stored, out_pending, error);
    if (status == RELAIS_OK) {
        (*out_pending)->done = stored->done;
        (*out_pending)->context = stored->context;
    }
    return status;
}

/* Until sender_wake_stored(). */
static void rest_stored(struct pending *pending)
{
    pending->state = PENDING_RESTING;
    pending->refusal = RELAIS_OK;
    pending->due_ms = INT64_MAX;
}

void sender_wake_stored(struct sender *sender, struct pending *pending, uint32_t upload)
{
    pending->upload = upload;
    if (pending->state == PENDING_RESTING) {
        pending->state = PENDING_QUEUED;
        sender->unsent = sender->first;
    }
}

static void leave_flight(struct sender *sender, struct pending *pending)
{
    if (pending->state == PENDING_IN_FLIGHT) {
        sender->flight[pending->number & sender->flight_mask] = NULL;
        sender->flight_count--;
        sender->flight_bytes -= pending_bytes(pending);
    }
}

void sender_finish(relais_client *client, struct pending *pending, const relais_error *error)
{
    leave_flight(&client->sender, pending);
    unlink_pending(&client->sender, pending);
    client->happened = true;
    if (pending->done != NULL) {
        relais_outcome outcome = {.id = pending->id, .error = *error};
        client->calling = true;
        pending->done(pending->context, &outcome);
        client->calling = false;
    }
    pending_free(pending);
}

relais_status sender_give_up(relais_client *client, struct pending *pending)
{
    relais_status known = pending->state == PENDING_RESTING ? pending->refusal : RELAIS_OK;
    pending->done = NULL;
    if (pending->state == PENDING_IN_FLIGHT) {
        pending->given_up = true; /* its number will still be answered */
        client->sender.waiting--;
        return known;
    }
    unlink_pending(&client->sender, pending);
    pending_free(pending);
    return known;
}

relais_status sender_fill_refusal(relais_error *error, relais_status refusal)
{
    return error_fill(error, refusal, NULL, NULL, _("the same again later"));
}

static struct pending *find_number(const struct sender *sender, uint64_t number)
{
    struct pending *pending = sender->flight[number & sender->flight_mask];
    return pending != NULL && pending->number == number ? pending : NULL;
}

bool sender_accepted(relais_client *client, const Relais__V1__Accepted *accepted)
{
    struct sender *sender = &client->sender;
    const relais_error fine = {.status = RELAIS_OK};
    for (size_t i = 0; i < accepted->n_numbers; i++) {
        const Relais__V1__Range *range = accepted->numbers[i];
        if (range->first == 0 || range->first > range->last || range->last >= sender->next_number ||
            range->last - range->first > sender->flight_mask) {
            return false;
        }
        for (uint64_t number = range->first; number <= range->last; number++) {
            struct pending *pending = find_number(sender, number);
            if (pending == NULL) {
                return false; /* answered twice */
            }
            sender_finish(client, pending, &fine);
        }
    }
    return true;
}

static void rest(struct sender *sender, struct pending *pending, const relais_error *refusal,
                 int64_t now_ms)
{
    uint32_t after_ms = refusal->retry_after_ms;
    leave_flight(sender, pending);
    pending->state = PENDING_RESTING;
    pending->refusal = refusal->status;
    pending->due_ms = now_ms + (after_ms < RETRY_LONGEST_MS ? after_ms : RETRY_LONGEST_MS);
    if (pending->due_ms < sender->rest_ms) {
        sender->rest_ms = pending->due_ms;
    }
}

bool sender_refused(relais_client *client, const Relais__V1__Refused *refused, int64_t now_ms)
{
    struct sender *sender = &client->sender;
    for (size_t i = 0; i < refused->n_refusals; i++) {
        const Relais__V1__Refusal *refusal = refused->refusals[i];
        struct pending *pending = find_number(sender, refusal->number);
        relais_error error;
        if (pending == NULL || refusal->error == NULL) {
            return false;
        }
        (void)error_from_wire(&error, refusal->error);
        bool unknown = pending->upload != 0 &&
                       (error.status == RELAIS_UNKNOWN_UPLOAD || error.status == RELAIS_INCOMPLETE);
        if (unknown && !pending->given_up) {
            leave_flight(sender, pending);
            rest_stored(pending);
            upload_begin_again(client, now_ms);
        } else if (error.retry_after_ms > 0 && !pending->given_up) {
            rest(sender, pending, &error, now_ms);
        } else {
            sender_finish(client, pending, &error);
        }
    }
    return true;
}

void sender_rewind(relais_client *client)
{
    struct sender *sender = &client->sender;
    struct pending *next = NULL;
    for (struct pending *pending = sender->first; pending != NULL; pending = next) {
        next = pending->next;
        leave_flight(sender, pending);
        pending->state = PENDING_QUEUED;
        if (pending->upload != 0) {
            rest_stored(pending);
        }
        if (pending->given_up) {
            unlink_pending(sender, pending);
            pending_free(pending);
        }
    }
    sender->unsent = sender->first;
    sender->next_number = 1;
    sender->rest_ms = INT64_MAX;
}

void sender_close(relais_client *client)
{
    relais_error error;
    struct pending *next = NULL; /* callbacks add nothing: the client is closing */
    for (struct pending *pending = client->sender.first; pending != NULL; pending = next) {
        next = pending->next;
        if (pending->state == PENDING_RESTING && pending->refusal != RELAIS_OK) {
            (void)sender_fill_refusal(&error, pending->refusal);
        } else {
            (void)error_fill(&error, RELAIS_CLOSED, NULL, NULL, NULL);
        }
        sender_finish(client, pending, &error);
    }
}
