/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file status.h
 * What calls return and what the broker refuses with: one list for API, wire and logs.
 *
 * Numbers below 100 come from the broker (relais.v1.Code in proto/relais/v1/command.proto) and mean
 * the same on the wire; numbers from 100 up arise on this side. Numbers never change meaning.
 */
#ifndef RELAIS_STATUS_H
#define RELAIS_STATUS_H

#include <relais/visibility.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, number, repeating it later can help, English text) */
#define RELAIS_STATUS_LIST(X)                                                                      \
    X(OK, 0, false, "done")                                                                        \
    X(MALFORMED, 1, false, "the bytes cannot be read as this protocol")                            \
    X(VERSION_UNSUPPORTED, 2, false, "the broker speaks another major version of the protocol")    \
    X(HELLO_FIRST, 3, true, "the broker does not know this connection")                            \
    X(UNKNOWN_COMMAND, 4, false, "the broker does not know this command")                          \
    X(TOO_LARGE, 5, false, "too large")                                                            \
    X(FIELD_MISSING, 6, false, "a required field is missing")                                      \
    X(FIELD_INVALID, 7, false, "a field has a value that is not allowed")                          \
    X(UNKNOWN_MEMBER, 8, false, "no such member on this bus")                                      \
    X(UNKNOWN_SERVICE, 9, false, "this member has no such service")                                \
    X(UNKNOWN_FLOW, 10, false, "no such flow on this bus")                                         \
    X(SENDER_NOT_ALLOWED, 11, false, "the flow does not allow this sender")                        \
    X(RECEIVER_NOT_ALLOWED, 12, false, "the flow does not allow this recipient")                   \
    X(ROLE_MISSING, 13, false, "this client lacks the role that the command needs")                \
    X(BUSY, 14, true, "the broker is busy")                                                        \
    X(STORE_FULL, 15, true, "the broker's store is full")                                          \
    X(EXPIRED, 16, false, "the message has expired")                                               \
    X(UNKNOWN_CONSUMER, 17, false, "no such consumer on this connection")                          \
    X(UNKNOWN_DELIVERY, 18, false, "no such delivery: answered already, or its lease has gone")    \
    X(LIMIT_EXCEEDED, 19, false, "a limit of the broker is exceeded")                              \
    X(DRAINING, 20, true, "the broker is stopping")                                                \
    X(KEY_REVOKED, 21, false, "the key of this client has been withdrawn")                         \
    X(REFUSED_BY_RECIPIENT, 22, false, "the recipient refused the message")                        \
    X(ATTEMPTS_EXHAUSTED, 23, false, "every attempt to deliver has failed")                        \
    X(NOT_YOUR_MAILBOX, 24, false, "the mailbox belongs to another member")                        \
    X(DAMAGED, 25, false, "the broker's disk has lost bytes of it")                                \
    X(UNKNOWN_DEAD_LETTER, 26, false, "no such dead letter: replayed or dropped already")          \
    X(NO_SUBSCRIBER, 27, false, "nobody has subscribed to this flow")                              \
    X(UNKNOWN_MESSAGE, 28, false, "no such message of this sender, or it is long ago")             \
    X(OVER_QUOTA, 29, true, "beyond a quota of the member")                                        \
    X(CANCELLED, 31, false, "withdrawn by its sender")                                             \
    X(BACKUP_FAILED, 34, false, "the backup could not be made")                                    \
    X(UNKNOWN_UPLOAD, 32, true, "the broker does not know this upload")                            \
    X(INCOMPLETE, 33, true, "bytes of the payload are missing")                                    \
    X(NOT_SEALED, 40, false, "the flow takes sealed and signed messages only")                     \
    X(UNREACHABLE, 100, true, "the broker cannot be reached")                                      \
    X(TIMED_OUT, 101, true, "no answer in time")                                                   \
    X(KEY_REFUSED, 102, false, "the broker does not know this key, or its own key is another")     \
    X(KEY_UNREADABLE, 103, false, "the key file cannot be used")                                   \
    X(NO_MEMORY, 104, true, "out of memory")                                                       \
    X(SYSTEM, 105, false, "the system refused")                                                    \
    X(USAGE, 106, false, "wrong use of a call or a command")                                       \
    X(DIGEST_MISMATCH, 107, false, "the payload is not the one that the envelope describes")       \
    X(LEASE_LOST, 108, true, "the lease of this delivery has gone; the message will come again")   \
    X(WINDOW_FULL, 109, true, "too much is waiting for an answer")                                 \
    X(CLOSED, 110, false, "the connection was closed")                                             \
    X(CONFIG_INVALID, 111, false, "the configuration is wrong")                                    \
    X(ALREADY_EXISTS, 112, false, "exists already")                                                \
    X(NOT_FOUND, 113, false, "not found")                                                          \
    X(INTERRUPTED, 114, true, "interrupted")                                                       \
    X(UNTRUSTED, 120, false, "not signed by anybody whose word counts here")                       \
    X(NOT_VALID_NOW, 121, false, "outside the time for which it was signed")                       \
    X(ROLLED_BACK, 122, false, "older than what was seen before")

typedef enum relais_status {
#define RELAIS_STATUS_ENUM(name, number, retry, text) RELAIS_##name = (number),
    RELAIS_STATUS_LIST(RELAIS_STATUS_ENUM)
#undef RELAIS_STATUS_ENUM
} relais_status;

enum { RELAIS_ERROR_TEXT_BYTES = 256 };

/**
 * Everything about one failure, as a value: what was wrong, the field, what would be right.
 * Plain data, no ownership; "" where a part has nothing to say.
 */
typedef struct relais_error {
    relais_status status;
    char field[128];                     /**< where: a field, a file, "file:line", an option */
    char wrong[RELAIS_ERROR_TEXT_BYTES]; /**< what was found there */
    char right[RELAIS_ERROR_TEXT_BYTES]; /**< what would do */
    uint32_t retry_after_ms;             /**< 0: no advice */
} relais_error;

/** "RELAIS_BUSY" for RELAIS_BUSY; "RELAIS_UNKNOWN" for a number outside the list. Static. Any
 * thread. */
RELAIS_API const char *relais_status_name(relais_status status);

/** The status in a sentence, in the language of the locale: a program that never calls setlocale()
 * reads English. Static. Any thread. */
RELAIS_API const char *relais_status_text(relais_status status);

/** True when the same request may succeed later without a change. Any thread. */
RELAIS_API bool relais_status_is_transient(relais_status status);

/**
 * Writes one line for people: text, field, what was wrong, what would be right; in the language of
 * the locale, control characters replaced, cut to size. Returns buffer. Any thread.
 */
RELAIS_API const char *relais_error_text(const relais_error *error, char *buffer, unsigned size);

#ifdef __cplusplus
}
#endif
#endif
