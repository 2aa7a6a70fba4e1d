/* SPDX-License-Identifier: EUPL-1.2
 *
 * What becomes of an entry that was taken: done with, tried again later, or dead. Each is an op for
 * the store, and the consumer whose answer it was (if it was one) is told when it is on disk.
 *
 * Invariant: after one of these calls the entry is the store's again (core.h, promise 2). One
 * thread.
 */
#ifndef RELAIS_CORE_ENTRY_H
#define RELAIS_CORE_ENTRY_H

#include "core/state.h"
#include "relais/v1/command.pb-c.h"

struct entry_ref {
    struct mailbox *mailbox;
    struct entry_key key;
    uint32_t attempts;      /* made so far */
    uint32_t attempts_most; /* for entry_try_again() */
    uint64_t bytes;
    const struct consumer *consumer; /* who answered; NULL: nobody did */
    uint64_t tag;
    const struct consumer *holder; /* who had it, when an attempt has failed */
    enum stored_ending ending;     /* of that attempt */
};

uint64_t entry_bytes(const struct store_entry *entry);

void entry_acknowledge(struct step *step, const struct entry_ref *ref);
void entry_defer(struct step *step, const struct entry_ref *ref, int64_t due_ms);
void entry_bury(struct step *step, const struct entry_ref *ref, Relais__V1__Code code,
                const char *reason);

/* Defers it, or buries it when its attempts are used up. */
void entry_try_again(struct step *step, const struct entry_ref *ref, int64_t due_ms,
                     const char *reason);

/* The store has done one of these. */
void entry_stored(struct step *step, const struct ticket *ticket,
                  const struct store_result *result);

#endif
