/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_attempt.h"

#include <stdlib.h>

/* Those of the entry up to this number go. */
static void forget(struct memory_mailbox *mailbox, uint64_t sequence, uint32_t last)
{
    size_t kept = 0;
    for (size_t i = 0; i < mailbox->attempt_count; i++) {
        const struct memory_attempt *one = &mailbox->attempts[i];
        if (one->sequence != sequence || one->attempt.number > last) {
            mailbox->attempts[kept++] = *one;
        }
    }
    mailbox->attempt_count = kept;
}

bool memory_attempt_keep(struct memory_mailbox *mailbox, uint64_t sequence,
                         const struct stored_attempt *attempt)
{
    if (attempt == NULL) {
        return true;
    }
    if (mailbox->attempt_count == mailbox->attempt_capacity) {
        size_t capacity = mailbox->attempt_capacity == 0 ? 16 : mailbox->attempt_capacity * 2;
        struct memory_attempt *grown = realloc(mailbox->attempts, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        mailbox->attempts = grown;
        mailbox->attempt_capacity = capacity;
    }
    mailbox->attempts[mailbox->attempt_count++] =
        (struct memory_attempt){.sequence = sequence, .attempt = *attempt};
    if (attempt->number > STORED_HISTORY) {
        forget(mailbox, sequence, attempt->number - STORED_HISTORY);
    }
    return true;
}

void memory_attempts_forget(struct memory_mailbox *mailbox, uint64_t sequence)
{
    forget(mailbox, sequence, UINT32_MAX);
}

bool memory_attempts_read(const struct memory_mailbox *mailbox, uint64_t sequence,
                          struct store_dead *out_dead)
{
    out_dead->history = calloc(STORED_HISTORY, sizeof *out_dead->history);
    if (out_dead->history == NULL) {
        return false;
    }
    for (size_t i = 0; i < mailbox->attempt_count && out_dead->history_count < STORED_HISTORY;
         i++) {
        if (mailbox->attempts[i].sequence == sequence) {
            out_dead->history[out_dead->history_count++] = mailbox->attempts[i].attempt;
        }
    }
    return true;
}
