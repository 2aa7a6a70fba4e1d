/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file request.h
 * Asking and waiting for the answer. Thread rule: that of the client. Since 1.2.
 *
 * A request is a message whose `reply_to` is the private mailbox of this client, `member/~client`:
 * only it can open that. It expires when nobody waits any longer, so that work which comes too late
 * is not begun. The answer is a message whose `correlation_id` is the id of the request. Several
 * processes may use one key: an answer that another one waits for is handed back to it.
 */
#ifndef RELAIS_REQUEST_H
#define RELAIS_REQUEST_H

#include <relais/client.h>
#include <relais/message.h>
#include <relais/receive.h>
#include <relais/status.h>
#include <relais/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct relais_request relais_request;

/**
 * Sends a request and returns; the answer comes with relais_request_reply(). Copies the message,
 * sets its `reply_to`, and its `expires_at_ms` unless that is earlier. `timeout_ms`: how long the
 * answer is waited for, 1 to 7 days. Waits for the first welcome of the broker, since it says who
 * we are. The caller ends it with relais_request_close().
 * Errors as of relais_submit(), and RELAIS_EXPIRED when there was no welcome in time.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_request_open(relais_client *client,
                                                               const relais_message *message,
                                                               int timeout_ms,
                                                               relais_request **out_request,
                                                               relais_error *error);

/**
 * The answer, waiting for it up to timeout_ms (0: not at all, -1: as long as the request runs). It
 * is a delivery as any: answer it with relais_ack(), give it back with relais_delivery_free().
 * RELAIS_TIMED_OUT: not yet; RELAIS_EXPIRED: the time of the request is over; a refusal of the
 * broker: it was never accepted, or nobody may answer us here; RELAIS_INTERRUPTED, and what
 * relais_wait() says. After relais_wait() ask with 0: an answer that lies ready makes it return
 * once.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_request_reply(relais_request *request,
                                                                int timeout_ms,
                                                                relais_delivery **out_reply,
                                                                relais_error *error);

/** Answers to the answers given so far that are not yet known to be on the broker's disk: as
 * relais_unsettled(), for the private mailbox. */
RELAIS_API size_t relais_request_unsettled(const relais_client *client);

/** The id of the request; lives as long as it. */
RELAIS_API const char *relais_request_id(const relais_request *request);

/** Ends it and frees it. A request that has no answer is withdrawn, as by relais_cancel(), without
 * waiting for it; an answer that comes later is dropped. NULL is fine; allowed after
 * relais_client_close(). */
RELAIS_API void relais_request_close(relais_request *request);

/**
 * Asks and waits: relais_request_open(), relais_request_reply() and relais_request_close() in one.
 * RELAIS_EXPIRED: no answer in timeout_ms.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_request_wait(relais_client *client,
                                                               const relais_message *message,
                                                               int timeout_ms,
                                                               relais_delivery **out_reply,
                                                               relais_error *error);

/**
 * Makes `reply` the answer to `request`: sets `to` and `correlation_id`, and, where they are not
 * set, `flow`, `expires_at_ms`, `priority` and `traceparent`. It borrows from `request`. Send it
 * with relais_send() or relais_submit(). RELAIS_FIELD_MISSING: nobody waits for an answer
 * (`reply_to` is not set), or `request` has no id. Any thread.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_reply_to(const relais_message *request,
                                                           relais_message *reply,
                                                           relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
