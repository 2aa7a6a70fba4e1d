/* SPDX-License-Identifier: EUPL-1.2
 *
 * A simulated client, as docs/protocol.md tells to write one, and now and then not: it sends
 * messages until each has its answer, again with the same id when a connection was lost; it
 * receives, and acks, nacks, refuses, forgets, answers late, detaches, leaves, crashes.
 *
 * client.c: its connection; sender.c, receiver.c: its two halves; letters.c: what it does with dead
 * letters; speech.c: commands as frames.
 */
#ifndef RELAIS_TESTS_SIM_CLIENT_H
#define RELAIS_TESTS_SIM_CLIENT_H

#include "core/buffer.h"
#include "ledger.h"
#include "relais/v1/command.pb-c.h"

struct world;

enum { CLIENT_CONSUMERS = 3, CLIENT_RECENT = 32, CLIENT_LETTERS = 8 };

enum verdict { VERDICT_ACK, VERDICT_NACK, VERDICT_REFUSE, VERDICT_EXTEND };

/* What one command says of all the tags that it names. */
struct settlement {
    uint32_t consumer;
    enum verdict verdict;
    uint32_t delay_ms; /* of a nack; by how much a lease is extended */
};

struct answer {
    int64_t at_ms;
    uint32_t consumer;
    uint64_t tag;
    enum verdict verdict;
};

struct client_consumer {
    uint32_t number; /* 0: none */
    unsigned place;
    bool attached, leaving;
    uint32_t credit; /* what is left of it */
};

struct client {
    unsigned who;
    uint64_t line; /* 0: no connection */
    bool welcomed;
    int64_t wake_ms, connect_ms, submit_ms;
    uint32_t *backlog; /* messages to be submitted */
    size_t backlog_count, backlog_capacity;
    uint32_t *numbers; /* message of each number of this connection, number 1 first */
    size_t number_count, number_capacity;
    size_t unanswered;
    uint32_t recent[CLIENT_RECENT]; /* accepted, but not written down yet */
    size_t recent_count;
    struct client_consumer consumers[CLIENT_CONSUMERS];
    uint32_t next_consumer;
    struct answer *answers;
    size_t answer_count, answer_capacity;
    uint64_t question_count;          /* of this connection */
    unsigned letter_place;            /* that was asked for last */
    uint64_t letters[CLIENT_LETTERS]; /* sequences that were told */
    size_t letter_count;
};

void client_init(struct world *world, struct client *client, unsigned who);
void client_fini(struct client *client);
void client_look(struct world *world, struct client *client);
void client_told(struct world *world, struct client *client, uint64_t line, struct bytes command);
void client_line_gone(struct world *world, struct client *client, uint64_t line);

/* It forgets all but what it wrote down. */
void client_crash(struct world *world, struct client *client);

/* At the latest. */
void client_wake(struct world *world, struct client *client, int64_t delay_ms);

/* Nothing is left to be sent or to be answered. */
bool client_is_done(const struct client *client);

void sender_work(struct world *world, struct client *client);
void sender_accepted(struct client *client, const Relais__V1__Accepted *accepted);
void sender_refused(struct world *world, struct client *client, const Relais__V1__Refused *refused);
void sender_lost(struct client *client);

void receiver_work(struct world *world, struct client *client);
void receiver_delivered(struct world *world, struct client *client,
                        const Relais__V1__Deliver *deliver);
void receiver_attached(struct client *client, uint32_t number);
void receiver_detached(struct client *client, uint32_t number);
void receiver_lost(struct client *client);

/* Lists dead letters of its member's mailboxes; replays and drops some. */
void letters_work(struct world *world, struct client *client);
void letters_answered(struct client *client, const Relais__V1__Answer *answer);

/* The k-th mailbox of its member. */
unsigned receiver_place(const struct client *client, size_t k);

void speech_command(struct world *world, const struct client *client,
                    const Relais__V1__ToBroker *command);
void speech_hello(struct world *world, const struct client *client);
void speech_goodbye(struct world *world, const struct client *client);
void speech_attach(struct world *world, const struct client *client, uint32_t consumer,
                   unsigned place, uint32_t credit);
void speech_credit(struct world *world, const struct client *client, uint32_t consumer,
                   uint32_t add);
void speech_detach(struct world *world, const struct client *client, uint32_t consumer);

/* Tags in any order; sorted here and put into ranges. */
void speech_answer(struct world *world, const struct client *client,
                   const struct settlement *settlement, uint64_t *tags, size_t count);

/* An ack of this tag and all that come after it. */
void speech_answer_all(struct world *world, const struct client *client, uint32_t consumer,
                       uint64_t first);
void speech_submit(struct world *world, const struct client *client, uint64_t first_number,
                   struct message *const *messages, size_t count);
void speech_noise(struct world *world, const struct client *client);

#endif
