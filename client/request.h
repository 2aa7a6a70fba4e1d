/* SPDX-License-Identifier: EUPL-1.2
 *
 * Requests that wait for their answers, and the private mailbox that these come to.
 *
 *   SENDING --accepted--> ACCEPTED;  --refused for good--> REFUSED
 *
 *   1. The mailbox is opened with the first request and stays open until the client closes.
 *   2. An answer is given to the request that it names; one that names none of this process goes
 *      back uncounted, one that a request of ours no longer waits for is acknowledged.
 * Thread: the client's.
 */
#ifndef RELAIS_CLIENT_REQUEST_H
#define RELAIS_CLIENT_REQUEST_H

#include "client/receiver.h"
#include "client/sender.h"

#include <relais/request.h>

enum {
    REQUEST_PAST = 64, /* ids of requests that are over: their answers may still come */
};

enum request_state { REQUEST_SENDING, REQUEST_ACCEPTED, REQUEST_REFUSED };

struct relais_request {
    relais_request *next;
    relais_client *client; /* NULL: closed */
    char id[RELAIS_ID_BYTES + 1];
    int64_t deadline_ms; /* monotonic */
    enum request_state state;
    struct pending *pending; /* while SENDING */
    relais_error refusal;    /* REFUSED */
    relais_delivery *reply;  /* until the caller takes it */
    bool answered;           /* the caller has taken it */
};

/* Made with the first request. */
struct requester {
    relais_consumer *consumer;
    relais_request *first;
    char past[REQUEST_PAST][RELAIS_ID_BYTES + 1];
    size_t past_count; /* in all: the latest is at (past_count - 1) % REQUEST_PAST */
};

/* Gives the answers that have come to their requests. */
void requester_sort(relais_client *client);

/* The client closes: requests stay with their owners, closed. Before receiver_close(). */
void requester_close(relais_client *client);

#endif
