/* SPDX-License-Identifier: EUPL-1.2
 *
 * Knows what the core was told and what it says, nothing of how it decides, and holds it to its
 * promises after every step:
 *   1. Accepted names only what is synced; each number has one answer, in the turn of its cause.
 *   2. A message is refused, or handed to the store, exactly when the rules say so.
 *   3. What is accepted leaves the disk only by an ack of the consumer that held it, or dead for a
 *      reason that is true. Nothing that was taken is forgotten.
 *   4. A delivery goes to a consumer that is attached, for the mailbox it was sent to, whole,
 *      within its credit, neither too early nor too late, and to one at a time.
 *   5. A lease ends when it is answered, when it runs out, when its consumer goes: never otherwise.
 *   6. Settled names only answers on disk; each once.
 *   7. What Status and Queues count is so. Memory stays bounded.
 *   8. A member has as much in the store, and sends as much a second, as its quotas say.
 *   9. Of one ordering key, a mailbox gives out one at a time, in the order accepted.
 *  10. What supersedes a message reaches each recipient of it, once, for each copy nobody had.
 *
 * oracle.c: what goes in; admission.c, judge.c: ops; verdict.c: commands; count.c: the end of a
 * turn; question.c: dead letters; share.c: quotas; order.c: ordering keys; ahead.h.
 */
#ifndef RELAIS_TESTS_SIM_ORACLE_H
#define RELAIS_TESTS_SIM_ORACLE_H

#include "core/core.h"
#include "disk.h"
#include "ledger.h"
#include "plan.h"
#include "town.h"
#include "trace.h"
#include "wire/codec.h"

/* Connections from here on are the simulator's own: it asks for Status and Queues. */
#define ORACLE_OPERATOR (UINT64_MAX / 2)

enum number_state {
    NUMBER_NEW,
    NUMBER_STORING,
    NUMBER_STORED, /* the core knows */
    NUMBER_FULL,
    NUMBER_OVER,    /* its sender has enough in the store */
    NUMBER_UNKNOWN, /* it supersedes what is not there */
    NUMBER_WRONG,   /* it breaks a rule, and the store does not know it */
    NUMBER_ANSWERED,
};

struct oracle_number {
    struct message *message;
    enum number_state state;
    uint32_t refused; /* code */
};

enum tag_state { TAG_HELD, TAG_ANSWERED, TAG_ON_DISK, TAG_OVER };

struct oracle_tag {
    struct message *message;
    enum tag_state state;
};

struct oracle_consumer {
    uint64_t connection;
    uint32_t number;
    unsigned place;
    uint64_t credit;
    uint64_t held, held_bytes;
    uint32_t settling;       /* answers with the store */
    uint32_t untold;         /* on disk, Settled is due */
    struct oracle_tag *tags; /* tag 1 first */
    size_t tag_count, tag_capacity;
    uint64_t answered_tag;
    int64_t answered_ms;
    bool ending, gone;
    bool paused; /* the first that it held, when it went */
};

struct oracle_session {
    uint64_t connection;
    unsigned client;
    bool over;                     /* cut, or left */
    bool gone;                     /* and closed */
    struct oracle_number *numbers; /* number 1 first */
    size_t number_count, number_capacity;
    uint64_t untold;        /* refusals that are due in this turn */
    uint64_t unconfirmed;   /* on disk, Accepted is due */
    int64_t unconfirmed_ms; /* mono: since when */
    uint64_t window_messages, window_bytes;
    uint64_t asking;     /* questions with the store */
    uint32_t *consumers; /* serials */
    size_t consumer_count, consumer_capacity;
};

struct oracle_lease {
    struct message *message;
    struct life *life;
    uint32_t holder;
    uint64_t tag;
    int64_t until_ms;
};

struct oracle_place {
    bool opened, announced;
    uint32_t id;
    uint64_t waiting, waiting_bytes, dead, leased;
    uint32_t consumers;
    uint32_t takes;         /* with the store */
    uint64_t taken, claims; /* that nobody holds yet; that appends will take */
};

/* What came of a command, and what should. */
struct oracle_outcome {
    bool welcome, attached, detached, close;
    uint32_t error; /* code */
};

enum oracle_step_kind { STEP_FRAMES, STEP_CLOSED, STEP_STORED, STEP_OTHER, STEP_TIME, STEP_FLUSH };

/* What is asked about dead letters, or has been answered by the store. */
struct oracle_question {
    enum store_op_kind kind;
    unsigned place;
    uint64_t sequence;
    bool to_store; /* it must go there in this step */
    bool is_due;   /* its answer must leave in this step */
    uint64_t connection, number;
    Relais__V1__Answer__WhatCase answer;
    uint32_t error; /* code of it */
};

struct oracle_step {
    enum oracle_step_kind kind;
    uint64_t connection;
    unsigned client;
    struct oracle_session *session; /* NULL: none before this step */
    const Relais__V1__ToBroker *command;
    struct oracle_consumer *consumer; /* that the command is about */
    size_t first, count;              /* numbers of a submit, from 0 */
    size_t next;                      /* of them, to be looked at */
    bool dies;                        /* the session ends as if its client had died of something */
    struct oracle_outcome expected, seen;
    struct oracle_question question;
};

struct oracle_totals {
    uint64_t accepted, duplicates, refused, delivered, acknowledged;
};

/* A member's bucket of messages a second. */
struct oracle_share {
    bool known;
    int64_t at_ms; /* mono */
    uint64_t tokens;
    uint64_t storing, storing_bytes; /* on their way to disk */
};

struct oracle {
    struct trace *trace;
    struct ledger *ledger;
    const struct town *town;
    const struct plan *plan;
    struct moment now;
    struct wire_arena heard, told;
    struct oracle_step step;
    struct store_cancelled cancelled; /* what is to be told of a withdrawal */
    struct store_tracked tracked;     /* what is to be told of a message, and its rows */
    struct store_track_row tracked_rows[TOWN_PLACES];
    struct op_note *notes; /* of the effects of this turn */
    size_t note_capacity;
    struct oracle_session **sessions; /* by connection; NULL: never welcomed */
    size_t session_capacity;
    uint64_t *open; /* connections of sessions that are not gone */
    size_t open_count, open_capacity;
    struct oracle_consumer **consumers; /* by serial */
    size_t consumer_count, consumer_capacity;
    struct oracle_lease *leases; /* from `lease_first` on, by deadline; some are over */
    size_t lease_first, lease_count, lease_capacity;
    struct oracle_place places[TOWN_PLACES];
    struct oracle_share shares[TOWN_MEMBERS];
    struct oracle_totals totals;
    uint64_t storing, storing_bytes, settling, taken, asking;
    int64_t no_room_ms; /* mono: when an answer found none */
    bool draining;
    bool expiring;                                  /* a step of what expires is with the store */
    bool tight;                                     /* much is unsent */
    uint64_t share_bytes;                           /* of a consumer, while it is */
    uint64_t orders[TOWN_MEMBERS][LEDGER_KEYS + 1]; /* of keys, as the store was told; 0: never */
    uint64_t delivered;                             /* in the whole run */
};

void oracle_init(struct oracle *oracle, struct trace *trace, struct ledger *ledger,
                 const struct town *town, const struct plan *plan);
void oracle_fini(struct oracle *oracle);
/* A new broker begins: nothing that was accepted may be missing. */
void oracle_restart(struct oracle *oracle, const struct disk *disk);

/* What the core is about to be told. `client`: who speaks. */
void oracle_frames(struct oracle *oracle, const struct event *event, unsigned client);
void oracle_closed(struct oracle *oracle, uint64_t connection);
void oracle_stored(struct oracle *oracle, const struct disk_result *result);
void oracle_time(struct oracle *oracle);
void oracle_directory(struct oracle *oracle);
void oracle_drain(struct oracle *oracle);
void oracle_flush(struct oracle *oracle);

/* So much waits for clients to read it: before a flush. */
void oracle_unsent(struct oracle *oracle, uint64_t unsent_bytes);
/* What it made of it: the effects from `from` on. */
void oracle_judge(struct oracle *oracle, const struct effects *effects, size_t from);
/* The turn is over. */
void oracle_turn(struct oracle *oracle, const struct core *core, const struct effects *effects,
                 struct disk *disk);
void oracle_status(const struct oracle *oracle, const Relais__V1__Status *status);
void oracle_queues(const struct oracle *oracle, const Relais__V1__Queues *queues);

bool oracle_is_done(const struct oracle *oracle); /* nothing stored is still waiting */

bool oracle_may_pass(const struct oracle *oracle, unsigned member);
void oracle_spend(struct oracle *oracle, unsigned member); /* or looks at the empty bucket */
bool oracle_may_hold_more(const struct oracle *oracle, const struct oracle_consumer *consumer);
bool oracle_may_store(const struct oracle *oracle, unsigned member, uint64_t cost);
bool oracle_may_connect(const struct oracle *oracle, unsigned client);
struct oracle_session *oracle_session(const struct oracle *oracle, uint64_t connection);
struct oracle_consumer *oracle_consumer(const struct oracle *oracle,
                                        const struct oracle_session *session, uint32_t number);
struct life *oracle_life(const struct oracle *oracle, const struct entry_key *key,
                         struct message **out_message, unsigned *out_place);
void oracle_lease_ends(struct oracle *oracle, struct life *life, struct message *message);
void oracle_welcome(struct oracle *oracle);
void oracle_attached(struct oracle *oracle, const Relais__V1__Attach *attach);
void oracle_over(struct oracle *oracle, struct oracle_session *session);
void oracle_consumer_gone(struct oracle *oracle, struct oracle_consumer *consumer);
void oracle_append(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_known(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_check_refused(struct oracle *oracle, size_t until);
void oracle_told(struct oracle *oracle, const struct effect *effect);

/* Ordering keys: what the store is told of them, and a message that is delivered. */
void oracle_order_stored(struct oracle *oracle, const struct message *message, uint64_t order);
void oracle_order_delivered(const struct oracle *oracle, const struct message *message,
                            unsigned place);
/* Dead letters: heard, handed to the store, answered by it, told. */
void oracle_query(struct oracle *oracle, const Relais__V1__Query *query);
void oracle_manage(struct oracle *oracle, const Relais__V1__Manage *manage);
void oracle_asked(struct oracle *oracle, const struct store_op *op, struct op_note *note);
void oracle_stored_dead(struct oracle *oracle, const struct disk_result *result);
void oracle_told_answer(struct oracle *oracle, uint64_t connection,
                        const Relais__V1__Answer *answer);
void oracle_lease_add(struct oracle *oracle, const struct oracle_lease *lease);
bool oracle_renews(const struct oracle *oracle, const struct life *life);
void oracle_lease_extend(struct oracle *oracle, const Relais__V1__Extend *extend);

#endif
