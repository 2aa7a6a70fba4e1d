/* SPDX-License-Identifier: EUPL-1.2
 *
 * Consumers, the deliveries that they hold, and the answers on their way.
 *
 *   UNATTACHED --Attach sent--> ATTACHING --Attached--> ATTACHED
 *   ATTACHING, ATTACHED --Detached, for good--> REFUSED;  --for now, or line lost--> UNATTACHED
 *   any --relais_detach()--> LEAVING --Detached, or line lost--> gone
 *
 *   1. A lease belongs to the consumer's generation, which ends when the line is lost or the
 *      consumer is detached; an answer of an older generation is RELAIS_LEASE_LOST.
 *   2. Answers are kept in the deliveries themselves: giving one needs no memory and cannot fail.
 *   3. held + owed + credit at the broker = the consumer's credit; the broker never delivers more.
 *   4. A delivery lives until the caller has freed it and its answer has been sent.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_RECEIVER_H
#define RELAIS_CLIENT_RECEIVER_H

#include "client/frames.h"

#include <relais/receive.h>
#include <stdbool.h>

enum {
    RECEIVER_CREDIT_MAX = 1024, /* the most that the API takes for one consumer */
    RECEIVER_REASON_BYTES = 256,
};

enum consumer_state {
    CONSUMER_UNATTACHED,
    CONSUMER_ATTACHING,
    CONSUMER_ATTACHED,
    CONSUMER_REFUSED,
    CONSUMER_LEAVING,
};

/* HAND_BACK: of a private mailbox, for another process of this client. */
enum answer_kind {
    ANSWER_NONE,
    ANSWER_ACK,
    ANSWER_NACK,
    ANSWER_HAND_BACK,
    ANSWER_REFUSE,
    ANSWER_LOST,
};

struct relais_delivery {
    relais_consumer *consumer;
    relais_delivery *next; /* in the list of ready ones, then in that of answers */
    uint64_t generation;
    uint64_t tag;
    uint32_t attempt;
    int64_t accepted_ms;
    uint32_t lease_ms;
    int64_t lease_until_ms; /* monotonic */
    struct frame *frame;    /* the payload lies in it */
    enum answer_kind answer;
    uint32_t delay_ms;
    char reason[RECEIVER_REASON_BYTES + 1];
    bool in_answers;       /* its answer is still to be sent */
    bool freed;            /* the caller is done with it */
    uint64_t stored_bytes; /* of a payload that is to be fetched; 0: it is here */
    bool verified;         /* it was, and its digest is right */
    uint8_t digest[RELAIS_DIGEST_BYTES];
    char sender[64];
    uint8_t *letter; /* the envelope's bytes, of one that is sealed or signed; else NULL */
    size_t letter_bytes;
    uint8_t *opened; /* the payload, once it was opened */
    size_t opened_bytes;
    bool is_sealed; /* verified and opened */
    relais_message message;
    max_align_t memory[]; /* lists and texts of message */
};

struct delivery_list {
    relais_delivery *first;
    relais_delivery *last;
};

struct relais_consumer {
    relais_consumer *next;
    relais_client *client; /* NULL: closed; only deliveries keep it */
    uint32_t number;
    char address[RELAIS_ADDRESS_BYTES + 1];
    uint32_t credit;      /* asked for */
    uint32_t credit_used; /* what was said in Attach: the broker's limit may be lower */
    enum consumer_state state;
    bool leave_sent;
    int64_t attach_ms; /* UNATTACHED: not before */
    relais_error refusal;
    uint64_t generation;
    uint64_t next_tag;
    uint32_t lease_ms;
    size_t held;
    size_t owed;
    size_t unsettled;
    size_t unsent;       /* in answers */
    bool unsure;         /* the broker did not know some delivery: its answer never settles */
    int64_t answered_ms; /* when answers were last sent */
    struct delivery_list ready;
    struct delivery_list answers;
    size_t references; /* deliveries in the caller's hands */
};

struct receiver {
    relais_consumer *consumers;
    uint32_t last_number;
    int64_t worked_ms; /* when answers were last sent */
};

/* Commands of the broker. False: it breaks the protocol; receiver_deliver() also without memory,
 * with RELAIS_NO_MEMORY in connection.complaint. */
bool receiver_attached(relais_client *client, const Relais__V1__Attached *attached);
bool receiver_detached(relais_client *client, const Relais__V1__Detached *detached, int64_t now_ms);
bool receiver_deliver(relais_client *client, const Relais__V1__Deliver *deliver,
                      const struct frames_in *in, int64_t now_ms);
bool receiver_settled(relais_client *client, const Relais__V1__Settled *settled);
void receiver_unknown_delivery(relais_client *client, int64_t now_ms);

/* Sends attaches, answers, credit and detaches. */
void receiver_flush(relais_client *client, int64_t now_ms);

/* The connection was lost. */
void receiver_rewind(relais_client *client);

/* The client closes: consumers go, but for those that deliveries still name. */
void receiver_close(relais_client *client);

/* When receiver_flush() has something to do by itself; INT64_MAX: never. */
int64_t receiver_next_ms(const relais_client *client);

/* True when a delivery can be taken. */
bool receiver_is_ready(const relais_client *client);

/* consumer.c: the lists. */
void delivery_append(struct delivery_list *list, relais_delivery *delivery);
relais_delivery *delivery_take(struct delivery_list *list);
void delivery_destroy(relais_delivery *delivery);
void consumer_end_generation(relais_consumer *consumer);
void consumer_release(relais_consumer *consumer); /* frees it when nothing names it any more */
relais_consumer *consumer_find(const relais_client *client, uint32_t number);
/* answer.c */
void answer_record(relais_delivery *delivery, enum answer_kind kind, uint32_t delay_ms,
                   const char *reason);
void answer_flush(relais_client *client, relais_consumer *consumer, int64_t now_ms);

#endif
