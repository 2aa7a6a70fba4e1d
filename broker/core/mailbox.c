/* SPDX-License-Identifier: EUPL-1.2
 *
 * See mailbox.h. A take: touch -> flush -> STORE_TAKE -> taken -> consumers (consumer.c), or back
 * to the store when nobody has credit any more, or to the dead letters when it is too late.
 */
#include "core/mailbox.h"

#include "core/ahead.h"
#include "core/consumer.h"
#include "core/due.h"
#include "core/entry.h"
#include "core/handover.h"
#include "core/limits.h"
#include "core/note.h"
#include "core/pressure.h"

#include <stdlib.h>
#include <string.h>

enum {
    SORTED_FIRST = 64,
    REST_MS = 1000, /* after a full disk */
};

static bool same_mailbox(const void *item, const void *key)
{
    return strcmp(((const struct mailbox *)item)->name, key) == 0;
}

struct mailbox *mailbox_known(const struct core *core, const char *name)
{
    return table_find(&core->mailboxes, table_hash_text(name, strlen(name)), same_mailbox, name);
}

static bool sorted_reserve(struct core *core)
{
    if (core->mailboxes.count < core->sorted_capacity) {
        return true;
    }
    size_t capacity = core->sorted_capacity ? core->sorted_capacity * 2 : SORTED_FIRST;
    struct mailbox **sorted = realloc(core->sorted, capacity * sizeof(struct mailbox *));
    if (!sorted) {
        return false;
    }
    core->sorted = sorted;
    core->sorted_capacity = capacity;
    return true;
}

struct mailbox *mailbox_numbered(const struct core *core, uint32_t id)
{
    return id < core->numbered_capacity ? core->numbered[id] : NULL;
}

/* Numbers are given one after the other and never again: an array without many holes. */
static bool numbered_reserve(struct core *core, uint32_t id)
{
    if (id < core->numbered_capacity) {
        return true;
    }
    size_t capacity = core->numbered_capacity * 2 > id ? core->numbered_capacity * 2 : id + 1U;
    struct mailbox **numbered = realloc(core->numbered, capacity * sizeof(struct mailbox *));
    if (!numbered) {
        return false;
    }
    for (size_t i = core->numbered_capacity; i < capacity; i++) {
        numbered[i] = NULL;
    }
    core->numbered = numbered;
    core->numbered_capacity = capacity;
    return true;
}

static struct mailbox *add(struct core *core, const char *name, uint32_t id)
{
    size_t size = strlen(name);
    struct mailbox *mailbox = calloc(1, sizeof *mailbox + size + 1);
    if (!mailbox) {
        return NULL;
    }
    memcpy(mailbox->name, name, size + 1);
    mailbox->id = id;
    if (!sorted_reserve(core) || !numbered_reserve(core, id) ||
        !table_add(&core->mailboxes, table_hash_text(name, size), mailbox)) {
        free(mailbox);
        return NULL;
    }
    core->sorted[core->mailboxes.count - 1] = mailbox;
    core->numbered[id] = mailbox;
    core->is_sorted = false;
    if (id >= core->next_mailbox) {
        core->next_mailbox = id + 1;
    }
    return mailbox;
}

struct mailbox *mailbox_open(struct core *core, const char *name)
{
    struct mailbox *mailbox = mailbox_known(core, name);
    return mailbox ? mailbox : add(core, name, core->next_mailbox);
}

bool mailbox_restore(struct core *core, const struct stored_mailbox *stored)
{
    struct mailbox *mailbox = add(core, stored->name, stored->id);
    if (!mailbox) {
        return false;
    }
    mailbox->announced = true;
    mailbox->more = stored->waiting > 0;
    mailbox->waiting = stored->waiting;
    mailbox->waiting_bytes = stored->waiting_bytes;
    mailbox->dead = stored->dead;
    core->totals.waiting += stored->waiting;
    core->totals.waiting_bytes += stored->waiting_bytes;
    core->totals.dead += stored->dead;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct mailbox *const *)a)->name, (*(struct mailbox *const *)b)->name);
}

struct mailbox **mailboxes_sorted(struct core *core, size_t *out_count)
{
    *out_count = core->mailboxes.count;
    if (!core->is_sorted && *out_count > 1) {
        qsort(core->sorted, *out_count, sizeof(struct mailbox *), by_name);
    }
    core->is_sorted = true;
    return core->sorted;
}

void mailbox_announce(struct step *step, struct mailbox *mailbox)
{
    if (mailbox->announced) {
        return;
    }
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_MAILBOX, &ticket);
    op->mailbox.id = mailbox->id;
    op->mailbox.name = mailbox->name;
    if (ticket) {
        ticket->mailbox = mailbox;
        mailbox->announced = true;
    }
}

static uint32_t count_unknown(struct mailbox *const *mailboxes, uint32_t count)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < count; i++) {
        unknown += mailboxes[i]->announced ? 0 : 1;
    }
    return unknown;
}

bool mailboxes_announce(struct step *step, struct mailbox *const *mailboxes, uint32_t count)
{
    uint32_t unknown = count_unknown(mailboxes, count);
    if (unknown == 0) {
        return true;
    }
    struct store_name *names = effects_alloc(step->effects, unknown * sizeof *names);
    struct mailbox **told = calloc(unknown, sizeof(struct mailbox *));
    struct ticket *ticket = NULL;
    if (!names || !told) {
        free(told);
        return false;
    }
    struct store_op *op = core_op(step, STORE_MAILBOXES, &ticket);
    op->announce.names = names;
    op->announce.count = unknown;
    if (!ticket) {
        free(told);
        return true; /* effects->failed is set */
    }
    ticket->mailboxes = told;
    ticket->mailbox_count = unknown;
    for (uint32_t i = 0, at = 0; i < count; i++) {
        if (!mailboxes[i]->announced) {
            names[at] = (struct store_name){.id = mailboxes[i]->id, .name = mailboxes[i]->name};
            told[at++] = mailboxes[i];
            mailboxes[i]->announced = true;
        }
    }
    return true;
}

void mailbox_announced(struct step *step, const struct ticket *ticket, enum store_status status)
{
    uint32_t count = ticket->mailboxes ? ticket->mailbox_count : 1;
    for (uint32_t i = 0; i < count && status != STORE_DONE; i++) {
        /* The next submit for it says the name again. */
        struct mailbox *mailbox = ticket->mailboxes ? ticket->mailboxes[i] : ticket->mailbox;
        mailbox->announced = false;
    }
    if (status != STORE_DONE) {
        note_number(note(step->effects, NOTE_WARNING, "store.mailbox_refused"), "mailboxes", count);
    }
    free(ticket->mailboxes);
}

void mailbox_count_append(struct core *core, struct mailbox *mailbox, uint64_t bytes)
{
    mailbox->waiting++;
    mailbox->waiting_bytes += bytes;
    core->totals.waiting++;
    core->totals.waiting_bytes += bytes;
}

/* The store may have moved damaged entries aside without saying which: never below zero. */
static void subtract(uint64_t *from, uint64_t amount)
{
    *from -= amount < *from ? amount : *from;
}

void mailbox_count_gone(struct core *core, struct mailbox *mailbox, uint64_t bytes)
{
    subtract(&mailbox->waiting, 1);
    subtract(&mailbox->waiting_bytes, bytes);
    subtract(&core->totals.waiting, 1);
    subtract(&core->totals.waiting_bytes, bytes);
}

void mailbox_count_dropped(struct core *core, struct mailbox *mailbox)
{
    subtract(&mailbox->dead, 1);
    subtract(&core->totals.dead, 1);
}

void mailbox_count_replayed(struct core *core, struct mailbox *mailbox, uint64_t bytes)
{
    mailbox_count_dropped(core, mailbox);
    mailbox_count_append(core, mailbox, bytes);
}

void mailbox_count_aside(struct core *core, struct mailbox *mailbox, uint32_t count, uint64_t bytes)
{
    subtract(&mailbox->waiting, count);
    subtract(&mailbox->waiting_bytes, bytes);
    subtract(&core->totals.waiting, count);
    subtract(&core->totals.waiting_bytes, bytes);
    mailbox->dead += count;
    core->totals.dead += count;
}

bool mailbox_is_crammed(const struct mailbox *mailbox)
{
    return name_is_private(mailbox->name, strcspn(mailbox->name, "/")) &&
           (mailbox->waiting >= LIMIT_PRIVATE_WAITING ||
            mailbox->waiting_bytes >= LIMIT_PRIVATE_BYTES);
}

void mailbox_touch(struct core *core, struct mailbox *mailbox)
{
    if (!mailbox->dirty) {
        mailbox->dirty = true;
        mailbox->next_dirty = NULL;
        *(core->dirty_mailboxes ? &core->last_dirty_mailbox->next_dirty : &core->dirty_mailboxes) =
            mailbox;
        core->last_dirty_mailbox = mailbox;
    }
}

void mailbox_expect(struct step *step, struct mailbox *mailbox, int64_t due_ms)
{
    if (due_ms <= step->now.wall_ms) {
        mailbox->more = true;
        mailbox->again = true;
        mailbox_touch(step->core, mailbox);
    } else if (mailbox->next_due_ms == 0 || due_ms < mailbox->next_due_ms) {
        mailbox->next_due_ms = due_ms;
        due_update(step, mailbox);
    }
}

void mailbox_put_back(struct step *step, struct mailbox *mailbox, const struct entry_key *key)
{
    core_op(step, STORE_RELEASE, NULL)->release = *key;
    mailbox_expect(step, mailbox, 0);
}

void mailbox_rest(struct step *step, struct mailbox *mailbox, const struct entry_key *key)
{
    mailbox->rest_until_ms = step->now.wall_ms + REST_MS;
    mailbox_put_back(step, mailbox, key);
}

static bool is_late(const struct step *step, const struct store_entry *entry)
{
    return entry->expires_ms > 0 && entry->expires_ms <= step->now.wall_ms;
}

void mailbox_give(struct step *step, struct mailbox *mailbox, struct store_entry *entry)
{
    if (is_late(step, entry)) {
        struct entry_ref ref = {.mailbox = mailbox,
                                .key = entry->key,
                                .attempts = entry->attempts,
                                .bytes = entry_bytes(entry)};
        entry_bury(step, &ref, RELAIS__V1__CODE__CODE_EXPIRED, "");
        held_message_drop(&entry->message);
    } else {
        consumer_give(step, mailbox->turn, entry);
    }
}

void mailbox_hand_on(struct step *step, struct mailbox *mailbox, struct store_entry *entry)
{
    bool waits = mailbox->ahead_first || !mailbox->turn;
    if (is_late(step, entry) || (!waits && !step->core->draining)) {
        mailbox_give(step, mailbox, entry);
    } else if (step->core->draining || !ahead_keep(step, mailbox, entry)) {
        mailbox_put_back(step, mailbox, &entry->key);
        held_message_drop(&entry->message);
    }
}

void mailbox_taken(struct step *step, const struct ticket *ticket, struct store_result *result)
{
    struct mailbox *mailbox = ticket->mailbox;
    step->core->takes--;
    mailbox->taking = false;
    mailbox->more = result->take.more || mailbox->again;
    mailbox->again = false;
    mailbox->next_due_ms = result->take.next_due_ms > 0 ? result->take.next_due_ms : 0;
    due_update(step, mailbox);
    if (result->status == STORE_DAMAGED) {
        struct effect *effect = note(step->effects, NOTE_ERROR, "store.damaged");
        note_text(step->effects, effect, "mailbox", mailbox->name);
        mailbox_count_aside(step->core, mailbox, result->take.aside, result->take.aside_bytes);
    }
    for (uint32_t i = 0; i < result->take.count; i++) {
        mailbox_hand_on(step, mailbox, &result->take.entries[i]);
    }
    mailbox_touch(step->core, mailbox);
}

void mailbox_time(struct step *step)
{
    struct mailbox *mailbox = NULL;
    while ((mailbox = due_take(step))) {
        mailbox_expect(step, mailbox, 0);
    }
}

static void take(struct step *step, struct mailbox *mailbox)
{
    if (!mailbox->more || mailbox->taking || !mailbox->turn || step->core->draining) {
        return;
    }
    if (mailbox->rest_until_ms > step->now.wall_ms) {
        mailbox_expect(step, mailbox, mailbox->rest_until_ms);
        return;
    }
    uint64_t entries = handover_room(mailbox);
    if (entries == 0) {
        return; /* handover_stored() touches the mailbox */
    }
    if (entries > LIMIT_TAKE_ENTRIES) {
        entries = LIMIT_TAKE_ENTRIES;
    }
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_TAKE, &ticket);
    op->take.mailbox = mailbox->id;
    op->take.max_entries = (uint32_t)entries;
    op->take.max_bytes = pressure_take_bytes(step->core);
    if (ticket) {
        ticket->mailbox = mailbox;
        mailbox->taking = true;
        mailbox->again = false;
        step->core->takes++;
    }
}

void mailbox_flush(struct step *step)
{
    struct core *core = step->core;
    struct mailbox *mailbox = NULL;
    while ((mailbox = core->dirty_mailboxes) && core->takes < LIMIT_TAKES) {
        core->dirty_mailboxes = mailbox->next_dirty;
        mailbox->dirty = false;
        mailbox->next_dirty = NULL;
        ahead_flush(step, mailbox);
        take(step, mailbox);
    }
}

void mailboxes_fini(struct core *core)
{
    for (size_t i = 0; i < core->mailboxes.count; i++) {
        ahead_fini(core->sorted[i]);
        free(core->sorted[i]);
    }
    free(core->sorted);
    free(core->numbered);
    free(core->due);
    table_fini(&core->mailboxes);
}
