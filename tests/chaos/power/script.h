/* SPDX-License-Identifier: EUPL-1.2
 *
 * A life of a store: ops made from a seed, and what must be in the store after each of them. No
 * take is part of it: the keys of entries follow from the ops.
 */
#ifndef RELAIS_TESTS_CHAOS_POWER_SCRIPT_H
#define RELAIS_TESTS_CHAOS_POWER_SCRIPT_H

#include "core/stored.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCRIPT_MAILBOXES = 4,
    SCRIPT_OPS = 160,
    SCRIPT_MESSAGES = SCRIPT_OPS,
    SCRIPT_ENVELOPE_BYTES = 40,
    SCRIPT_ID_BYTES = 12,
};

enum place { PLACE_NONE, PLACE_WAITING, PLACE_DEAD };

/* One mailbox' copy of a message. */
struct copy {
    enum place place;
    uint8_t lane;
    int64_t due_ms;
    uint32_t attempts;
};

struct step {
    enum store_op_kind kind;
    size_t message;
    size_t mailbox;    /* of an answer */
    unsigned to;       /* of an append: a bit a mailbox */
    uint8_t lane;      /* of an append */
    int64_t due_ms;    /* of an append or a defer */
    uint32_t attempts; /* of a defer or a bury */
    bool known;        /* an append that is a duplicate */
};

struct model {
    struct copy copies[SCRIPT_MESSAGES][SCRIPT_MAILBOXES];
    size_t messages; /* appended so far */
};

struct script {
    struct step steps[SCRIPT_OPS];
    size_t payload_bytes[SCRIPT_MESSAGES];
    char ids[SCRIPT_MESSAGES][SCRIPT_ID_BYTES];
};

/* `repeats`: some messages are sent again. */
void script_make(struct script *script, uint64_t seed, bool repeats);

/* What is there after the first `steps`. */
void model_after(struct model *model, const struct script *script, size_t steps);

/* The op of a step, for the store; `recipients` has room for SCRIPT_MAILBOXES and must live as long
 * as the op. Message number 0 has the sequence 1. */
struct store_op script_op(const struct script *script, size_t step, const struct model *before,
                          struct store_recipient *recipients);

uint32_t script_mailbox_id(size_t mailbox);
const char *script_mailbox_name(size_t mailbox);

#endif
