/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/memory_dead.h"

#include "store/memory_attempt.h"
#include "store/memory_content.h"

#include <stdio.h>
#include <stdlib.h>

bool memory_dead_bury(struct memory_mailbox *mailbox, struct memory_entry *entry,
                      const struct store_op *op)
{
    struct memory_death *death = calloc(1, sizeof *death);
    if (death != NULL) {
        *death = (struct memory_death){
            .code = op->bury.code, .lane = entry->key.lane, .died_ms = op->now_ms};
        (void)snprintf(death->reason, sizeof death->reason, "%s",
                       op->bury.reason != NULL ? op->bury.reason : "");
        entry->death = death;
        entry->attempts = op->bury.attempts;
        /* All in one list: by sequence alone. */
        entry->key.lane = 0;
        entry->key.due_ms = 0;
        if (entry_list_add(&mailbox->dead, entry)) {
            return true;
        }
    }
    free(death);
    (void)memory_message_unref(entry->message);
    return false;
}

static struct buffer *reference(struct buffer *buffer)
{
    return buffer != NULL ? buffer_ref(buffer) : NULL;
}

static void lay(const struct memory_entry *entry, bool whole, struct store_dead *out_dead)
{
    const struct memory_message *message = entry->message;
    const struct memory_death *death = entry->death;
    *out_dead = (struct store_dead){
        .sequence = entry->key.sequence,
        .attempts = entry->attempts,
        .code = death->code,
        .died_ms = death->died_ms,
        .accepted_ms = message->accepted_ms,
        .expires_ms = message->expires_ms,
        .bytes = message->bytes,
        .stored_bytes = message->content != NULL ? message->content->bytes : 0,
        .message = {.envelope = message->held.envelope,
                    .envelope_buffer = reference(message->held.envelope_buffer)},
    };
    (void)snprintf(out_dead->reason, sizeof out_dead->reason, "%s", death->reason);
    if (whole) {
        out_dead->message.payload = message->held.payload;
        out_dead->message.payload_buffer = reference(message->held.payload_buffer);
    }
}

bool memory_dead_list(const struct memory_mailbox *mailbox, const struct store_op *op,
                      struct store_result *result)
{
    const struct entry_list *dead = &mailbox->dead;
    struct entry_key after = {.sequence = op->dead_list.after};
    size_t at = entry_list_find(dead, &after);
    if (at < dead->count && entry_list_at(dead, at)->key.sequence == after.sequence) {
        at++;
    }
    size_t left = dead->count - at;
    size_t most = left < op->dead_list.max_entries ? left : op->dead_list.max_entries;
    struct store_dead *entries = calloc(most > 0 ? most : 1, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    uint64_t bytes = 0;
    result->dead.entries = entries;
    while (result->dead.count < most) {
        const struct memory_entry *entry = entry_list_at(dead, at + result->dead.count);
        bytes += entry->message->held.envelope.size;
        if (result->dead.count > 0 && bytes > op->dead_list.max_bytes) {
            break;
        }
        lay(entry, false, &entries[result->dead.count++]);
    }
    result->dead.more = result->dead.count < left;
    return true;
}

static bool find(const struct entry_list *dead, uint64_t sequence, size_t *out_at)
{
    struct entry_key key = {.sequence = sequence};
    *out_at = entry_list_find(dead, &key);
    return *out_at < dead->count && entry_list_at(dead, *out_at)->key.sequence == sequence;
}

bool memory_dead_read(const struct memory_mailbox *mailbox, uint64_t sequence,
                      struct store_result *result)
{
    size_t at = 0;
    if (!find(&mailbox->dead, sequence, &at)) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    result->dead.entries = calloc(1, sizeof *result->dead.entries);
    if (result->dead.entries == NULL) {
        return false;
    }
    result->dead.count = 1;
    lay(entry_list_at(&mailbox->dead, at), true, result->dead.entries);
    return memory_attempts_read(mailbox, sequence, result->dead.entries);
}

bool memory_dead_remove(struct memory_mailbox *mailbox, uint64_t sequence,
                        struct memory_entry *out_entry)
{
    size_t at = 0;
    if (!find(&mailbox->dead, sequence, &at)) {
        return false;
    }
    *out_entry = *entry_list_at(&mailbox->dead, at);
    entry_list_remove(&mailbox->dead, at);
    out_entry->key.lane = out_entry->death->lane;
    out_entry->attempts = 0;
    free(out_entry->death);
    out_entry->death = NULL;
    return true;
}
