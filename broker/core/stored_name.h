/* SPDX-License-Identifier: EUPL-1.2
 *
 * The small words of stored.h: sizes of what is stored, lanes, the name of an entry, an attempt
 * that failed, how an op ended. Values only.
 */
#ifndef RELAIS_CORE_STORED_NAME_H
#define RELAIS_CORE_STORED_NAME_H

#include <stdbool.h>
#include <stdint.h>

enum {
    STORED_NAME_BYTES = 127,      /* of a mailbox: an address, slug, "/", slug */
    STORED_SENDER_BYTES = 63,     /* slug of a member */
    STORED_REASON_BYTES = 256,    /* LIMIT_REASON_BYTES: on disk for good */
    STORED_CODE_DAMAGED = 0xFFFF, /* of a dead letter that the store itself buried */
    /* Of a sender's bytes in the store, for each recipient that has not done with a message: an
     * entry and the row of what becomes of it take some 140 in pages that are two thirds full. */
    STORED_RECIPIENT_BYTES = 160,
    /* Payload bytes in one segment of a stored payload. A chunk is a whole number of them. */
    STORED_SEGMENT_BYTES = 65511,
};

/* How an attempt ended; numbers are those of relais.v1.Ending. */
enum stored_ending { ENDING_NONE = 0, ENDING_LEASE = 1, ENDING_NACK = 2, ENDING_REFUSE = 3 };

enum { STORED_CLIENT_BYTES = 63, STORED_HISTORY = 16 /* the last attempts of an entry are kept */ };

/* An attempt to deliver an entry that failed. Lives as long as the entry, or its dead letter. */
struct stored_attempt {
    uint32_t number;
    uint8_t ending;
    int64_t at_ms;
    char client[STORED_CLIENT_BYTES + 1];
    char reason[STORED_REASON_BYTES + 1];
};

enum lane { LANE_HIGH = 0, LANE_NORMAL = 1, LANE_LOW = 2, LANE_COUNT = 3 };

/* Names one entry for as long as it exists in this place. */
struct entry_key {
    uint32_t mailbox;
    uint8_t lane;
    int64_t due_ms; /* broker time, Unix milliseconds; 0: in the lane */
    uint64_t sequence;
};

enum store_status {
    STORE_DONE = 0,
    STORE_NO_ROOM, /* the reserve or the map's share is reached; nothing was written for this op */
    STORE_NOT_FOUND,       /* no such entry: acknowledged before */
    STORE_DAMAGED,         /* a checksum does not match; the entry was moved aside, or stays dead */
    STORE_REFUSED,         /* a backup cannot begin: its detail says why */
    STORE_OVER_QUOTA,      /* the sender has as much in the store as it may; nothing was written */
    STORE_TOO_MANY,        /* unfinished uploads of this sender */
    STORE_UNKNOWN_EARLIER, /* what was to be superseded; nothing was written */
};

/* One of the mailboxes that are to be remembered at once. */
struct store_name {
    uint32_t id;
    const char *name; /* as in store_op.mailbox */
};

/* An entry went for good, and the next of its order came to its lane or its time. */
struct store_turn {
    bool passed;
    int64_t due_ms; /* when it can be taken; 0: now */
};

/* A past recipient of a message that a later one has superseded. */
struct store_replaced {
    uint32_t mailbox;
    bool added; /* the later message did not name it */
    bool gone;  /* its copy of the earlier one, of `bytes` */
    uint64_t bytes;
    struct store_turn turn;
};

#endif
