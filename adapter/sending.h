/* SPDX-License-Identifier: EUPL-1.2
 *
 * From the outbox to the broker.
 *
 *   in the outbox --submitted--> in flight --accepted--> gone
 *   in flight --refused for good--> aside;  --a fault of ours, line closed--> in the outbox
 *
 *   1. Messages are submitted in the order of the outbox, always with the id they were given at
 *      the hand-over; so a message that was accepted just before a crash is stored once.
 *   2. Of one ordering_key one is in flight at a time; with a window of 1 that is so for all.
 *   3. A message leaves the outbox only after the broker has it on its disk.
 *   4. A refusal that concerns this client and not the message holds all of them back.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_SENDING_H
#define RELAIS_ADAPTER_SENDING_H

#include "adapter/known.h"
#include "adapter/metrics.h"
#include "adapter/outbox.h"

#include <relais/client.h>

enum {
    SENDING_WINDOW_MAX = 512,
    SENDING_HOLD_MS = 60000,
    SENDING_SILENCE_MS = 60000, /* of the broker, while a large payload goes */
};

struct sending;

struct sending_slot {
    struct sending *sending;
    uint64_t sequence;
    bool used;
    bool answered;
    bool ordered;
    unsigned char order[KNOWN_KEY_BYTES]; /* of the ordering_key */
    char id[RELAIS_ID_BYTES + 1];
    relais_error error;
};

struct sending {
    relais_client *client;
    struct outbox *outbox;
    struct metrics *metrics;
    int signals;
    size_t window;
    uint64_t next; /* sequence to look from */
    int64_t hold_until_ms;
    int64_t retry_ms; /* the disk is full: not before */
    size_t used;
    struct sending_slot slots[SENDING_WINDOW_MAX];
    /* told of a message that was set aside; may be NULL */
    void (*refused)(void *context, const char *id, const relais_error *error);
    void *context;
};

/* Records what was answered. *out_wait_ms is lowered to when it is worth coming again. Another
 * status than RELAIS_OK: the disk failed. */
relais_status sending_collect(struct sending *sending, int64_t now_ms, int64_t *out_wait_ms,
                              relais_error *error);

/* Submits what fits the window. */
relais_status sending_submit(struct sending *sending, int64_t now_ms, int64_t *out_wait_ms,
                             relais_error *error);

/* How many have no outcome yet. */
size_t sending_unanswered(const struct sending *sending);

/* Age of the first message of the outbox, milliseconds; 0: it is empty. */
int64_t sending_oldest_ms(struct sending *sending, int64_t unix_ms);

#endif
