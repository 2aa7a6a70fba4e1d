/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file receive.h
 * Taking messages out of a mailbox. Thread rule: that of the client.
 *
 * A delivery is a lease: answer it (ack or nack) before it runs out, or the message comes again.
 * Every message comes at least once; whoever must not do a thing twice remembers `message.id`.
 */
#ifndef RELAIS_RECEIVE_H
#define RELAIS_RECEIVE_H

#include <relais/client.h>
#include <relais/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct relais_consumer relais_consumer;
typedef struct relais_delivery relais_delivery;

/**
 * Opens a mailbox of our member: up to `credit` (1..1024) deliveries are held at a time. Returns at
 * once; a refusal of the broker comes out of relais_receive(). The consumer lives until
 * relais_detach() or relais_client_close().
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_attach(relais_client *client, const char *address,
                                                         uint32_t credit,
                                                         relais_consumer **out_consumer,
                                                         relais_error *error);

/** Gives back what was not answered, uncounted as an attempt, and ends the consumer, which must not
 * be used again; answers given before are still sent. Deliveries in hand stay readable until
 * relais_delivery_free(); answers to them are RELAIS_LEASE_LOST. NULL is fine. */
RELAIS_API void relais_detach(relais_consumer *consumer);

/**
 * The next delivery, waiting for it up to timeout_ms (0: not at all, -1: for ever). The caller
 * gives it back with relais_delivery_free(). The payload has been checked against the envelope's
 * digest; a delivery that does not match is refused by the library with RELAIS_DIGEST_MISMATCH and
 * not shown. A stored payload (relais_delivery_stored_bytes() > 0) is not here yet:
 * relais_fetch_payload(). RELAIS_TIMED_OUT, RELAIS_INTERRUPTED; what relais_wait() says when the
 * broker will not have us (try again); refusals of the broker (RELAIS_ROLE_MISSING,
 * RELAIS_UNKNOWN_SERVICE, RELAIS_NOT_YOUR_MAILBOX, ...), after which the consumer stays refused:
 * detach it.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_receive(relais_consumer *consumer, int timeout_ms,
                                                          relais_delivery **out_delivery,
                                                          relais_error *error);

/** The message; everything in it lives as long as the delivery. */
RELAIS_API const relais_message *relais_delivery_message(const relais_delivery *delivery);

/** From 1; more than 1: it was delivered before. */
RELAIS_API uint32_t relais_delivery_attempt(const relais_delivery *delivery);

/** When the broker had it on disk, Unix milliseconds. */
RELAIS_API int64_t relais_delivery_accepted_ms(const relais_delivery *delivery);

/** The member that sent it, as part of the address in `from` or "" when the sender gave none. */
RELAIS_API const char *relais_delivery_sender(const relais_delivery *delivery);

/**
 * Done with it for good. RELAIS_LEASE_LOST: the lease ran out or the connection was lost since; it
 * will come again. The answer is on its way when the next waiting call runs (relais_receive() with
 * more deliveries ready may keep it for a millisecond, to send several at once);
 * relais_unsettled() says when it is on the broker's disk. A delivery is answered once:
 * RELAIS_USAGE on the second time, and for a stored payload that was not fetched.
 */
RELAIS_API relais_status relais_ack(relais_delivery *delivery);

/** Not now: it comes again after delay_ms (at most 7 days). `reason` goes to the operator, at most
 * 256 bytes, no personal data; may be NULL. Others as relais_ack(). */
RELAIS_API relais_status relais_nack(relais_delivery *delivery, uint32_t delay_ms,
                                     const char *reason);

/** Never: it becomes a dead letter with this reason. Others as relais_ack(). */
RELAIS_API relais_status relais_refuse(relais_delivery *delivery, const char *reason);

/**
 * It takes longer: the lease of this delivery ends by_ms from now (1 to 86,400,000: 24 h), whatever
 * was left of it; as often as needed, until the connection is lost. The word is on its way when
 * this returns; nothing comes back. RELAIS_LEASE_LOST as relais_ack(). RELAIS_UNREACHABLE: it could
 * not be sent now, the lease is as long as it was: try again. RELAIS_UNKNOWN_COMMAND: the broker is
 * of before 1.2. RELAIS_USAGE: answered already, or by_ms out of bounds. Since 0.1.
 */
RELAIS_API relais_status relais_extend(relais_delivery *delivery, uint32_t by_ms);

/** The time that was given to answer it, in milliseconds from its arrival; without extensions. */
RELAIS_API uint32_t relais_delivery_lease_ms(const relais_delivery *delivery);

/**
 * Frees it. Without an answer that is a relais_nack() without delay: it comes again at once, and
 * the delivery counts as an attempt, of which the broker allows so many before the message becomes
 * a dead letter. Whoever stops in good order calls relais_detach() first: what was not answered
 * then goes back uncounted, and is only freed here. NULL is fine.
 */
RELAIS_API void relais_delivery_free(relais_delivery *delivery);

/** Answers given that are not yet known to be on the broker's disk. 0 after a lost connection: what
 * had not been settled comes again. */
RELAIS_API size_t relais_unsettled(const relais_consumer *consumer);

#ifdef __cplusplus
}
#endif
#endif
