/* SPDX-License-Identifier: EUPL-1.2
 *
 * See uploads_disk.h. Contents are those of the memory engine.
 */
#include "uploads_disk.h"

#include "core/stored_message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void uploads_disk_init(struct uploads_disk *disk, struct trace *trace)
{
    memset(disk, 0, sizeof *disk);
    disk->trace = trace;
    disk->next_sequence = 1;
}

static unsigned message_of(const char *id)
{
    return (unsigned)strtoul(id, NULL, 10) % UPLOADS_MESSAGES;
}

void uploads_disk_crash(struct uploads_disk *disk)
{
    for (size_t i = disk->first; i < disk->count; i++) {
        struct held_message *message = stored_message(&disk->queue[i].op);
        if (message) {
            held_message_drop(message);
        }
    }
    disk->first = disk->count = 0;
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        disk->kept[i].claimed = false;
    }
}

void uploads_disk_fini(struct uploads_disk *disk)
{
    uploads_disk_crash(disk);
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        held_message_drop(&disk->kept[i].message);
    }
    memory_contents_fini(&disk->contents);
}

static void keep_texts(struct waiting_op *waiting, const char *sender, const char *id)
{
    (void)snprintf(waiting->sender, sizeof waiting->sender, "%s", sender);
    (void)snprintf(waiting->id, sizeof waiting->id, "%s", id);
}

void uploads_disk_submit(struct uploads_disk *disk, const struct store_op *op)
{
    if (disk->first == disk->count) {
        disk->first = disk->count = 0;
    }
    PROMISE(disk->trace, disk->count < UPLOADS_QUEUE, "what is with the store is bounded",
            {"count", disk->count});
    struct waiting_op *waiting = &disk->queue[disk->count++];
    waiting->op = *op;
    if (op->kind == STORE_APPEND) {
        keep_texts(waiting, op->append.sender, op->append.id);
    } else if (op->kind == STORE_UPLOAD) {
        keep_texts(waiting, op->upload.sender, op->upload.id);
    } else if (op->kind == STORE_CHUNK) {
        keep_texts(waiting, op->chunk.sender, op->chunk.id);
    }
}

uint64_t uploads_disk_has(const struct uploads_disk *disk, unsigned message)
{
    for (const struct memory_content *one = disk->contents.first; one; one = one->next) {
        if (one->id && message_of(one->id) == message) {
            return one->durable_bytes;
        }
    }
    return disk->kept[message].stored ? UINT64_MAX : 0;
}

static void append(struct uploads_disk *disk, struct waiting_op *waiting,
                   struct store_result *result)
{
    struct kept *kept = &disk->kept[message_of(waiting->id)];
    uint64_t bytes = waiting->op.append.stored_bytes;
    result->append.duplicate = kept->stored;
    result->append.sequence = kept->sequence;
    if (kept->stored) {
        return;
    }
    PROMISE(disk->trace, uploads_disk_has(disk, message_of(waiting->id)) == bytes,
            "a message is stored when all of its payload is there", {"bytes", bytes},
            {"there", uploads_disk_has(disk, message_of(waiting->id))});
    kept->content = memory_contents_claim(&disk->contents, waiting->sender, waiting->id, bytes);
    PROMISE(disk->trace, kept->content != NULL, "a message belongs to its upload",
            {"bytes", bytes});
    kept->stored = true;
    kept->sequence = result->append.sequence = disk->next_sequence++;
    kept->message = waiting->op.append.message;
    waiting->op.append.message = (struct held_message){0};
}

static struct kept *find(struct uploads_disk *disk, uint64_t sequence)
{
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        if (disk->kept[i].stored && disk->kept[i].sequence == sequence) {
            return &disk->kept[i];
        }
    }
    PROMISE(disk->trace, false, "an entry is one that was stored", {"sequence", sequence});
    return NULL;
}

static bool is_free(const struct kept *kept)
{
    return kept->stored && !kept->acked && !kept->claimed;
}

static void take(struct uploads_disk *disk, const struct store_op *op, struct store_result *result)
{
    result->take.entries = calloc(UPLOADS_MESSAGES, sizeof *result->take.entries);
    assert(result->take.entries);
    for (unsigned i = 0; i < UPLOADS_MESSAGES; i++) {
        struct kept *kept = &disk->kept[i];
        if (!is_free(kept)) {
            continue;
        }
        if (kept->due_ms > op->now_ms) {
            int64_t *next_ms = &result->take.next_due_ms;
            *next_ms = *next_ms == 0 || kept->due_ms < *next_ms ? kept->due_ms : *next_ms;
        } else if (result->take.count == op->take.max_entries) {
            result->take.more = true;
        } else {
            kept->claimed = true;
            buffer_ref(kept->message.envelope_buffer);
            result->take.entries[result->take.count++] =
                (struct store_entry){.key = {.mailbox = op->take.mailbox,
                                             .lane = LANE_NORMAL,
                                             .due_ms = kept->due_ms,
                                             .sequence = kept->sequence},
                                     .attempts = kept->attempts,
                                     .content = kept->content->number,
                                     .stored_bytes = kept->content->bytes,
                                     .message = kept->message};
        }
    }
}

/* Ack, defer, release: the key is the first member of each. */
static void settle(struct uploads_disk *disk, const struct store_op *op)
{
    struct kept *kept = find(disk, op->ack.sequence);
    PROMISE(disk->trace, kept->claimed && !kept->acked, "what is answered was taken",
            {"sequence", kept->sequence}, {"op", op->kind});
    kept->claimed = false;
    if (op->kind == STORE_ACK) {
        kept->acked = true;
        memory_content_free(kept->content);
        kept->content = NULL;
    } else if (op->kind == STORE_DEFER) {
        kept->attempts = op->defer.attempts;
        kept->due_ms = op->defer.due_ms;
    } else {
        PROMISE(disk->trace, op->kind == STORE_RELEASE, "nothing whole becomes a dead letter",
                {"op", op->kind});
    }
}

static void upload(struct uploads_disk *disk, struct waiting_op *waiting,
                   struct store_result *result)
{
    struct store_op *op = &waiting->op;
    const struct memory_room room = {.bytes = disk->full ? 0 : UINT64_MAX};
    uint64_t freed = 0;
    if (op->kind == STORE_CHUNK) {
        op->chunk.sender = waiting->sender;
        op->chunk.id = waiting->id;
        memory_contents_chunk(&disk->contents, op, room.bytes, result);
    } else if (disk->kept[message_of(waiting->id)].stored) {
        result->upload.accepted = true;
        result->upload.durable_bytes = op->upload.bytes;
    } else {
        op->upload.sender = waiting->sender;
        op->upload.id = waiting->id;
        assert(
            memory_contents_open(&disk->contents, op, &room, &disk->next_sequence, &freed, result));
    }
}

bool uploads_disk_sync(struct uploads_disk *disk, struct store_result *out_result)
{
    if (disk->first == disk->count) {
        return false;
    }
    struct waiting_op *waiting = &disk->queue[disk->first++];
    struct store_op *op = &waiting->op;
    *out_result = (struct store_result){.kind = op->kind, .ticket = op->ticket};
    switch (op->kind) {
    case STORE_MAILBOX:
        disk->mailbox = true;
        break;
    case STORE_APPEND:
        append(disk, waiting, out_result);
        break;
    case STORE_TAKE:
        take(disk, op, out_result);
        break;
    case STORE_UPLOAD:
    case STORE_CHUNK:
        upload(disk, waiting, out_result);
        break;
    case STORE_FETCH:
        assert(memory_contents_fetch(&disk->contents, op, out_result));
        break;
    case STORE_EXPIRE: /* nothing here does */
        break;
    default:
        settle(disk, op);
        break;
    }
    struct held_message *message = stored_message(op);
    if (message) {
        held_message_drop(message);
    }
    return true;
}
