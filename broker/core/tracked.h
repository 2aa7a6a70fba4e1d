/* SPDX-License-Identifier: EUPL-1.2
 *
 * The words between the core and a store about what became of a message. Part of stored.h.
 */
#ifndef RELAIS_CORE_TRACKED_H
#define RELAIS_CORE_TRACKED_H

#include <stdbool.h>
#include <stdint.h>

/* What has become of one recipient's copy, as a store keeps it beyond the message itself. Numbers
 * are those of relais.v1.TrackState. */
enum track_state {
    TRACK_WAITING = 1,
    TRACK_DELIVERED = 2, /* waiting, and taken now; never on disk */
    TRACK_ACKNOWLEDGED = 3,
    TRACK_REFUSED = 4, /* a dead letter, as DEAD, EXPIRED and CANCELLED */
    TRACK_DEAD = 5,
    TRACK_EXPIRED = 6,
    TRACK_SUPERSEDED = 7,
    TRACK_CANCELLED = 8,
    TRACK_DROPPED = 9, /* a dead letter that was let go */
    TRACK_STATES = 10,
};

/* Codes of a bury (relais.v1.Code) that have a state of their own. */
enum {
    STORED_CODE_EXPIRED = 16,
    STORED_CODE_REFUSED = 22,
    STORED_CODE_CANCELLED = 31,
};

struct store_track_row {
    uint32_t mailbox;
    uint32_t attempts;
    uint32_t code; /* of a dead letter */
    int64_t since_ms;
    enum track_state state;
};

struct store_track_query {
    const char *sender;
    const char *id;
    uint32_t after; /* mailbox; the first row is of a higher one; 0: and with totals */
    uint32_t max_rows;
    bool missing;   /* only those that have neither acknowledged nor have a later one */
    uint32_t from;  /* mailbox, from which on recipients are looked at */
    uint32_t looks; /* at so many at most; 0: at all */
};

struct store_tracked {
    uint64_t sequence;
    int64_t accepted_ms;
    int64_t expires_ms;
    int64_t deadline_ms; /* for acknowledging it; 0: none */
    uint64_t flow;
    struct store_track_row *rows; /* by mailbox; receiver calls free() */
    uint32_t count;
    bool more;
    uint32_t totals[TRACK_STATES];
    uint32_t next; /* mailbox, from which on nothing was looked at; 0: that was all */
};

/* What became of the copies of a message that its sender withdraws. */
struct store_cancelled {
    uint32_t *mailboxes; /* of those that are dead letters now; receiver calls free() */
    uint32_t count;
    uint32_t withdrawn; /* these, and those that were before */
    uint32_t too_late;  /* taken, or acknowledged */
    uint64_t bytes;     /* of the message, when count > 0 */
};

#endif
