/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a client is made of, for the files of this folder.
 * Thread: the client's; nothing here is shared.
 */
#ifndef RELAIS_CLIENT_CLIENT_STATE_H
#define RELAIS_CLIENT_CLIENT_STATE_H

#include "client/connection.h"
#include "client/fetch.h"
#include "client/frames.h"
#include "client/receiver.h"
#include "client/sender.h"
#include "client/upload.h"
#include "wire/arena.h"

#include <relais/operate.h>
#include <relais/track.h>

enum {
    CLIENT_ENDPOINT_BYTES = 256,
    CLIENT_SOFTWARE_BYTES = 64,
    CLIENT_FDS_MAX = 16, /* of the caller, in relais_wait() */
};

struct signed_rows;

/* One question, on the stack of the call that asks it. */
struct question {
    uint64_t number;
    uint64_t asked_at;                /* connection.welcomes when it was last sent; 0: not yet */
    const Relais__V1__Query *query;   /* this, */
    const Relais__V1__Manage *manage; /* or this */
    bool answered;
    relais_error refusal;
    relais_broker_status *out_status;
    relais_dead_page *out_dead;
    relais_usage *out_usage;
    relais_cancelled *out_cancelled;
    relais_upkeep *out_upkeep;
    relais_track_page *out_track;
    relais_queue *out_queues;
    struct signed_rows *out_directory;
    size_t capacity;
    size_t count;
    bool more;
};

struct requester;
struct sealing;

struct relais_client {
    struct connection connection;
    struct sender sender;
    struct receiver receiver;
    struct requester *requester; /* NULL: nothing was ever asked */
    struct sealing *sealing;     /* NULL: nothing is sealed or opened */
    struct question *question;   /* NULL: none */
    uint64_t last_question;
    struct upload_job *upload; /* on the stack of relais_send_payload(); NULL: none */
    uint32_t last_upload;
    struct fetch_job *fetch; /* the same of relais_fetch_payload() */
    struct frames_in in;
    struct wire_arena commands;
    struct wire_arena envelopes;
    bool happened; /* since the last look: what relais_wait() waits for */
    bool calling;  /* inside a callback */
    bool closing;
    relais_status verdict; /* to be told once by the next waiting call; RELAIS_OK: none */
    char endpoint[CLIENT_ENDPOINT_BYTES];
    char broker_key[RELAIS_KEY_CHARACTERS + 1];
    relais_key key;
    char software[CLIENT_SOFTWARE_BYTES + 1];
    char member[64]; /* the broker's word, or the profile's until then */
    char name[64];
    char broker_software[65];
    bool welcomed;
};

/* client.c. Works until something has happened or deadline_ms (monotonic; INT64_MAX: for ever).
 * RELAIS_OK, RELAIS_TIMED_OUT, RELAIS_INTERRUPTED, a verdict of the broker. */
relais_status client_work(relais_client *client, int64_t deadline_ms, struct pollfd *fds,
                          size_t fd_count);

/* The moment that lies timeout_ms from now. */
int64_t client_deadline(int timeout_ms);

/* Sends one command with frames behind it; true when it is on its way. A socket that takes nothing
 * now sets connection.blocked; one that fails loses the connection. */
bool client_say(relais_client *client, const Relais__V1__ToBroker *command, zmq_msg_t *frames,
                size_t count);

/* dispatch.c. Reads and handles what the broker has sent, up to a bound. */
void dispatch_all(relais_client *client, int64_t now_ms);

/* Handles one message, whose frames are in client->in. False: it breaks the protocol, or there is
 * no memory for it; connection.complaint says which and where. Foreign bytes enter here. */
bool dispatch_frames(relais_client *client, int64_t now_ms);

/* operate.c */
void question_flush(relais_client *client);
bool question_answered(relais_client *client, const Relais__V1__Answer *answer);

/* Waits for the answer to what is filled in; RELAIS_OK: it is in the places of the question. */
relais_status question_ask(relais_client *client, struct question *question, int timeout_ms,
                           relais_error *error);

/* False: more rows than there is room for. */
bool track_keep(const Relais__V1__Track *said, relais_track_page *page);

/* cancel.c. cancel_say() is not waited for. */
void cancel_keep(const Relais__V1__Done *said, relais_cancelled *out_cancelled);
void cancel_say(relais_client *client, const char *id);

/* usage.c */
void usage_keep(const Relais__V1__Usage *said, relais_usage *out_usage);

/* signed_directory.c. False: the broker broke the rules, or there is no memory. */
bool signed_rows_keep(const Relais__V1__SignedDirectory *said, struct signed_rows *rows);

/* upkeep.c. False: the broker broke the rules. */
bool upkeep_keep(const Relais__V1__Report *said, relais_upkeep *out_upkeep);

/* dead_letter.c. False: the broker breaks the protocol. */
bool dead_letters_keep(const Relais__V1__DeadLetters *said, relais_dead_page *page);

#endif
