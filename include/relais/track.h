/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file track.h
 * What became of a message, for each of its recipients: who has it, who has not, since when.
 * Thread rule: that of the client. Since protocol 1.2.
 */
#ifndef RELAIS_TRACK_H
#define RELAIS_TRACK_H

#include <relais/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Numbers are those of relais.v1.TrackState; a later broker may name others. */
typedef enum relais_track_state {
    RELAIS_TRACK_WAITING = 1,      /**< in its mailbox */
    RELAIS_TRACK_DELIVERED = 2,    /**< with a consumer that has not answered yet */
    RELAIS_TRACK_ACKNOWLEDGED = 3, /**< the recipient has it */
    RELAIS_TRACK_REFUSED = 4,      /**< by the recipient */
    RELAIS_TRACK_DEAD = 5,         /**< given up: `code` says why */
    RELAIS_TRACK_EXPIRED = 6,
    RELAIS_TRACK_SUPERSEDED = 7, /**< a later message took its place */
    RELAIS_TRACK_CANCELLED = 8,
    RELAIS_TRACK_DROPPED = 9, /**< a dead letter that somebody let go */
} relais_track_state;

enum { RELAIS_TRACK_STATES = 10, RELAIS_TRACK_PAGE = 250 };

typedef struct relais_track_row {
    char address[128];
    relais_track_state state;
    int64_t since_ms;   /**< Unix time in milliseconds, from when it is in this state */
    uint32_t attempts;  /**< made */
    relais_status code; /**< of a dead letter, else RELAIS_OK */
} relais_track_row;

/** What is asked. Borrowed for the call. */
typedef struct relais_track_query {
    const char *id;     /**< of the message */
    const char *sender; /**< slug; NULL: one's own member. Of another member: role operate */
    const char *after;  /**< address of the last row of the page before; NULL: the first page */
    bool missing;       /**< only recipients that have neither acknowledged nor got a later one */
} relais_track_query;

typedef struct relais_track_page {
    relais_track_row *rows;               /**< the caller's, room for `capacity` */
    size_t capacity;                      /**< 1 to RELAIS_TRACK_PAGE */
    size_t count;                         /**< out */
    bool more;                            /**< out: others follow */
    uint64_t sequence;                    /**< out: the broker's number of the message */
    int64_t accepted_ms;                  /**< out: Unix time in milliseconds */
    int64_t expires_ms;                   /**< out: 0: never */
    int64_t deadline_ms;                  /**< out: for acknowledging it, the same; 0: none */
    char flow[65];                        /**< out: "" when the flow is not on the bus any more */
    uint32_t totals[RELAIS_TRACK_STATES]; /**< out, of the first page: recipients in each state */
} relais_track_page;

/**
 * One page of the recipients of a message, in an order of the broker's own that stays the same.
 * Waits up to 30 s. RELAIS_UNKNOWN_MESSAGE: this sender has sent no such message, or it was so long
 * ago that the broker has forgotten; the same for what belongs to another member. RELAIS_BUSY: try
 * again after error->retry_after_ms. RELAIS_UNKNOWN_COMMAND: the broker is older than protocol 1.2.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_track(relais_client *client,
                                                        const relais_track_query *query,
                                                        relais_track_page *page,
                                                        relais_error *error);

/** "waiting" for RELAIS_TRACK_WAITING; "unknown" for a state outside the list. Static, English. */
RELAIS_API const char *relais_track_state_name(relais_track_state state);

#ifdef __cplusplus
}
#endif
#endif
