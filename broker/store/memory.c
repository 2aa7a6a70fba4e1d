/* SPDX-License-Identifier: EUPL-1.2
 *
 * The in-memory engine: the same semantics as the LMDB one, for tests and the simulator. An op is
 * done within store_submit(), its result waits in the outbox. Nothing survives. No threads.
 */
#include "store/memory_store.h"

#include "core/stored_message.h"
#include "store/mailbox.h"
#include "store/memory_attempt.h"
#include "store/memory_dead.h"
#include "store/memory_order.h"
#include "store/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

size_t memory_find_place(const struct memory_store *store, uint32_t id)
{
    size_t low = 0;
    size_t high = store->mailbox_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->mailboxes[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct memory_mailbox *memory_find_mailbox(const struct memory_store *store, uint32_t id)
{
    size_t at = memory_find_place(store, id);
    return at < store->mailbox_count && store->mailboxes[at]->id == id ? store->mailboxes[at]
                                                                       : NULL;
}

static void out_of_memory(struct memory_store *store)
{
    outbox_fail(&store->outbox, &(struct store_problem){.kind = STORE_PROBLEM_MEMORY,
                                                        .detail = "the memory store is out of it"});
}

static bool add_mailbox(struct memory_store *store, uint32_t id)
{
    if (memory_find_mailbox(store, id) != NULL) {
        return true;
    }
    if (store->mailbox_count == store->mailbox_capacity) {
        size_t capacity = store->mailbox_capacity == 0 ? 16 : store->mailbox_capacity * 2;
        struct memory_mailbox **grown =
            realloc(store->mailboxes, capacity * sizeof(struct memory_mailbox *));
        if (grown == NULL) {
            return false;
        }
        store->mailboxes = grown;
        store->mailbox_capacity = capacity;
    }
    struct memory_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL) {
        return false;
    }
    mailbox->id = id;
    size_t at = memory_find_place(store, id);
    memmove(store->mailboxes + at + 1, store->mailboxes + at,
            (store->mailbox_count - at) * sizeof(struct memory_mailbox *));
    store->mailboxes[at] = mailbox;
    store->mailbox_count++;
    return true;
}

static bool add_mailboxes(struct memory_store *store, const struct store_op *op)
{
    bool added = true;
    for (uint32_t i = 0; added && i < op->announce.count; i++) {
        added = add_mailbox(store, op->announce.names[i].id);
    }
    return added;
}

/* Removes the entry; the message stays referred to. */
static bool remove_entry(struct memory_store *store, const struct entry_key *key,
                         struct store_result *result, struct memory_entry *out_entry)
{
    struct memory_mailbox *mailbox = memory_find_mailbox(store, key->mailbox);
    if (mailbox == NULL || !memory_mailbox_remove(mailbox, key, out_entry)) {
        result->status = STORE_NOT_FOUND;
        return false;
    }
    out_entry->claimed = false;
    return true;
}

static bool apply_ack(struct memory_store *store, const struct store_op *op,
                      struct store_result *result)
{
    struct memory_entry entry;
    if (!remove_entry(store, &op->ack, result, &entry)) {
        return true;
    }
    memory_move_track(store, &entry,
                      &(struct store_track_row){.mailbox = op->ack.mailbox,
                                                .attempts = entry.attempts + 1,
                                                .since_ms = op->now_ms,
                                                .state = TRACK_ACKNOWLEDGED});
    uint64_t bytes = memory_cost_of(entry.message);
    store->used_bytes -= memory_message_unref(entry.message) ? bytes : 0;
    memory_attempts_forget(memory_find_mailbox(store, op->ack.mailbox), op->ack.sequence);
    return memory_order_pass(memory_find_mailbox(store, op->ack.mailbox), entry.order,
                             &result->turn);
}

static bool apply_defer(struct memory_store *store, const struct store_op *op,
                        struct store_result *result)
{
    struct memory_entry entry;
    if (!remove_entry(store, &op->defer.key, result, &entry)) {
        return true;
    }
    entry.key.due_ms = op->defer.due_ms > 0 ? op->defer.due_ms : 1;
    entry.attempts = op->defer.attempts;
    memory_move_track(store, &entry,
                      &(struct store_track_row){.mailbox = entry.key.mailbox,
                                                .attempts = entry.attempts,
                                                .since_ms = op->now_ms,
                                                .state = TRACK_WAITING});
    struct memory_mailbox *mailbox = memory_find_mailbox(store, entry.key.mailbox);
    return memory_attempt_keep(mailbox, entry.key.sequence, op->defer.attempt) &&
           memory_mailbox_add(mailbox, &entry);
}

static bool apply_bury(struct memory_store *store, const struct store_op *op,
                       struct store_result *result)
{
    struct memory_entry entry;
    if (!remove_entry(store, &op->bury.key, result, &entry)) {
        return true;
    }
    memory_move_track(store, &entry,
                      &(struct store_track_row){.mailbox = entry.key.mailbox,
                                                .attempts = op->bury.attempts,
                                                .code = op->bury.code,
                                                .since_ms = op->now_ms,
                                                .state = track_of_code(op->bury.code)});
    struct memory_mailbox *mailbox = memory_find_mailbox(store, entry.key.mailbox);
    uint64_t order = entry.order;
    return memory_attempt_keep(mailbox, entry.key.sequence, op->bury.attempt) &&
           memory_dead_bury(mailbox, &entry, op) &&
           memory_order_pass(mailbox, order, &result->turn);
}

/* False without memory. */
static bool apply_dead(struct memory_store *store, const struct store_op *op,
                       struct store_result *result)
{
    uint32_t id = op->kind == STORE_DEAD_LIST ? op->dead_list.mailbox : op->dead.mailbox;
    struct memory_mailbox *mailbox = memory_find_mailbox(store, id);
    if (mailbox == NULL) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    if (op->kind == STORE_DEAD_LIST) {
        return memory_dead_list(mailbox, op, result);
    }
    if (op->kind == STORE_DEAD_READ) {
        return memory_dead_read(mailbox, op->dead.sequence, result);
    }
    struct memory_entry entry;
    if (!memory_dead_remove(mailbox, op->dead.sequence, &entry)) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    memory_attempts_forget(mailbox, op->dead.sequence);
    memory_move_dead(store, op, &entry);
    if (op->kind == STORE_REPLAY) {
        result->replayed_bytes = entry.message->bytes;
        entry.message->look_ms = entry.message->expires_ms;
        return memory_order_add(mailbox, &entry);
    }
    uint64_t bytes = memory_cost_of(entry.message);
    store->used_bytes -= memory_message_unref(entry.message) ? bytes : 0;
    return true;
}

static void apply_release(struct memory_store *store, const struct entry_key *key)
{
    struct memory_mailbox *mailbox = memory_find_mailbox(store, key->mailbox);
    struct memory_entry *entry = mailbox != NULL ? memory_mailbox_find(mailbox, key) : NULL;
    if (entry != NULL) {
        entry->claimed = false;
    }
}

static void give(struct memory_entry *entry, struct store_entry *out_entry)
{
    const struct memory_message *message = entry->message;
    entry->claimed = true;
    *out_entry = (struct store_entry){.key = entry->key,
                                      .attempts = entry->attempts,
                                      .accepted_ms = message->accepted_ms,
                                      .expires_ms = message->expires_ms,
                                      .message = memory_message_share(message)};
    if (message->content != NULL) {
        out_entry->content = message->content->number;
        out_entry->stored_bytes = message->content->bytes;
    }
}

static bool apply_take(struct memory_store *store, const struct store_op *op,
                       struct store_result *result)
{
    struct memory_mailbox *mailbox = memory_find_mailbox(store, op->take.mailbox);
    if (mailbox == NULL) {
        result->status = STORE_NOT_FOUND;
        return true;
    }
    uint64_t bytes = 0;
    struct memory_entry *entry = NULL;
    while (result->take.count < op->take.max_entries &&
           (entry = memory_mailbox_next(mailbox, op->now_ms)) != NULL &&
           (result->take.count == 0 || bytes + entry->message->bytes <= op->take.max_bytes)) {
        struct store_entry *entries =
            realloc(result->take.entries, (result->take.count + 1) * sizeof *result->take.entries);
        if (entries == NULL) {
            return false;
        }
        result->take.entries = entries;
        mailbox->picks += entry->key.due_ms > 0 ? 0 : 1;
        bytes += entry->message->bytes;
        give(entry, &entries[result->take.count++]);
    }
    result->take.more = memory_mailbox_next(mailbox, op->now_ms) != NULL;
    result->take.next_due_ms = memory_mailbox_next_due(mailbox, op->now_ms);
    return true;
}

static void apply_usage(const struct memory_store *store, const struct store_op *op,
                        struct store_result *result)
{
    const struct sender *sender = sender_find(&store->senders, op->usage.sender);
    if (sender != NULL) {
        result->usage = sender->usage;
    }
    result->usage.bytes += memory_contents_begun(&store->contents, op->usage.sender);
}

/* What is only in memory has no file that could be copied or be damaged. */
static bool apply_upkeep(const struct store_op *op, struct store_result *result)
{
    if (op->kind == STORE_CHECK) {
        result->checked = calloc(1, sizeof *result->checked);
        if (result->checked != NULL) {
            result->checked->ended = true;
        }
        return result->checked != NULL;
    }
    result->backup = calloc(1, sizeof *result->backup);
    if (result->backup != NULL && op->kind == STORE_BACKUP) {
        result->status = STORE_REFUSED;
        (void)snprintf(result->backup->detail, sizeof result->backup->detail,
                       "this store is in memory only");
    }
    return result->backup != NULL;
}

static uint64_t room_left(const struct memory_store *store)
{
    uint64_t limit = store->settings.map_bytes / 100 * MEMORY_APPEND_PERCENT;
    return limit > store->used_bytes ? limit - store->used_bytes : 0;
}

/* False without memory. */
static bool apply_upload(struct memory_store *store, struct store_op *op,
                         struct store_result *result)
{
    struct memory_contents *contents = &store->contents;
    uint64_t sequence = 0;
    store->used_bytes -=
        memory_contents_prune(contents, op->now_ms - store->settings.upload_keep_ms);
    if (op->kind == STORE_CHUNK) {
        uint64_t most = room_left(store);
        store->used_bytes += memory_contents_chunk(contents, op, most, result);
        return true;
    }
    if (memory_is_duplicate(store, op->upload.sender, op->upload.id, op->now_ms, &sequence)) {
        result->upload.accepted = true;
        result->upload.durable_bytes = op->upload.bytes;
        return true;
    }
    const struct sender *sender = sender_find(&store->senders, op->upload.sender);
    const struct memory_room room = {.bytes = room_left(store),
                                     .used_bytes = sender != NULL ? sender->usage.bytes : 0};
    uint64_t freed = 0;
    bool kept = memory_contents_open(contents, op, &room, &store->next_sequence, &freed, result);
    store->used_bytes -= freed;
    return kept;
}

static bool apply(struct memory_store *store, struct store_op *op, struct store_result *result)
{
    switch (op->kind) {
    case STORE_MAILBOX:
        return add_mailbox(store, op->mailbox.id);
    case STORE_MAILBOXES:
        return add_mailboxes(store, op);
    case STORE_APPEND:
        return op->append.pass.sequence > 0 ? memory_pass(store, op, result)
                                            : memory_append(store, op, result);
    case STORE_DUE:
        return memory_due(&store->deadlines, &store->tracks, op, result);
    case STORE_TAKE:
        return apply_take(store, op, result);
    case STORE_ACK:
        return apply_ack(store, op, result);
    case STORE_DEFER:
        return apply_defer(store, op, result);
    case STORE_BURY:
        return apply_bury(store, op, result);
    case STORE_RELEASE:
        apply_release(store, &op->release);
        return true;
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
        return apply_dead(store, op, result);
    case STORE_USAGE:
        apply_usage(store, op, result);
        return true;
    case STORE_BACKUP:
    case STORE_BACKED_UP:
    case STORE_CHECK:
        return apply_upkeep(op, result);
    case STORE_UPLOAD:
    case STORE_CHUNK:
        return apply_upload(store, op, result);
    case STORE_FETCH:
        return memory_contents_fetch(&store->contents, op, result);
    case STORE_KNOWN:
        memory_known(store, op, result);
        return true;
    case STORE_EXPIRE:
        return memory_expire(store, op, result);
    case STORE_CANCEL:
        return memory_cancel(store, op, result);
    case STORE_TRACK:
        return memory_track(store, op, result);
    }
    return true;
}

static void memory_submit(struct store *base, struct store_op *ops, size_t count)
{
    struct memory_store *store = (struct memory_store *)base;
    for (size_t i = 0; i < count; i++) {
        struct store_op *op = &ops[i];
        struct store_result result = {.kind = op->kind, .ticket = op->ticket};
        if (!outbox_failed(&store->outbox, NULL)) {
            if (op->now_ms > store->last_time_ms) {
                store->last_time_ms = op->now_ms;
            }
            if (!apply(store, op, &result)) {
                store_result_drop(&result);
                out_of_memory(store);
            } else if (op->kind != STORE_RELEASE) {
                outbox_put(&store->outbox, &result, 1);
            }
        }
        struct held_message *message = stored_message(op);
        if (message != NULL) {
            held_message_drop(message);
        }
    }
}

static void memory_close(struct store *base)
{
    struct memory_store *store = (struct memory_store *)base;
    for (size_t i = 0; i < store->mailbox_count; i++) {
        memory_mailbox_fini(store->mailboxes[i]);
        free(store->mailboxes[i]);
    }
    free(store->mailboxes);
    memory_contents_fini(&store->contents);
    memory_duplicates_fini(&store->duplicates);
    memory_tracks_fini(&store->tracks);
    memory_deadlines_fini(&store->deadlines);
    sender_table_fini(&store->senders);
    outbox_fini(&store->outbox);
    free(store);
}

static const struct stored_mailbox *memory_mailboxes(const struct store *base, size_t *out_count)
{
    (void)base;
    *out_count = 0;
    return NULL;
}

static const struct store_compaction *memory_compaction(const struct store *base)
{
    static const struct store_compaction none = {.due = false};
    (void)base;
    return &none;
}

static int64_t memory_last_time(const struct store *base)
{
    return ((const struct memory_store *)base)->last_time_ms;
}

static int memory_event_fd(const struct store *base)
{
    return ((const struct memory_store *)base)->outbox.event_fd;
}

static size_t memory_collect(struct store *base, struct store_result *out_results, size_t max)
{
    return outbox_collect(&((struct memory_store *)base)->outbox, out_results, max);
}

static bool memory_failed(const struct store *base, struct store_problem *out_problem)
{
    return outbox_failed((struct outbox *)&((const struct memory_store *)base)->outbox,
                         out_problem);
}

static void memory_size(const struct store *base, uint64_t *out_used, uint64_t *out_limit)
{
    const struct memory_store *store = (const struct memory_store *)base;
    *out_used = store->used_bytes;
    *out_limit = store->settings.map_bytes / 100 * MEMORY_APPEND_PERCENT;
}

static void memory_pulse(const struct store *base, int64_t *out_last_ms, bool *out_busy)
{
    (void)base;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *out_last_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    *out_busy = false;
}

static const struct store_engine MEMORY_ENGINE = {
    .close = memory_close,
    .mailboxes = memory_mailboxes,
    .compaction = memory_compaction,
    .last_time = memory_last_time,
    .submit = memory_submit,
    .event_fd = memory_event_fd,
    .collect = memory_collect,
    .failed = memory_failed,
    .size = memory_size,
    .pulse = memory_pulse,
};

struct store *store_open_memory(const struct store_settings *settings)
{
    struct memory_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->base.engine = &MEMORY_ENGINE;
    store->settings = *settings;
    store->next_sequence = 1;
    if (!memory_duplicates_init(&store->duplicates)) {
        free(store);
        return NULL;
    }
    if (!outbox_init(&store->outbox)) {
        memory_duplicates_fini(&store->duplicates);
        free(store);
        return NULL;
    }
    return &store->base;
}
