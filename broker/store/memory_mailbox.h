/* SPDX-License-Identifier: EUPL-1.2
 *
 * What the memory engine keeps of a mailbox: its entries, each list sorted by (due_ms, lane,
 * sequence), and its dead ones. Messages are counted by the entries that refer to them.
 */
#ifndef RELAIS_STORE_MEMORY_MAILBOX_H
#define RELAIS_STORE_MEMORY_MAILBOX_H

#include "core/stored.h"
#include "store/sender.h"

#include <stddef.h>

enum { MEMORY_LATER = LANE_COUNT, MEMORY_LISTS = LANE_COUNT + 1 };

struct memory_content;

struct memory_message {
    uint32_t entries;
    uint64_t bytes;
    int64_t accepted_ms;
    int64_t expires_ms;
    int64_t look_ms;       /* when what waits of it has expired, or is to be looked at again */
    bool look_again;       /* one of its entries was taken when the time came */
    struct sender *sender; /* who is counted for it; NULL: nobody */
    struct memory_content *content; /* of a payload that is stored apart, or NULL */
    struct held_message held;
};

struct memory_entry {
    struct entry_key key;
    uint32_t attempts;
    bool claimed;
    uint64_t order;         /* see core/stored.h; 0: none */
    struct entry_key place; /* behind others: its key once it is its turn */
    struct memory_message *message;
    struct memory_death *death; /* NULL: it lives. See memory_dead.h */
};

struct memory_attempt {
    uint64_t sequence;
    struct stored_attempt attempt;
};

/* Entries at items[first .. first + count): taking from the front moves nothing. */
struct entry_list {
    struct memory_entry *items;
    size_t first;
    size_t count;
    size_t capacity;
};

struct memory_mailbox {
    uint32_t id;
    uint32_t picks;
    struct entry_list lists[MEMORY_LISTS];
    struct entry_list dead;
    struct entry_list behind;        /* by sequence; see memory_order.h */
    struct memory_attempt *attempts; /* see memory_attempt.h */
    size_t attempt_count;
    size_t attempt_capacity;
};

void memory_mailbox_fini(struct memory_mailbox *mailbox);

/* False without memory. */
bool memory_mailbox_add(struct memory_mailbox *mailbox, const struct memory_entry *entry);

/* NULL: no such entry. The address is good until the next change of the mailbox. */
struct memory_entry *memory_mailbox_find(struct memory_mailbox *mailbox,
                                         const struct entry_key *key);
bool memory_mailbox_remove(struct memory_mailbox *mailbox, const struct entry_key *key,
                           struct memory_entry *out_entry);

/* The entry to be taken next, and when the first free entry after now is due. */
struct memory_entry *memory_mailbox_next(struct memory_mailbox *mailbox, int64_t now_ms);
int64_t memory_mailbox_next_due(struct memory_mailbox *mailbox, int64_t now_ms);

bool entry_list_add(struct entry_list *list, const struct memory_entry *entry);

/* Index of the first entry that is not before `key`, and the entry there. */
size_t entry_list_find(const struct entry_list *list, const struct entry_key *key);
struct memory_entry *entry_list_at(const struct entry_list *list, size_t index);
void entry_list_remove(struct entry_list *list, size_t index);

/* The entry that an append has just added, which is the broker's own from the beginning. */
void memory_mailbox_claim(struct memory_mailbox *mailbox, const struct store_op *op,
                          struct store_result *result);

/* Its bytes, with references of their own. */
struct held_message memory_message_share(const struct memory_message *message);

/* One entry fewer; true when the message went with it. */
bool memory_message_unref(struct memory_message *message);

#endif
