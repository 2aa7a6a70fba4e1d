/* SPDX-License-Identifier: EUPL-1.2
 *
 * See expiry.h.
 */
#include "core/expiry.h"

#include "core/limits.h"
#include "core/mailbox.h"
#include "core/note.h"

enum {
    LOOK_MS = 1000, /* behind the first expiry: what expires about then goes in one step */
    GAP_MS = 20,    /* between steps: others have the disk meanwhile */
    FULL_MS = 60 * 1000,
};

void expiry_expect(struct core *core, int64_t expires_ms)
{
    struct expiry *expiry = &core->expiry;
    int64_t look_ms = expires_ms <= INT64_MAX - LOOK_MS ? expires_ms + LOOK_MS : expires_ms;
    if (expires_ms > 0 && (expiry->due_ms == 0 || look_ms < expiry->due_ms)) {
        expiry->due_ms = look_ms;
    }
}

void expiry_start(struct core *core)
{
    if (core->totals.waiting > 0) {
        core->expiry.due_ms = 1;
    }
}

void expiry_time(struct step *step)
{
    struct expiry *expiry = &step->core->expiry;
    int64_t first_ms = expiry_first_ms(step->core);
    if (first_ms == 0 || first_ms > step->now.wall_ms) {
        return;
    }
    struct ticket *ticket = NULL;
    core_op(step, STORE_EXPIRE, &ticket)->expire.max_entries = LIMIT_EXPIRE_ENTRIES;
    expiry->due_ms = 0; /* until it has been answered */
    expiry->with_store = true;
}

static void count_one(struct step *step, const struct store_expired *expired)
{
    struct core *core = step->core;
    struct mailbox *mailbox = mailbox_numbered(core, expired->mailbox);
    if (!mailbox) {
        return;
    }
    mailbox_count_gone(core, mailbox, expired->bytes);
    mailbox->dead++;
    core->totals.dead++;
    if (expired->turn.passed) {
        mailbox_expect(step, mailbox, expired->turn.due_ms);
    }
    if (core->settings.trace) {
        struct effect *effect = note(step->effects, NOTE_DEBUG, "message.expired");
        note_text(step->effects, effect, "mailbox", mailbox->name);
        note_number(effect, "sequence", expired->sequence);
    }
}

void expiry_stored(struct step *step, const struct store_result *result)
{
    struct expiry *expiry = &step->core->expiry;
    const struct store_expiry *said = &result->expiry;
    const int64_t now_ms = step->now.wall_ms;
    expiry->with_store = false;
    for (uint32_t i = 0; i < said->count; i++) {
        count_one(step, &said->entries[i]);
    }
    if (said->count > 0) {
        note_number(note(step->effects, NOTE_NOTICE, "messages.expired"), "entries", said->count);
    }
    if (result->status != STORE_DONE) {
        expiry_expect(step->core, now_ms + FULL_MS);
    } else if (said->next_ms > now_ms) {
        expiry_expect(step->core, said->next_ms);
    } else if (said->next_ms > 0) {
        expiry->due_ms = now_ms + GAP_MS;
    }
}

int64_t expiry_first_ms(const struct core *core)
{
    const struct expiry *expiry = &core->expiry;
    return core->draining || expiry->with_store ? 0 : expiry->due_ms;
}
