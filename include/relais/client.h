/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file client.h
 * A connection to the broker that mends itself.
 *
 * One client belongs to one thread at a time; different clients are independent; the library has no
 * global state of its own (it tells gettext where its catalogue is when it is loaded). Nothing runs
 * behind the caller's back: work is done inside relais_wait() and the calls that wait
 * (relais_send(), relais_receive()), so call one of them regularly. Heartbeats are kept up
 * meanwhile by the transport.
 *
 * When the line is lost the client reconnects with back-off (100 ms doubling to 30 s, with jitter),
 * says hello again, attaches its consumers again and submits again, with the same ids, whatever was
 * not accepted; the broker stores it once.
 */
#ifndef RELAIS_CLIENT_H
#define RELAIS_CLIENT_H

#include <poll.h>
#include <relais/key.h>
#include <relais/profile.h>
#include <relais/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct relais_client relais_client;

typedef struct relais_client_options {
    const char *endpoint;   /**< "tcp://host:port" */
    const char *broker_key; /**< Z85: the broker must own this key, or nothing is said to it */
    const relais_key *key;  /**< ours; copied, wiped on close */
    const char *software;   /**< "name/version", for the broker's log; NULL: "librelais/x.y.z" */
    size_t window_messages; /**< submitted and unanswered; 0: 1,024 */
    size_t window_bytes;    /**< the same in bytes; 0: 32 MiB */
} relais_client_options;

/**
 * Starts a client; does not wait for the broker. Copies options.
 * RELAIS_USAGE: a field of options is wrong (error.field). RELAIS_NO_MEMORY. RELAIS_SYSTEM: too few
 * file descriptors, for instance.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_client_open(const relais_client_options *options,
                                                              relais_client **out_client,
                                                              relais_error *error);

/** The same from a profile file and the key file that it names. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_client_open_profile(const char *path,
                                                                      relais_client **out_client,
                                                                      relais_error *error);

/**
 * Closes; what was not accepted is given up (its outcome is RELAIS_CLOSED). Answers already given
 * are sent, for at most 100 ms. Deliveries that are still held can only be read and freed after
 * that; consumers are gone. NULL is fine.
 */
RELAIS_API void relais_client_close(relais_client *client);

/**
 * Works for up to timeout_ms (0: without waiting, -1: for ever), until something has happened: an
 * outcome, a delivery, an answer that is on the broker's disk, a change of the connection, or one
 * of the caller's own `fds` being ready (revents are set as poll(2) does; may be NULL, at most 16).
 * While a delivery lies ready for relais_receive() it returns at once.
 * RELAIS_OK: something happened; RELAIS_TIMED_OUT; RELAIS_INTERRUPTED by a signal;
 * RELAIS_KEY_REFUSED, RELAIS_KEY_REVOKED, RELAIS_VERSION_UNSUPPORTED: the broker will not have us;
 * RELAIS_MALFORMED: one side breaks the protocol. Told once for each attempt; the client goes on
 * trying, every 15 to 30 seconds. RELAIS_USAGE: called from a callback, or more than 16 fds.
 */
RELAIS_API relais_status relais_wait(relais_client *client, int timeout_ms, struct pollfd *fds,
                                     size_t fd_count);

/** Waits until the broker has said welcome. As relais_wait(), and RELAIS_UNREACHABLE when that took
 * longer than timeout_ms. A broker whose key is not `broker_key` drops every handshake: after three
 * in a row this is RELAIS_KEY_REFUSED. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_client_connect(relais_client *client,
                                                                 int timeout_ms,
                                                                 relais_error *error);

typedef struct relais_session {
    bool connected;
    char member[64]; /**< who the broker says we are; "" until the first welcome */
    char client[64];
    char software[65];          /**< the broker's */
    uint32_t payload_bytes_max; /**< of a message that travels whole */
    uint64_t
        stored_bytes_max;  /**< of one that goes by relais/payload.h; 0: the broker takes none */
    relais_status trouble; /**< RELAIS_OK, or why we are not connected */
    uint64_t reconnects;
} relais_session;

/** A snapshot of the connection. */
RELAIS_API void relais_client_session(const relais_client *client, relais_session *out_session);

#ifdef __cplusplus
}
#endif
#endif
