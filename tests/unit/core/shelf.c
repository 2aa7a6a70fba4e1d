/* SPDX-License-Identifier: EUPL-1.2
 *
 * See shelf.h.
 */
#include "shelf.h"

#include "core/stored_message.h"
#include "shelf_deadline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity ? *capacity * 2 : 16;
    items = realloc(items, *capacity * size);
    assert(items);
    return items;
}

static struct held_message add_ref(const struct held_message *message)
{
    struct held_message copy = *message;
    if (copy.envelope_buffer) {
        buffer_ref(copy.envelope_buffer);
    }
    if (copy.payload_buffer) {
        buffer_ref(copy.payload_buffer);
    }
    return copy;
}

void shelf_fini(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->op_count; i++) {
        struct held_message *message = stored_message(&shelf->ops[i]->op);
        if (message) {
            held_message_drop(message);
        }
        free(shelf->ops[i]);
    }
    for (size_t i = 0; i < shelf->entry_count; i++) {
        held_message_drop(&shelf->entries[i].message);
    }
    held_message_drop(&shelf->passed);
    memory_contents_fini(&shelf->contents);
    free(shelf->ops);
    free(shelf->entries);
    free(shelf->ids);
    free(shelf->names);
    *shelf = (struct shelf){0};
}

static void count(struct shelf *shelf, enum store_op_kind kind)
{
    size_t *const counters[] = {
        [STORE_MAILBOX] = &shelf->mailboxes,    [STORE_APPEND] = &shelf->appends,
        [STORE_TAKE] = &shelf->takes,           [STORE_ACK] = &shelf->acks,
        [STORE_DEFER] = &shelf->defers,         [STORE_BURY] = &shelf->buries,
        [STORE_RELEASE] = &shelf->releases,     [STORE_DEAD_LIST] = &shelf->dead_lists,
        [STORE_DEAD_READ] = &shelf->dead_reads, [STORE_REPLAY] = &shelf->replays,
        [STORE_DROP] = &shelf->drops,           [STORE_USAGE] = &shelf->usages,
        [STORE_CANCEL] = &shelf->cancels,       [STORE_MAILBOXES] = &shelf->announces,
        [STORE_UPLOAD] = &shelf->uploads,       [STORE_CHUNK] = &shelf->chunks,
        [STORE_FETCH] = &shelf->fetches,        [STORE_BACKUP] = &shelf->backups,
        [STORE_BACKED_UP] = &shelf->looks,      [STORE_CHECK] = &shelf->checks,
        [STORE_TRACK] = &shelf->tracks,         [STORE_DUE] = &shelf->dues,
        [STORE_EXPIRE] = &shelf->expires,       [STORE_KNOWN] = &shelf->knowns,
    };
    ++*counters[kind];
}

static void copy_append(struct shelf_op *copy, const struct store_op *op)
{
    bool alone = op->append.supersedes || op->append.pass.sequence > 0;
    assert(op->append.recipient_count >= (alone ? 0 : 1) && op->append.recipient_count <= 64);
    snprintf(copy->name, sizeof copy->name, "%s", op->append.sender);
    snprintf(copy->id, sizeof copy->id, "%s", op->append.id);
    if (op->append.recipient_count > 0) {
        memcpy(copy->recipients, op->append.recipients,
               op->append.recipient_count * sizeof *op->append.recipients);
    }
    if (op->append.deadline) {
        copy->deadline = *op->append.deadline;
    }
}

void shelf_submit(struct shelf *shelf, const struct store_op *op)
{
    shelf->ops = grown(shelf->ops, shelf->op_count, &shelf->op_capacity, sizeof(struct shelf_op *));
    struct shelf_op *copy = calloc(1, sizeof *copy);
    assert(copy);
    shelf->ops[shelf->op_count++] = copy;
    copy->op = *op;
    count(shelf, op->kind);
    assert(op->now_ms > 0);
    if (op->kind == STORE_MAILBOX) {
        snprintf(copy->name, sizeof copy->name, "%s", op->mailbox.name);
    } else if (op->kind == STORE_MAILBOXES) {
        assert(op->announce.count >= 1 && op->announce.count <= 64);
        for (uint32_t i = 0; i < op->announce.count; i++) {
            copy->ids[i] = op->announce.names[i].id;
            snprintf(copy->names[i], sizeof copy->names[i], "%s", op->announce.names[i].name);
        }
    } else if (op->kind == STORE_TRACK) {
        snprintf(copy->name, sizeof copy->name, "%s", op->track.sender);
        snprintf(copy->id, sizeof copy->id, "%s", op->track.id);
    } else if (op->kind == STORE_KNOWN) {
        snprintf(copy->name, sizeof copy->name, "%s", op->known.sender);
        snprintf(copy->id, sizeof copy->id, "%s", op->known.id);
    } else if (op->kind == STORE_APPEND) {
        copy_append(copy, op);
        shelf_expects(shelf, op->append.expires_ms);
    } else if (op->kind == STORE_UPLOAD) {
        snprintf(copy->name, sizeof copy->name, "%s", op->upload.sender);
        snprintf(copy->id, sizeof copy->id, "%s", op->upload.id);
    } else if (op->kind == STORE_CHUNK) {
        snprintf(copy->name, sizeof copy->name, "%s", op->chunk.sender);
        snprintf(copy->id, sizeof copy->id, "%s", op->chunk.id);
    } else if (op->kind == STORE_BACKUP) {
        snprintf(copy->name, sizeof copy->name, "%s", op->backup.name);
    } else if (op->kind == STORE_BURY) {
        assert(strlen(op->bury.reason) <= 256);
        snprintf(copy->reason, sizeof copy->reason, "%s", op->bury.reason);
    }
}

bool shelf_has_id(const struct shelf *shelf, const char *sender, const char *id)
{
    char both[260];
    snprintf(both, sizeof both, "%s %s", sender, id);
    for (size_t i = 0; i < shelf->id_count; i++) {
        if (strcmp(shelf->ids[i], both) == 0) {
            return true;
        }
    }
    return false;
}

static void add_entry(struct shelf *shelf, const struct shelf_op *op, size_t recipient,
                      struct memory_content *content)
{
    const struct store_recipient *to = &op->recipients[recipient];
    assert(to->mailbox < shelf->name_count && shelf->names[to->mailbox][0]);
    assert(to->lane < LANE_COUNT);
    shelf->entries =
        grown(shelf->entries, shelf->entry_count, &shelf->entry_capacity, sizeof *shelf->entries);
    struct shelf_entry *entry = &shelf->entries[shelf->entry_count++];
    *entry = (struct shelf_entry){.accepted_ms = op->op.now_ms,
                                  .expires_ms = op->op.append.expires_ms,
                                  .content = content,
                                  .message = add_ref(&op->op.append.message)};
    entry->key = (struct entry_key){.mailbox = to->mailbox,
                                    .lane = to->lane,
                                    .due_ms = to->due_ms,
                                    .sequence = shelf->sequence};
}

static bool is_over(const struct store_usage *usage, const struct store_op *op)
{
    const struct store_usage *quota = &op->append.quota;
    uint64_t bytes = op->append.message.envelope.size + op->append.message.payload.size +
                     op->append.stored_bytes;
    return (quota->messages > 0 && usage->messages >= quota->messages) ||
           (quota->bytes > 0 && usage->bytes + bytes > quota->bytes);
}

static void claim(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    struct shelf_entry *entry = &shelf->entries[shelf->entry_count - 1];
    assert(op->op.append.recipient_count == 1 && entry->key.due_ms == 0);
    entry->taken = true;
    result->append.claimed = true;
    result->append.message = add_ref(&entry->message);
    shelf->claims++;
}

static void append(struct shelf *shelf, struct shelf_op *op, struct store_result *result)
{
    struct memory_content *content = NULL;
    uint64_t stored = op->op.append.stored_bytes;
    if (shelf->no_room) {
        result->status = STORE_NO_ROOM;
    } else if (shelf_has_id(shelf, op->name, op->id)) {
        result->append.duplicate = true;
    } else if (is_over(&shelf->usage, &op->op)) {
        result->status = STORE_OVER_QUOTA;
        result->append.usage = shelf->usage;
        result->append.quota = op->op.append.quota;
    } else if (stored > 0 &&
               !(content = memory_contents_claim(&shelf->contents, op->name, op->id, stored))) {
        result->status = STORE_NOT_FOUND;
    } else {
        shelf->sequence++;
        shelf->flow = op->op.append.flow;
        for (size_t i = 0; i < op->op.append.recipient_count; i++) {
            add_entry(shelf, op, i, content);
        }
        if (op->op.append.claim) {
            claim(shelf, op, result);
        }
        shelf->ids = grown(shelf->ids, shelf->id_count, &shelf->id_capacity, sizeof *shelf->ids);
        snprintf(shelf->ids[shelf->id_count++], sizeof *shelf->ids, "%s %s", op->name, op->id);
    }
    result->append.sequence = shelf->sequence;
    held_message_drop(&op->op.append.message);
}

static void mailbox(struct shelf *shelf, uint32_t id, const char *name)
{
    assert(id > 0);
    if (id >= shelf->name_count) {
        shelf->names = realloc(shelf->names, (id + 1) * sizeof *shelf->names);
        assert(shelf->names);
        memset(shelf->names + shelf->name_count, 0,
               (id + 1 - shelf->name_count) * sizeof *shelf->names);
        shelf->name_count = id + 1;
    }
    snprintf(shelf->names[id], sizeof shelf->names[id], "%s", name);
}

static void mailboxes(struct shelf *shelf, const struct shelf_op *op)
{
    for (uint32_t i = 0; i < op->op.announce.count; i++) {
        mailbox(shelf, op->ids[i], op->names[i]);
        shelf->mailboxes++;
    }
}

/* Two rows and what was asked, for whoever has sent it. */
static void track(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    if (!shelf_has_id(shelf, op->name, op->id)) {
        result->status = STORE_NOT_FOUND;
        return;
    }
    result->track.rows = calloc(op->op.track.max_rows, sizeof *result->track.rows);
    assert(result->track.rows);
    result->track.sequence = shelf->sequence;
    result->track.accepted_ms = op->op.now_ms;
    result->track.deadline_ms = shelf->deadline.deadline_ms;
    result->track.flow = shelf->flow;
    uint32_t from = op->op.track.from > 0 ? op->op.track.from : op->op.track.after + 1;
    for (uint32_t id = from; id < shelf->name_count; id++) {
        if (shelf->track_looks > 0 && id - from == shelf->track_looks) {
            result->track.next = id;
            break;
        }
        if (result->track.count == op->op.track.max_rows) {
            result->track.more = true;
            break;
        }
        result->track.rows[result->track.count++] =
            (struct store_track_row){.mailbox = id,
                                     .state = id % 2 ? TRACK_WAITING : TRACK_DEAD,
                                     .code = id % 2 ? 0 : STORED_CODE_DAMAGED,
                                     .attempts = op->op.track.missing,
                                     .since_ms = op->op.now_ms};
        result->track.totals[id % 2 ? TRACK_WAITING : TRACK_DEAD] += op->op.track.after == 0;
    }
}

static struct shelf_entry *best(struct shelf *shelf, uint32_t mailbox_id, int64_t now_ms)
{
    struct shelf_entry *found = NULL;
    for (size_t i = 0; i < shelf->entry_count; i++) {
        struct shelf_entry *one = &shelf->entries[i];
        if (one->key.mailbox != mailbox_id || one->taken || one->dead || one->key.due_ms > now_ms) {
            continue;
        }
        bool one_due = one->key.due_ms > 0;
        bool found_due = found && found->key.due_ms > 0;
        if (!found || (one_due && !found_due) ||
            (one_due == found_due && one->key.lane < found->key.lane)) {
            found = one;
        }
    }
    return found;
}

static void take(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    uint32_t id = op->op.take.mailbox;
    struct shelf_entry *next = best(shelf, id, op->op.now_ms);
    uint64_t bytes = 0;
    assert(op->op.take.max_entries > 0);
    result->take.entries = calloc(op->op.take.max_entries, sizeof *result->take.entries);
    assert(result->take.entries);
    while (next && result->take.count < op->op.take.max_entries) {
        uint64_t size = next->message.envelope.size + next->message.payload.size;
        if (bytes > 0 && bytes + size > op->op.take.max_bytes) {
            break;
        }
        bytes += size;
        next->taken = true;
        result->take.entries[result->take.count++] =
            (struct store_entry){.key = next->key,
                                 .attempts = next->attempts,
                                 .accepted_ms = next->accepted_ms,
                                 .expires_ms = next->expires_ms,
                                 .content = next->content ? next->content->number : 0,
                                 .stored_bytes = next->content ? next->content->bytes : 0,
                                 .message = add_ref(&next->message)};
        next = best(shelf, id, op->op.now_ms);
    }
    result->take.more = next != NULL;
    for (size_t i = 0; i < shelf->entry_count; i++) {
        const struct shelf_entry *one = &shelf->entries[i];
        int64_t due_ms = one->key.due_ms;
        if (one->key.mailbox == id && !one->taken && !one->dead && due_ms > op->op.now_ms &&
            (result->take.next_due_ms == 0 || due_ms < result->take.next_due_ms)) {
            result->take.next_due_ms = due_ms;
        }
    }
}

static struct shelf_entry *find(struct shelf *shelf, const struct entry_key *key)
{
    for (size_t i = 0; i < shelf->entry_count; i++) {
        struct shelf_entry *entry = &shelf->entries[i];
        if (entry->key.mailbox == key->mailbox && entry->key.sequence == key->sequence) {
            assert(entry->taken && !entry->dead && entry->key.due_ms == key->due_ms);
            return entry;
        }
    }
    abort(); /* an entry that was never stored, or is gone */
}

static void settle(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    /* key is the first member of each of these */
    struct shelf_entry *entry = find(shelf, &op->op.ack);
    if (shelf->answer_no_room && op->op.kind != STORE_RELEASE) {
        result->status = STORE_NO_ROOM;
        return;
    }
    entry->taken = false;
    switch (op->op.kind) {
    case STORE_ACK:
        held_message_drop(&entry->message);
        *entry = shelf->entries[--shelf->entry_count];
        break;
    case STORE_DEFER:
        assert(op->op.defer.due_ms > 0);
        assert(op->op.defer.attempts - entry->attempts <= 1);
        entry->attempts = op->op.defer.attempts;
        entry->key.due_ms = op->op.defer.due_ms;
        break;
    case STORE_BURY:
        entry->dead = true;
        entry->attempts = op->op.bury.attempts;
        entry->code = op->op.bury.code;
        entry->died_ms = op->op.now_ms;
        snprintf(entry->reason, sizeof entry->reason, "%s", op->reason);
        break;
    default:
        break;
    }
}

/* The dead letter with the lowest sequence > `after`, or with just that sequence. */
static struct shelf_entry *find_dead(struct shelf *shelf, uint32_t mailbox_id, uint64_t sequence,
                                     bool after)
{
    struct shelf_entry *found = NULL;
    for (size_t i = 0; i < shelf->entry_count; i++) {
        struct shelf_entry *one = &shelf->entries[i];
        bool fits = after ? one->key.sequence > sequence : one->key.sequence == sequence;
        if (one->dead && one->key.mailbox == mailbox_id && fits &&
            (!found || one->key.sequence < found->key.sequence)) {
            found = one;
        }
    }
    return found;
}

static void lay_dead(const struct shelf_entry *entry, bool whole, struct store_dead *out_dead)
{
    *out_dead = (struct store_dead){
        .sequence = entry->key.sequence,
        .attempts = entry->attempts,
        .code = entry->code,
        .died_ms = entry->died_ms,
        .accepted_ms = entry->accepted_ms,
        .expires_ms = entry->expires_ms,
        .bytes = entry->message.envelope.size + entry->message.payload.size,
        .damaged = entry->damaged,
    };
    snprintf(out_dead->reason, sizeof out_dead->reason, "%.256s", entry->reason);
    if (!entry->damaged) {
        out_dead->message = add_ref(&entry->message);
        if (!whole) {
            out_dead->message.payload = (struct bytes){0};
        }
    }
}

static void list_dead(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    uint32_t id = op->op.dead_list.mailbox;
    uint32_t most = op->op.dead_list.max_entries;
    assert(id < shelf->name_count && shelf->names[id][0] && most > 0);
    result->dead.entries = calloc(most, sizeof *result->dead.entries);
    assert(result->dead.entries);
    const struct shelf_entry *next = find_dead(shelf, id, op->op.dead_list.after, true);
    for (; next && result->dead.count < most; result->dead.count++) {
        lay_dead(next, false, &result->dead.entries[result->dead.count]);
        next = find_dead(shelf, id, next->key.sequence, true);
    }
    result->dead.more = next != NULL;
}

static void settle_dead(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    struct shelf_entry *entry = find_dead(shelf, op->op.dead.mailbox, op->op.dead.sequence, false);
    if (!entry) {
        result->status = STORE_NOT_FOUND;
    } else if (op->op.kind == STORE_DEAD_READ) {
        result->dead.entries = calloc(1, sizeof *result->dead.entries);
        assert(result->dead.entries);
        result->dead.count = 1;
        result->status = entry->damaged ? STORE_DAMAGED : STORE_DONE;
        lay_dead(entry, true, result->dead.entries);
    } else if (shelf->answer_no_room) {
        result->status = STORE_NO_ROOM;
    } else if (op->op.kind == STORE_DROP) {
        held_message_drop(&entry->message);
        *entry = shelf->entries[--shelf->entry_count];
    } else if (entry->damaged) {
        result->status = STORE_DAMAGED;
    } else {
        result->replayed_bytes = entry->message.envelope.size + entry->message.payload.size;
        entry->dead = false;
        entry->attempts = 0;
        entry->key.due_ms = 0;
    }
}

static void upload(struct shelf *shelf, struct shelf_op *op, struct store_result *result)
{
    uint64_t freed = 0;
    uint64_t next = shelf->sequence + 1;
    uint64_t room = shelf->no_room ? 0 : UINT64_MAX;
    if (op->op.kind == STORE_FETCH && shelf->damaged) {
        result->status = STORE_DAMAGED;
    } else if (op->op.kind == STORE_FETCH) {
        assert(memory_contents_fetch(&shelf->contents, &op->op, result));
    } else if (op->op.kind == STORE_CHUNK) {
        op->op.chunk.sender = op->name;
        op->op.chunk.id = op->id;
        memory_contents_chunk(&shelf->contents, &op->op, room, result);
        held_message_drop(&op->op.chunk.message);
    } else if (shelf_has_id(shelf, op->name, op->id)) {
        result->upload.accepted = true;
        result->upload.durable_bytes = op->op.upload.bytes;
    } else {
        op->op.upload.sender = op->name;
        op->op.upload.id = op->id;
        assert(memory_contents_open(
            &shelf->contents, &op->op,
            &(struct memory_room){.bytes = room, .used_bytes = shelf->usage.bytes}, &next, &freed,
            result));
        shelf->sequence = next - 1;
    }
}

/* What the test has laid out. */
static void keep_up(struct shelf *shelf, const struct shelf_op *op, struct store_result *result)
{
    if (op->op.kind == STORE_CHECK) {
        result->checked = malloc(sizeof *result->checked);
        assert(result->checked);
        *result->checked = shelf->checked;
        shelf->begun += op->op.check.begin;
        shelf->checked.count = 0;
        return;
    }
    result->backup = malloc(sizeof *result->backup);
    assert(result->backup);
    if (op->op.kind == STORE_BACKUP) {
        snprintf(shelf->backup.name, sizeof shelf->backup.name, "%.64s", op->name);
        result->status = shelf->backup.phase == BACKUP_FAILED ? STORE_REFUSED : STORE_DONE;
    }
    *result->backup = shelf->backup;
}

/* False: none waits. */
static bool next_op(struct shelf *shelf, struct shelf_op *out_op)
{
    if (shelf->op_count == 0) {
        return false;
    }
    *out_op = *shelf->ops[0];
    free(shelf->ops[0]);
    memmove(shelf->ops, shelf->ops + 1, --shelf->op_count * sizeof(struct shelf_op *));
    return true;
}

bool shelf_work(struct shelf *shelf, struct store_result *out_result)
{
    struct shelf_op op;
    if (!next_op(shelf, &op)) {
        return false;
    }
    *out_result = (struct store_result){.kind = op.op.kind, .ticket = op.op.ticket};
    switch (op.op.kind) {
    case STORE_MAILBOX:
        mailbox(shelf, op.op.mailbox.id, op.name);
        break;
    case STORE_MAILBOXES:
        mailboxes(shelf, &op);
        break;
    case STORE_TRACK:
        track(shelf, &op, out_result);
        break;
    case STORE_APPEND:
        if (op.op.append.pass.sequence > 0) {
            shelf_pass(shelf, &op, out_result);
        } else {
            shelf->deadline = op.deadline;
            append(shelf, &op, out_result);
        }
        break;
    case STORE_DUE:
        shelf_due(shelf, out_result);
        break;
    case STORE_TAKE:
        take(shelf, &op, out_result);
        break;
    case STORE_DEAD_LIST:
        list_dead(shelf, &op, out_result);
        break;
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
        settle_dead(shelf, &op, out_result);
        break;
    case STORE_BACKUP:
    case STORE_BACKED_UP:
    case STORE_CHECK:
        keep_up(shelf, &op, out_result);
        break;
    case STORE_USAGE:
        out_result->usage = shelf->usage;
        break;
    case STORE_CANCEL:
        out_result->cancel = shelf->cancelled;
        out_result->status = shelf->cancel_status;
        break;
    case STORE_KNOWN:
        out_result->status = shelf_has_id(shelf, op.name, op.id) ? STORE_DONE : STORE_NOT_FOUND;
        break;
    case STORE_EXPIRE:
        shelf_expire(shelf, &op.op, out_result);
        break;
    case STORE_UPLOAD:
    case STORE_CHUNK:
    case STORE_FETCH:
        upload(shelf, &op, out_result);
        break;
    default:
        settle(shelf, &op, out_result);
        break;
    }
    return true;
}
