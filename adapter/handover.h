/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the adapter has handed over and noted since the last flush, in memory, in order.
 *
 *   1. handover_flush() puts all of it on disk in one transaction, or none.
 *   2. What is staged counts against the outbox's bounds, and is at most HANDOVER_BYTES and
 *      HANDOVER_MESSAGES.
 *
 * Thread: the adapter's.
 */
#ifndef RELAIS_ADAPTER_HANDOVER_H
#define RELAIS_ADAPTER_HANDOVER_H

#include "adapter/known.h"
#include "adapter/outbox.h"

enum {
    /* LMDB keeps 131,071 changed pages in a transaction: far below. */
    HANDOVER_MESSAGES = 4096,
    HANDOVER_BYTES = 64 * 1024 * 1024,
};

struct staged;

struct handover {
    struct state *state;
    struct outbox *outbox;
    struct staged *first;
    struct staged **last;
    size_t messages;
    size_t bytes;
};

void handover_init(struct handover *handover, struct state *state, struct outbox *outbox);
void handover_fini(struct handover *handover);

/* Errors of relais_adapter_hand_over(). */
relais_status handover_message(struct handover *handover, const relais_message *message,
                               relais_error *error);

/* Errors of relais_adapter_note(). */
relais_status handover_note(struct handover *handover, const char *key, relais_bytes value,
                            relais_error *error);

bool handover_is_empty(const struct handover *handover);

/* After another status than RELAIS_OK everything is still staged. *out_new (may be NULL): messages
 * that had not been handed over before. */
relais_status handover_flush(struct handover *handover, int64_t now_ms, size_t *out_new,
                             relais_error *error);

/* Forgets what is staged. */
void handover_clear(struct handover *handover);

#endif
