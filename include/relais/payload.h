/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file payload.h
 * Payloads of up to 4 GiB in constant memory: sent from a file and received into one, in chunks
 * that go on where they were after a lost line or a restart of either side. Since 1.2.
 * Thread rule: that of the client.
 *
 * A message whose payload fits relais_session.payload_bytes_max travels whole (relais_submit(),
 * relais_send()); a larger one, up to relais_session.stored_bytes_max, goes this way.
 */
#ifndef RELAIS_PAYLOAD_H
#define RELAIS_PAYLOAD_H

#include <relais/receive.h>
#include <relais/send.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Reads exactly `size` bytes from `offset` into `out`. False: cannot; errno says why. Calls
 * nothing of the library. The same offset must give the same bytes each time. */
typedef bool (*relais_payload_read_fn)(void *context, uint64_t offset, void *out, size_t size);

/** Writes all of `data` at `offset`, which grows without gaps. False: cannot; errno says why. */
typedef bool (*relais_payload_write_fn)(void *context, uint64_t offset, const void *data,
                                        size_t size);

/** Told now and then, at least every second, how many of `total` bytes the other side has (sending:
 * on the broker's disk) or we have (receiving). False: stop, with RELAIS_INTERRUPTED. */
typedef bool (*relais_payload_progress_fn)(void *context, uint64_t done, uint64_t total);

/** Where the bytes of a payload come from. Zero it first. */
typedef struct relais_payload_source {
    uint64_t size;               /**< of the whole; at least 1 */
    int fd;                      /**< a file that can be read at any offset, without `read` */
    relais_payload_read_fn read; /**< NULL: pread(2) from fd */
    relais_payload_progress_fn progress; /**< NULL: nobody is told */
    void *context;                       /**< of the calls */
} relais_payload_source;

/** Where they go. Zero it first. */
typedef struct relais_payload_sink {
    uint64_t have;                 /**< bytes that are there from an earlier try; read again for
                                        the digest, not fetched again */
    int fd;                        /**< open for reading and writing, without the calls */
    relais_payload_read_fn read;   /**< of what is there; NULL: pread(2) */
    relais_payload_write_fn write; /**< NULL: pwrite(2) */
    relais_payload_progress_fn progress; /**< NULL: nobody is told */
    void *context;
} relais_payload_sink;

/**
 * Sends a message whose payload comes from `source`; message->payload must be empty. Waits until it
 * is accepted. Give message->id: whoever sends again with the same id and the same bytes, even from
 * another process, goes on at the last chunk that is on the broker's disk. The digest is reckoned
 * on the way; what is on the broker's disk already is read once more for it. `timeout_ms`: gives up
 * when nothing came of it for so long (-1: never). RELAIS_OK: the message is on the broker's disk.
 * RELAIS_TIMED_OUT, RELAIS_INTERRUPTED and what relais_wait() says when the broker will not have
 * us: unknown, sending again is safe. RELAIS_TOO_LARGE: beyond the broker's or the flow's limit;
 * RELAIS_UNKNOWN_COMMAND: the broker is older than 1.2; RELAIS_SYSTEM: the source cannot be read;
 * RELAIS_FIELD_MISSING, RELAIS_FIELD_INVALID; the broker's refusals. RELAIS_USAGE: called from a
 * callback. Other messages of this client go out meanwhile.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_send_payload(relais_client *client,
                                                               const relais_message *message,
                                                               const relais_payload_source *source,
                                                               int timeout_ms, relais_error *error);

/** Bytes of a payload that is to be fetched with relais_fetch_payload(); the message's own payload
 * is empty then. 0: it is in the message. */
RELAIS_API uint64_t relais_delivery_stored_bytes(const relais_delivery *delivery);

/**
 * Fetches the payload of a delivery into `sink` and checks it against the envelope's digest. Until
 * it has returned RELAIS_OK the delivery can be given back or refused, but not acknowledged
 * (RELAIS_USAGE). It keeps the lease while it goes on. Flushing what was written to disk is the
 * caller's.
 * `timeout_ms`: gives up when no byte came for so long (-1: never).
 * RELAIS_OK. RELAIS_LEASE_LOST: the line was lost or the lease ran out; the message comes again,
 * and what was written can be kept for `have`. RELAIS_DIGEST_MISMATCH: the bytes are not the ones
 * that were sent: throw them away; fetched anew they may be right (when a partial file was not
 * ours), else refuse the delivery. RELAIS_DAMAGED: the broker has lost bytes; the message is a dead
 * letter and the lease gone. RELAIS_SYSTEM: the sink cannot be read or written. RELAIS_TIMED_OUT,
 * RELAIS_INTERRUPTED; RELAIS_USAGE: from a callback, answered before, no stored payload, or more in
 * `have` than there is.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_fetch_payload(relais_delivery *delivery,
                                                                const relais_payload_sink *sink,
                                                                int timeout_ms,
                                                                relais_error *error);

/**
 * The caller has the whole payload of this message from an earlier delivery, whose digest was
 * right: it may be acknowledged without being fetched again.
 */
RELAIS_API void relais_payload_known(relais_delivery *delivery);

#ifdef __cplusplus
}
#endif
#endif
