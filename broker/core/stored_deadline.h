/* SPDX-License-Identifier: EUPL-1.2
 *
 * The words between the core and a store about deadlines for acknowledgement. Part of stored.h.
 *
 * A deadline has steps: its reminders, the earliest first, then the deadline itself. A store keeps
 * it under the time of the step that is next, from the append of its message until its last step,
 * or until a step finds that nobody owes an answer any more.
 */
#ifndef RELAIS_CORE_STORED_DEADLINE_H
#define RELAIS_CORE_STORED_DEADLINE_H

#include "core/stored_name.h"
#include "core/tracked.h"

enum {
    STORED_REMINDERS = 8, /* of one deadline: a record of some hundred bytes; more are noise */
    STORED_ID_BYTES = 128,
    STORED_FLOW_BYTES = 64,
    STORED_DUE_ROWS = 20,  /* of recipients that are named to the sender */
    STORED_REMINDED = 256, /* recipients of one reminder: a transaction of some milliseconds */
};

struct stored_deadline {
    int64_t accepted_ms;
    int64_t deadline_ms;
    int64_t remind_ms[STORED_REMINDERS]; /* in order, all before the deadline */
    uint8_t remind_count;
    uint8_t step;   /* that is next; remind_count: the deadline itself */
    uint32_t after; /* mailbox: of this step those up to it have been reminded; 0: none */
    char sender[STORED_SENDER_BYTES + 1];
    char id[STORED_ID_BYTES + 1];
    char from[STORED_NAME_BYTES + 1]; /* an address that is warned; "": none */
    char flow[STORED_FLOW_BYTES + 1];
};

/* That a step of the deadline of message `sequence` is done. A reminder (a step before the last)
 * goes to whom the store finds: who still owes an answer, `max` at most, the lowest mailboxes
 * behind `after` first; so none that has acknowledged is reminded. */
struct deadline_pass {
    uint64_t sequence; /* 0: no deadline is meant */
    int64_t at_ms;     /* under which it is kept */
    uint8_t step;
    uint32_t max;
};

/* The deadline whose step is next of all. */
struct store_due {
    uint64_t sequence; /* of the message; 0: there is none */
    int64_t at_ms;     /* of its step; later than now: nothing is due */
    struct stored_deadline deadline;
    /* When the deadline itself is due: */
    uint32_t totals[TRACK_STATES];
    uint32_t owing; /* recipients who owe an answer, and the first of them */
    uint32_t count;
    struct store_track_row rows[STORED_DUE_ROWS];
};

/* When a step is due. */
int64_t stored_deadline_at(const struct stored_deadline *deadline, uint8_t step);

/* The latest step that is due, and at least the next: what was slept through is not made up for. */
uint8_t stored_deadline_step(const struct stored_deadline *deadline, int64_t now_ms);

/* Those behind which the recipients of a step are looked for. */
uint32_t stored_deadline_after(const struct stored_deadline *deadline, uint8_t step);

/* A step has been done, up to mailbox `last` (0: for all). False: it was the last one. */
bool stored_deadline_pass(struct stored_deadline *deadline, uint8_t step, uint32_t last);

#endif
