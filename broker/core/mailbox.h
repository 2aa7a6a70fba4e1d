/* SPDX-License-Identifier: EUPL-1.2
 *
 * Mailboxes: their names and counters, and when entries are taken from the store for them. Never
 * more than one take of a mailbox is with the store, and never more is asked for than the consumers
 * with credit can be given. One thread.
 */
#ifndef RELAIS_CORE_MAILBOX_H
#define RELAIS_CORE_MAILBOX_H

#include "core/state.h"

/* NULL: never used. */
struct mailbox *mailbox_known(const struct core *core, const char *name);

/* NULL: no mailbox has this number. */
struct mailbox *mailbox_numbered(const struct core *core, uint32_t id);

/* The mailbox of this address, made when it is not there. NULL without memory. */
struct mailbox *mailbox_open(struct core *core, const char *name);

/* One that the store holds. False without memory. */
bool mailbox_restore(struct core *core, const struct stored_mailbox *stored);

/* Every mailbox by name, in order. */
struct mailbox **mailboxes_sorted(struct core *core, size_t *out_count);

/* Tells the store its name, once, before the first op that needs it. */
void mailbox_announce(struct step *step, struct mailbox *mailbox);
/* The same for several, in one op. False without memory, and nothing is told. */
bool mailboxes_announce(struct step *step, struct mailbox *const *mailboxes, uint32_t count);
/* Frees what the ticket holds. */
void mailbox_announced(struct step *step, const struct ticket *ticket, enum store_status status);

/* An entry came in or went for good. */
void mailbox_count_append(struct core *core, struct mailbox *mailbox, uint64_t bytes);
void mailbox_count_gone(struct core *core, struct mailbox *mailbox, uint64_t bytes);

/* The store found entries damaged and buried them by itself. */
void mailbox_count_aside(struct core *core, struct mailbox *mailbox, uint32_t count,
                         uint64_t bytes);

/* A dead letter went: to its lane (`bytes` of it), or for good. */
void mailbox_count_replayed(struct core *core, struct mailbox *mailbox, uint64_t bytes);
void mailbox_count_dropped(struct core *core, struct mailbox *mailbox);

/* Something may be there at that time; 0: now. */
void mailbox_expect(struct step *step, struct mailbox *mailbox, int64_t due_ms);

/* An entry is given back to the store, which had no room for what became of it. A full disk is not
 * asked again at once. */
void mailbox_rest(struct step *step, struct mailbox *mailbox, const struct entry_key *key);

/* An entry is given back to the store, without a write. */
void mailbox_put_back(struct step *step, struct mailbox *mailbox, const struct entry_key *key);

/* A consumer has come, gone or gained credit: look again at the end of the turn. */
void mailbox_touch(struct core *core, struct mailbox *mailbox);

/* Entries came. */
void mailbox_taken(struct step *step, const struct ticket *ticket, struct store_result *result);

/* Hands an entry that was taken to the consumer whose turn it is; buries it when it is too late,
 * gives it back when nobody can take it. Takes the message over. */
void mailbox_hand_on(struct step *step, struct mailbox *mailbox, struct store_entry *entry);

/* The same for one that is not too early, while somebody can take it. */
void mailbox_give(struct step *step, struct mailbox *mailbox, struct store_entry *entry);

/* Looks at mailboxes whose deferred entries are due. */
void mailbox_time(struct step *step);

/* Takes for the mailboxes that were touched, the first first; while LIMIT_TAKES are with the store
 * the others wait for the next flush. */
void mailbox_flush(struct step *step);

void mailboxes_fini(struct core *core);

/* Has as much waiting as a private mailbox may? Others have no such end. */
bool mailbox_is_crammed(const struct mailbox *mailbox);

#endif
