/* SPDX-License-Identifier: EUPL-1.2
 *
 * A binary heap whose members know their place, so that each can be moved or removed. See due.h.
 */
#include "core/due.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

static void put(struct core *core, size_t i, struct mailbox *mailbox)
{
    core->due[i] = mailbox;
    mailbox->due_place = i + 1;
}

static void sift_up(struct core *core, size_t i)
{
    struct mailbox *moving = core->due[i];
    while (i > 0 && moving->next_due_ms < core->due[(i - 1) / 2]->next_due_ms) {
        put(core, i, core->due[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(core, i, moving);
}

static void sift_down(struct core *core, size_t i)
{
    struct mailbox *moving = core->due[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= core->due_count) {
            break;
        }
        if (child + 1 < core->due_count &&
            core->due[child + 1]->next_due_ms < core->due[child]->next_due_ms) {
            child++;
        }
        if (moving->next_due_ms <= core->due[child]->next_due_ms) {
            break;
        }
        put(core, i, core->due[child]);
        i = child;
    }
    put(core, i, moving);
}

static bool add(struct core *core, struct mailbox *mailbox)
{
    if (core->due_count == core->due_capacity) {
        size_t capacity = core->due_capacity ? core->due_capacity * 2 : CAPACITY_FIRST;
        struct mailbox **due = realloc(core->due, capacity * sizeof(struct mailbox *));
        if (!due) {
            return false;
        }
        core->due = due;
        core->due_capacity = capacity;
    }
    put(core, core->due_count++, mailbox);
    return true;
}

static void take_out(struct core *core, struct mailbox *mailbox)
{
    size_t i = mailbox->due_place - 1;
    struct mailbox *last = core->due[--core->due_count];
    mailbox->due_place = 0;
    if (last != mailbox) {
        put(core, i, last);
        sift_up(core, i);
        sift_down(core, last->due_place - 1);
    }
}

void due_update(struct step *step, struct mailbox *mailbox)
{
    struct core *core = step->core;
    if (mailbox->next_due_ms == 0 || mailbox->consumers == 0) {
        if (mailbox->due_place) {
            take_out(core, mailbox);
        }
        return;
    }
    if (!mailbox->due_place && !add(core, mailbox)) {
        step->effects->failed = true;
        return;
    }
    sift_up(core, mailbox->due_place - 1);
    sift_down(core, mailbox->due_place - 1);
}

struct mailbox *due_take(struct step *step)
{
    struct core *core = step->core;
    if (core->due_count == 0 || core->due[0]->next_due_ms > step->now.wall_ms) {
        return NULL;
    }
    struct mailbox *mailbox = core->due[0];
    take_out(core, mailbox);
    mailbox->next_due_ms = 0;
    return mailbox;
}

int64_t due_first_ms(const struct core *core)
{
    return core->due_count ? core->due[0]->next_due_ms : 0;
}
