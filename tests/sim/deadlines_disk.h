/* SPDX-License-Identifier: EUPL-1.2
 *
 * The disk of the runs with deadlines. What it holds is plain, so a crash is a copy: ops wait, some
 * are written, a sync makes what is written lasting and gives the results. It judges what the
 * broker says (deadlines.h, 1 to 4) when it is written.
 */
#ifndef RELAIS_TESTS_SIM_DEADLINES_DISK_H
#define RELAIS_TESTS_SIM_DEADLINES_DISK_H

#include "chance.h"
#include "core/stored.h"
#include "trace.h"

#define DEADLINES_SENDER_PLACE "dila/greffe"

enum {
    DEADLINES_LETTERS = 5,
    DEADLINES_RECIPIENTS = 5, /* "commune-0/s" and so on */
    DEADLINES_PLACES = DEADLINES_RECIPIENTS + 1,
    DEADLINES_STEPS = 4, /* three reminders and the end */
    DEADLINES_MAILBOXES = 16,
    DEADLINES_QUEUE = 128,
    DEADLINES_TEXT = 64,
    DEADLINES_PACKED = 1024,
    DEADLINES_WITHIN_MS = 100 * 1000,
};

/* So long before the end, and 0. */
extern const int64_t DEADLINES_BEFORE_MS[DEADLINES_STEPS];

/* One message of the sender, and its recipients' copies. */
struct deadlines_letter {
    bool stored;
    uint64_t sequence;
    int64_t accepted_ms;
    bool has_deadline; /* its flow said so when it was submitted */
    enum track_state states[DEADLINES_RECIPIENTS];
    bool wavered[DEADLINES_RECIPIENTS];     /* once it could not be reminded */
    bool released[DEADLINES_RECIPIENTS];    /* once it owed nothing */
    uint8_t reminded[DEADLINES_RECIPIENTS]; /* a bit for each step */
    uint8_t said;                           /* the steps that somebody was reminded in */
    bool warned;
    bool kept; /* its deadline is */
    int64_t at_ms;
    struct stored_deadline deadline;
};

struct deadlines_state {
    struct deadlines_letter letters[DEADLINES_LETTERS];
    unsigned places[DEADLINES_MAILBOXES]; /* by mailbox id; 0: unknown, else the place and one */
    uint64_t next_sequence;
    uint64_t said; /* messages of the broker */
};

/* What a recipient does. */
struct deadlines_answer {
    unsigned letter, recipient;
    enum track_state state;
};

struct deadlines_op {
    struct store_op op;
    bool is_answer;
    struct deadlines_answer answer;
    unsigned letter;   /* of an append that is the sender's */
    bool has_deadline; /* it should have one */
    char sender[DEADLINES_TEXT];
    uint8_t envelope[DEADLINES_PACKED];
    size_t envelope_bytes;
    struct stored_deadline deadline;
    struct store_recipient recipients[DEADLINES_PLACES];
    uint32_t ids[DEADLINES_PLACES];
    unsigned places[DEADLINES_PLACES];
    uint32_t names;
};

struct deadlines_result {
    struct store_result result;
    bool about_deadlines;
};

struct deadlines_disk {
    struct trace *trace;
    struct chance *chance;
    struct deadlines_state written, synced;
    struct deadlines_op queue[DEADLINES_QUEUE];
    size_t first, count;
    struct deadlines_result results[DEADLINES_QUEUE];
    size_t result_first, result_synced, result_count;
    bool full;
    bool sender_gone;       /* its place is not in the directory */
    unsigned under_way;     /* questions and steps, from submit to collect */
    int64_t asked_ms;       /* when the last question was asked */
    uint32_t asked_owing;   /* what it was told */
    uint64_t dues, reasons; /* questions, and what there was to ask for */
};

void deadlines_disk_init(struct deadlines_disk *disk, struct trace *trace, struct chance *chance);

/* `has_deadline`: of a message that is submitted in this step. */
void deadlines_disk_submit(struct deadlines_disk *disk, const struct store_op *op,
                           bool has_deadline);
void deadlines_disk_answer(struct deadlines_disk *disk, const struct deadlines_answer *answer);
void deadlines_disk_write(struct deadlines_disk *disk, size_t count);
void deadlines_disk_sync(struct deadlines_disk *disk);
/* False: no result is ready. */
bool deadlines_disk_collect(struct deadlines_disk *disk, struct store_result *out_result);
void deadlines_disk_crash(struct deadlines_disk *disk);

/* DEADLINES_RECIPIENTS is the sender's; beyond: unknown. */
unsigned deadlines_place(const char *name);
const char *deadlines_name(unsigned place);

/* When a step of a letter is due. */
int64_t deadlines_at(const struct deadlines_letter *letter, unsigned step);

/* deadlines_judge.c: what the broker says, before it is written. */
void deadlines_judge_letter(const struct deadlines_disk *disk, const struct deadlines_op *op);
void deadlines_judge_reminder(const struct deadlines_disk *disk, const struct deadlines_op *op,
                              unsigned letter, unsigned recipient);
void deadlines_judge_step(const struct deadlines_disk *disk, const struct deadlines_op *op,
                          unsigned letter);
void deadlines_judge_warning(const struct deadlines_disk *disk, const struct deadlines_op *op,
                             unsigned letter);
bool deadlines_owes(enum track_state state);
bool deadlines_can(enum track_state state);

#endif
