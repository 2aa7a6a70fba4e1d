/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file send.h
 * Handing messages to the broker. Thread rule: that of the client.
 */
#ifndef RELAIS_SEND_H
#define RELAIS_SEND_H

#include <relais/client.h>
#include <relais/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What became of one submitted message. */
typedef struct relais_outcome {
    const char *id;     /**< borrowed for the call */
    relais_error error; /**< status RELAIS_OK: accepted, it is on the broker's disk */
} relais_outcome;

/**
 * Called once for each submitted message, from inside a waiting call of the same client or from
 * relais_client_close(). It may submit, but neither wait nor close.
 */
typedef void (*relais_outcome_fn)(void *context, const relais_outcome *outcome);

/**
 * Hands a message over and returns at once; `done` (may be NULL) is told what became of it. Copies
 * the message. Messages submitted between two waits travel in batches. Refusals that can be retried
 * (BUSY, STORE_FULL, DRAINING) are retried by the library at the pace the broker asks for; `done`
 * is told of one only when the client is closed before the next try, other messages that are left
 * then get RELAIS_CLOSED.
 * RELAIS_WINDOW_FULL: wait first; RELAIS_FIELD_MISSING, RELAIS_FIELD_INVALID, RELAIS_TOO_LARGE: the
 * message can never be sent, error says why; RELAIS_NO_MEMORY. On any of them `done` is not called.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_submit(relais_client *client,
                                                         const relais_message *message,
                                                         relais_outcome_fn done, void *context,
                                                         relais_error *error);

/** How many submitted messages have no outcome yet. */
RELAIS_API size_t relais_unanswered(const relais_client *client);

/**
 * Submits and waits for the outcome, up to timeout_ms (-1: for ever). RELAIS_OK: it is on the
 * broker's disk. RELAIS_TIMED_OUT, RELAIS_INTERRUPTED, and what relais_wait() says when the broker
 * will not have us: unknown; the library has given it up; sending again with the same id is safe.
 * A refusal that can be retried, when time ran out between two tries: the broker said no so far.
 * Others as relais_submit() and the broker's refusals. Waits while the window is full.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_send(relais_client *client,
                                                       const relais_message *message,
                                                       int timeout_ms, relais_error *error);

/** What became of the copies of a message that its sender has withdrawn. */
typedef struct relais_cancelled {
    uint32_t withdrawn; /**< nobody will be given these: dead letters with RELAIS_CANCELLED */
    uint32_t too_late;  /**< delivered, or acknowledged */
} relais_cancelled;

/**
 * Withdraws a message of our member by its id: each copy that its recipient has not been given
 * becomes a dead letter. Waits up to timeout_ms (-1: for ever). RELAIS_OK: it is on the broker's
 * disk, and *out_cancelled (may be NULL) says how much of it was in time; again is the same.
 * RELAIS_UNKNOWN_MESSAGE: not accepted, or not within the time that the broker remembers.
 * RELAIS_ROLE_MISSING without the role send; RELAIS_UNKNOWN_COMMAND at a broker of a protocol
 * before 1.2; RELAIS_BUSY. Thread: the client's. Since 1.2.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_cancel(relais_client *client, const char *id,
                                                         int timeout_ms,
                                                         relais_cancelled *out_cancelled,
                                                         relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
