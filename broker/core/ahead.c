/* SPDX-License-Identifier: EUPL-1.2
 *
 * See ahead.h.
 */
#include "core/ahead.h"

#include "core/entry.h"
#include "core/limits.h"
#include "core/mailbox.h"

#include <stdlib.h>

enum {
    AHEAD_MS = 250, /* some commits, and answers on a slow line */
    LEAST = 16,
};

struct ahead {
    struct mailbox *mailbox;
    struct store_entry entry;
    uint64_t bytes;
    int64_t since_ms;                       /* mono */
    struct ahead *next;                     /* of the mailbox */
    struct ahead *time_before, *time_after; /* of all, the oldest first */
};

uint64_t ahead_most(const struct mailbox *mailbox)
{
    uint64_t window = mailbox->leased + mailbox->credit;
    uint64_t most = mailbox->ahead_most > LEAST ? mailbox->ahead_most : LEAST;
    return window < most ? window : most;
}

static void add(struct core *core, struct mailbox *mailbox, struct ahead *ahead)
{
    *(mailbox->ahead_first ? &mailbox->ahead_last->next : &mailbox->ahead_first) = ahead;
    mailbox->ahead_last = ahead;
    ahead->time_before = core->ahead_last;
    *(core->ahead_last ? &core->ahead_last->time_after : &core->ahead_first) = ahead;
    core->ahead_last = ahead;
    mailbox->ahead_count++;
    mailbox->ahead_bytes += ahead->bytes;
    core->ahead_bytes += ahead->bytes;
}

bool ahead_keep(struct step *step, struct mailbox *mailbox, struct store_entry *entry)
{
    uint64_t bytes = entry_bytes(entry);
    if (mailbox->ahead_count >= ahead_most(mailbox) ||
        mailbox->ahead_bytes + bytes > LIMIT_AHEAD_BYTES ||
        step->core->ahead_bytes + bytes > LIMIT_AHEAD_TOTAL_BYTES ||
        !held_message_own(&entry->message)) {
        return false;
    }
    struct ahead *ahead = calloc(1, sizeof *ahead);
    if (!ahead) {
        return false;
    }
    ahead->mailbox = mailbox;
    ahead->entry = *entry;
    ahead->bytes = bytes;
    ahead->since_ms = step->now.mono_ms;
    entry->message = (struct held_message){0};
    add(step->core, mailbox, ahead);
    mailbox_touch(step->core, mailbox);
    return true;
}

/* The first of a mailbox, out of both lists. */
static struct ahead *first_out(struct core *core, struct mailbox *mailbox)
{
    struct ahead *ahead = mailbox->ahead_first;
    mailbox->ahead_first = ahead->next;
    *(ahead->time_before ? &ahead->time_before->time_after : &core->ahead_first) =
        ahead->time_after;
    *(ahead->time_after ? &ahead->time_after->time_before : &core->ahead_last) = ahead->time_before;
    mailbox->ahead_count--;
    mailbox->ahead_bytes -= ahead->bytes;
    core->ahead_bytes -= ahead->bytes;
    return ahead;
}

static void give_back(struct step *step, struct mailbox *mailbox)
{
    mailbox->ahead_most = mailbox->ahead_count / 2;
    while (mailbox->ahead_first) {
        struct ahead *ahead = first_out(step->core, mailbox);
        mailbox_put_back(step, mailbox, &ahead->entry.key);
        held_message_drop(&ahead->entry.message);
        free(ahead);
    }
}

void ahead_flush(struct step *step, struct mailbox *mailbox)
{
    if (!mailbox->ahead_first) {
        return;
    }
    while (mailbox->ahead_first && mailbox->turn) {
        struct ahead *ahead = first_out(step->core, mailbox);
        mailbox_give(step, mailbox, &ahead->entry);
        free(ahead);
    }
    if (!mailbox->ahead_first && mailbox->ahead_most < LIMIT_AHEAD_ENTRIES) {
        mailbox->ahead_most = mailbox->ahead_most < LEAST ? LEAST : mailbox->ahead_most * 2;
    }
    if (mailbox->ahead_first && mailbox->leased + mailbox->credit == 0) {
        give_back(step, mailbox);
    }
}

void ahead_time(struct step *step)
{
    struct ahead *first = NULL;
    while ((first = step->core->ahead_first) && first->since_ms + AHEAD_MS <= step->now.mono_ms) {
        give_back(step, first->mailbox);
    }
}

int64_t ahead_first_ms(const struct core *core)
{
    return core->ahead_first ? core->ahead_first->since_ms + AHEAD_MS : 0;
}

void ahead_fini(struct mailbox *mailbox)
{
    while (mailbox->ahead_first) {
        struct ahead *ahead = mailbox->ahead_first;
        mailbox->ahead_first = ahead->next;
        held_message_drop(&ahead->entry.message);
        free(ahead);
    }
}
