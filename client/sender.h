/* SPDX-License-Identifier: EUPL-1.2
 *
 * What was submitted and has no outcome yet: one list in order of submission.
 *
 *   QUEUED --sender_flush()--> IN_FLIGHT --Accepted--> gone
 *   IN_FLIGHT --Refused, again after t--> RESTING --t--> QUEUED
 *   with a stored payload: any --connection lost, upload not known--> RESTING
 * --sender_wake_stored()--> QUEUED IN_FLIGHT --Refused--> gone;  any --sender_rewind()--> QUEUED
 * (the connection was lost)
 *
 *   1. Envelope and payload are copied once; every submission sends the same bytes.
 *   2. After a lost connection messages go out in their first order.
 *   3. Each message has one outcome, told after it has left the list.
 *   4. What is held is bounded by the client's window, in messages and in bytes.
 *   5. Whoever stops waiting for a message that rests is told the broker's refusal.
 * Thread: the client's; payloads are let go by libzmq's I/O thread (counted atomically).
 */
#ifndef RELAIS_CLIENT_SENDER_H
#define RELAIS_CLIENT_SENDER_H

#include "relais/v1/command.pb-c.h"

#include <relais/send.h>
#include <stdbool.h>

enum pending_state { PENDING_QUEUED, PENDING_IN_FLIGHT, PENDING_RESTING };

struct payload_copy;

struct pending {
    struct pending *next;
    struct pending *previous;
    enum pending_state state;
    bool given_up;         /* nobody waits for it any more; never sent again */
    uint64_t number;       /* IN_FLIGHT */
    int64_t due_ms;        /* RESTING */
    relais_status refusal; /* RESTING: why */
    relais_outcome_fn done;
    void *context;
    const char *id;
    const unsigned char *envelope;
    uint32_t envelope_bytes;
    uint32_t payload_bytes;
    const unsigned char *payload;
    uint32_t upload;             /* that holds the payload; 0: it is here */
    struct payload_copy *shared; /* of a large payload; NULL: it lies behind the envelope */
};

struct sender {
    struct pending *first;
    struct pending *last;
    struct pending *unsent; /* nothing before it is QUEUED; NULL: nothing is */
    size_t window_messages;
    size_t window_bytes;
    size_t count; /* in the list, given up ones included */
    size_t bytes;
    size_t waiting; /* without the given up ones */
    size_t flight_count;
    size_t flight_bytes;
    uint64_t next_number;
    struct pending **flight; /* IN_FLIGHT, at number & flight_mask */
    size_t flight_mask;
    int64_t rest_ms; /* the earliest due_ms; INT64_MAX: nobody rests */
};

relais_status sender_init(struct sender *sender, size_t window_messages, size_t window_bytes);
void sender_fini(struct sender *sender);

/* Copies and queues a message; *out_pending is valid until its outcome. Errors of relais_submit. */
relais_status sender_add(relais_client *client, const relais_message *message,
                         relais_outcome_fn done, void *context, struct pending **out_pending,
                         relais_error *error);

/* A payload that was uploaded, for sender_add_stored(). */
struct stored_payload {
    uint64_t size;
    uint8_t digest[RELAIS_DIGEST_BYTES];
    uint32_t upload;
    relais_outcome_fn done;
    void *context;
};

/* The same for a message whose payload is on the broker's disk. */
relais_status sender_add_stored(relais_client *client, const relais_message *message,
                                const struct stored_payload *stored, struct pending **out_pending,
                                relais_error *error);

/* This connection knows the payload under that number. */
void sender_wake_stored(struct sender *sender, struct pending *pending, uint32_t upload);

/* Nobody waits for this one any more. What is known of it: RELAIS_OK nothing, or why it rests. */
relais_status sender_give_up(relais_client *client, struct pending *pending);

/* The outcome of what rests when nobody waits any longer. */
relais_status sender_fill_refusal(relais_error *error, relais_status refusal);

/* Sends what the broker's limits allow. */
void sender_flush(relais_client *client, int64_t now_ms);

/* The connection was lost. */
void sender_rewind(relais_client *client);

/* Everything left ends with RELAIS_CLOSED, or with the refusal that it rests for. */
void sender_close(relais_client *client);

/* Answers. False: the broker answered what was not asked. */
bool sender_accepted(relais_client *client, const Relais__V1__Accepted *accepted);
bool sender_refused(relais_client *client, const Relais__V1__Refused *refused, int64_t now_ms);

/* Takes a message out of the list and tells its outcome. */
void sender_finish(relais_client *client, struct pending *pending, const relais_error *error);

#endif
