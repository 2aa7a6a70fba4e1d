/* SPDX-License-Identifier: EUPL-1.2
 *
 * See disk.h; disk_undo.c takes back what was written. The order of entries is that of the memory
 * engine (store/memory_mailbox.h).
 */
#include "disk.h"

#include "agenda.h"
#include "core/stored_message.h"
#include "disk_undo.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void disk_init(struct disk *disk, struct trace *trace, struct ledger *ledger, struct chance *chance)
{
    *disk = (struct disk){.trace = trace,
                          .ledger = ledger,
                          .chance = chance,
                          .next_sequence = 1,
                          .synced_sequence = 1};
}

void disk_fini(struct disk *disk)
{
    disk_crash(disk);
    for (size_t i = 0; i < disk->mailbox_count; i++) {
        memory_mailbox_fini(&disk->mailboxes[i].box);
    }
    free(disk->ops);
    free(disk->results);
    free(disk->undos);
    free(disk->mailboxes);
}

static unsigned place_of(const struct disk *disk, uint32_t id, const char *name)
{
    unsigned place = town_place(name);
    PROMISE(disk->trace, place < TOWN_PLACES, "a mailbox has the name of a service",
            {"mailbox", id});
    return place;
}

void disk_submit(struct disk *disk, const struct store_op *op, const struct op_note *note)
{
    disk->ops = agenda_grown(disk->ops, disk->op_count, &disk->op_capacity, sizeof *disk->ops);
    struct disk_op *copy = &disk->ops[disk->op_count++];
    copy->op = *op;
    copy->note = *note;
    if (op->kind == STORE_MAILBOX) {
        copy->place = place_of(disk, op->mailbox.id, op->mailbox.name);
    } else if (op->kind == STORE_TRACK) {
        copy->tracked = disk_message_of(disk, op->track.sender, op->track.id);
    } else if (op->kind == STORE_CANCEL) {
        copy->tracked = disk_message_of(disk, op->cancel.sender, op->cancel.id);
    } else if (op->kind == STORE_KNOWN) {
        copy->tracked = disk_message_of(disk, op->known.sender, op->known.id);
    } else if (op->kind == STORE_MAILBOXES) {
        for (uint32_t i = 0; i < op->announce.count; i++) {
            const struct store_name *name = &op->announce.names[i];
            copy->name_ids[i] = name->id;
            copy->name_places[i] = place_of(disk, name->id, name->name);
        }
    } else if (op->kind == STORE_APPEND) {
        PROMISE(disk->trace, op->append.recipient_count <= TOWN_PLACES,
                "no more entries than recipients", {"count", op->append.recipient_count});
        memcpy(copy->recipients, op->append.recipients,
               op->append.recipient_count * sizeof *copy->recipients);
        copy->named = op->append.recipient_count;
        copy->earlier = op->append.supersedes
                            ? disk_message_of(disk, op->append.sender, op->append.supersedes)
                            : NULL;
    } else if (op->kind == STORE_BURY) {
        (void)snprintf(copy->reason, sizeof copy->reason, "%s", op->bury.reason);
        copy->failed = disk_history_of(op->bury.attempt);
    } else if (op->kind == STORE_DEFER) {
        copy->failed = disk_history_of(op->defer.attempt);
    }
}

size_t disk_waiting(const struct disk *disk)
{
    return disk->op_count - disk->op_first;
}

bool disk_is_idle(const struct disk *disk)
{
    return disk_waiting(disk) == 0 && disk->result_first == disk->result_count;
}

struct disk_mailbox *disk_mailbox_of(const struct disk *disk, uint32_t id)
{
    return id < disk->mailbox_count && disk->mailboxes[id].known ? &disk->mailboxes[id] : NULL;
}

struct disk_undo *disk_note_undo(struct disk *disk, enum store_op_kind kind, uint32_t mailbox)
{
    disk->undos =
        agenda_grown(disk->undos, disk->undo_count, &disk->undo_capacity, sizeof *disk->undos);
    struct disk_undo *undo = &disk->undos[disk->undo_count++];
    *undo = (struct disk_undo){.kind = kind, .mailbox = mailbox};
    return undo;
}

static bool has_no_room(const struct disk *disk)
{
    return disk->full && chance_is(disk->chance, 500);
}

static void write_mailbox(struct disk *disk, uint32_t id, unsigned place)
{
    assert(id > 0);
    while (id >= disk->mailbox_count) {
        disk->mailboxes = agenda_grown(disk->mailboxes, disk->mailbox_count,
                                       &disk->mailbox_capacity, sizeof *disk->mailboxes);
        disk->mailboxes[disk->mailbox_count++] = (struct disk_mailbox){0};
    }
    struct disk_mailbox *mailbox = &disk->mailboxes[id];
    PROMISE(disk->trace, !mailbox->known || mailbox->place == place,
            "the number of a mailbox is not used for another", {"mailbox", id});
    if (!mailbox->known) {
        mailbox->known = true;
        mailbox->place = place;
        mailbox->box.id = id;
        disk_note_undo(disk, STORE_MAILBOX, id);
    }
}

/* A message lies in the store while one of its entries waits or is dead. */
void disk_recount(struct disk *disk, struct message *message)
{
    struct store_usage *usage = &disk->usage[TOWN_PEOPLE[message->client].member];
    uint32_t held = 0;
    for (uint32_t i = 0; i < message->place_count; i++) {
        enum disk_state state = message->lives[i].on_disk;
        held += state == DISK_WAITING || state == DISK_DEAD;
    }
    uint64_t bytes = held > 0 ? ledger_stored_bytes(message, held) : 0;
    usage->messages += bytes > 0 ? 1 : 0;
    usage->messages -= message->counted > 0 ? 1 : 0;
    usage->bytes += bytes - message->counted;
    message->counted = bytes;
}

void disk_recount_sequence(struct disk *disk, uint64_t sequence)
{
    struct message *message = ledger_of_sequence(disk->ledger, sequence);
    if (message) {
        disk_recount(disk, message);
    }
}

static bool is_over(const struct disk *disk, const struct disk_op *op)
{
    const struct store_usage *usage = &disk->usage[TOWN_PEOPLE[op->note.message->client].member];
    const struct store_usage *quota = &op->op.append.quota;
    return (quota->messages > 0 && usage->messages + 1 > quota->messages) ||
           (quota->bytes > 0 &&
            usage->bytes + ledger_stored_bytes(op->note.message, op->op.append.recipient_count) >
                quota->bytes);
}

static void write_mailboxes(struct disk *disk, const struct disk_op *op,
                            struct store_result *result)
{
    if (has_no_room(disk)) {
        result->status = STORE_NO_ROOM;
    } else if (op->op.kind == STORE_MAILBOX) {
        write_mailbox(disk, op->op.mailbox.id, op->place);
    } else {
        for (uint32_t i = 0; i < op->op.announce.count; i++) {
            write_mailbox(disk, op->name_ids[i], op->name_places[i]);
        }
    }
}

static enum store_status admit(const struct disk *disk, const struct disk_op *op)
{
    if (is_over(disk, op)) {
        return STORE_OVER_QUOTA;
    }
    for (uint32_t i = 0; i < op->op.append.recipient_count; i++) {
        if (!disk_mailbox_of(disk, op->recipients[i].mailbox)) {
            return STORE_NOT_FOUND;
        }
    }
    return disk->full ? STORE_NO_ROOM : STORE_DONE;
}

/* A message to the subscribers has those that it is stored for; one that supersedes another has its
 * recipients, too. */
static struct life *life_to_store(struct message *message, unsigned place)
{
    struct life *life = ledger_life(message, place);
    bool grows = message->to_subscribers || message->supersedes;
    if (!life && grows && message->place_count < TOWN_PLACES) {
        life = &message->lives[message->place_count];
        *life = (struct life){.history = life->history, .history_capacity = life->history_capacity};
        message->places[message->place_count++] = place;
    }
    return life;
}

static void add_entries(struct disk *disk, struct disk_op *op, uint64_t sequence)
{
    struct memory_message *bytes = calloc(1, sizeof *bytes);
    assert(bytes);
    bytes->held = op->op.append.message;
    bytes->bytes = bytes->held.envelope.size + bytes->held.payload.size;
    bytes->accepted_ms = op->op.now_ms;
    bytes->expires_ms = op->op.append.expires_ms;
    op->op.append.message = (struct held_message){0};
    for (uint32_t i = 0; i < op->op.append.recipient_count; i++) {
        const struct store_recipient *to = &op->recipients[i];
        struct disk_mailbox *mailbox = disk_mailbox_of(disk, to->mailbox);
        struct memory_entry entry = {.key = {.mailbox = to->mailbox,
                                             .lane = to->lane,
                                             .due_ms = to->due_ms,
                                             .sequence = sequence},
                                     .order = op->op.append.order,
                                     .message = bytes};
        struct life *life = life_to_store(op->note.message, mailbox->place);
        PROMISE(disk->trace, life && life->on_disk == DISK_NOTHING, "a message is stored once",
                {"message", op->note.message->index}, {"place", mailbox->place});
        life->on_disk = DISK_WAITING;
        bytes->entries++;
        assert(memory_order_add(&mailbox->box, &entry));
    }
    if (bytes->entries == 0) {
        held_message_drop(&bytes->held);
        free(bytes);
    }
}

/* What is stored is the broker's at once. */
static void claim(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    const struct store_recipient *to = &op->recipients[0];
    struct entry_key key = {
        .mailbox = to->mailbox, .lane = to->lane, .sequence = result->append.sequence};
    struct memory_entry *entry =
        memory_mailbox_find(&disk_mailbox_of(disk, to->mailbox)->box, &key);
    assert(entry);
    entry->claimed = true;
    result->append.claimed = true;
    result->append.message = memory_message_share(entry->message);
}

static void write_append(struct disk *disk, struct disk_op *op, struct store_result *result)
{
    struct message *message = op->note.message;
    result->append.duplicate = message->stored;
    if (message->stored) {
        return;
    }
    bool unknown = op->op.append.supersedes && !disk_supersede_widen(disk, op);
    result->status = unknown ? STORE_UNKNOWN_EARLIER : admit(disk, op);
    if (result->status != STORE_DONE) {
        result->append.usage = disk->usage[TOWN_PEOPLE[message->client].member];
        result->append.quota = op->op.append.quota;
        return;
    }
    if (op->op.append.supersedes) {
        disk_supersede(disk, op, result);
    }
    uint64_t sequence = disk->next_sequence++;
    result->append.sequence = sequence;
    ledger_set_sequence(disk->ledger, sequence, message->index);
    add_entries(disk, op, sequence);
    if (op->op.append.claim) {
        claim(disk, op, result);
    }
    message->stored = true;
    message->stored_ms = op->op.now_ms;
    message->sequence = sequence;
    disk_recount(disk, message);
    struct disk_undo *undo = disk_note_undo(disk, STORE_APPEND, 0);
    undo->message = message;
    undo->sequence = sequence;
}

struct life *disk_life_of(const struct disk *disk, const struct entry_key *key)
{
    struct message *message = ledger_of_sequence(disk->ledger, key->sequence);
    const struct disk_mailbox *mailbox = disk_mailbox_of(disk, key->mailbox);
    return message && mailbox ? ledger_life(message, mailbox->place) : NULL;
}

/* Ack, defer, bury: out of its place, noted to be put back. */
static struct memory_entry *take_out(struct disk *disk, const struct disk_op *op,
                                     const struct entry_key *key)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, key->mailbox);
    struct memory_entry entry;
    PROMISE(disk->trace, mailbox && memory_mailbox_remove(&mailbox->box, key, &entry),
            "an answer is about an entry that is there", {"sequence", key->sequence},
            {"mailbox", key->mailbox}, {"kind", op->op.kind});
    PROMISE(disk->trace, entry.claimed, "an answer is about an entry that was taken",
            {"sequence", key->sequence}, {"mailbox", key->mailbox});
    entry.claimed = false;
    struct disk_undo *undo = disk_note_undo(disk, op->op.kind, key->mailbox);
    undo->before = entry;
    return &undo->before;
}

static void write_answer(struct disk *disk, const struct disk_op *op, struct store_result *result)
{
    /* The key is the first member of each of these. */
    const struct entry_key *key = &op->op.ack;
    if (disk->stuck) {
        result->status = STORE_NO_ROOM;
        return;
    }
    struct memory_entry entry = *take_out(disk, op, key);
    struct life *life = disk_life_of(disk, key);
    disk_history_keep(disk, op, life);
    struct memory_mailbox *box = &disk_mailbox_of(disk, key->mailbox)->box;
    if (op->op.kind == STORE_DEFER) {
        entry.key.due_ms = op->op.defer.due_ms;
        entry.attempts = op->op.defer.attempts;
        disk->undos[disk->undo_count - 1].after = entry.key;
        assert(memory_mailbox_add(box, &entry));
        return;
    }
    if (op->op.kind == STORE_ACK) {
        life->on_disk = DISK_ACKED;
    } else {
        life->on_disk = DISK_DEAD;
        life->dead_code = op->op.bury.code;
        struct store_op bury = op->op;
        bury.bury.reason = op->reason;
        uint64_t order = entry.order;
        assert(memory_dead_bury(box, &entry, &bury));
        entry.order = order;
    }
    assert(memory_order_pass(box, entry.order, &result->turn));
    disk->undos[disk->undo_count - 1].passed = result->turn.passed;
    disk_recount_sequence(disk, key->sequence);
}

static void write_release(struct disk *disk, const struct entry_key *key)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, key->mailbox);
    struct memory_entry *entry = mailbox ? memory_mailbox_find(&mailbox->box, key) : NULL;
    PROMISE(disk->trace, entry && entry->claimed, "what is given back was taken",
            {"sequence", key->sequence}, {"mailbox", key->mailbox});
    entry->claimed = false;
}

static void write_take(struct disk *disk, const struct store_op *op, struct store_result *result)
{
    struct disk_mailbox *mailbox = disk_mailbox_of(disk, op->take.mailbox);
    if (!mailbox) {
        result->status = STORE_NOT_FOUND;
        return;
    }
    struct memory_entry *entry = NULL;
    uint64_t bytes = 0;
    size_t capacity = 0;
    while (result->take.count < op->take.max_entries &&
           (entry = memory_mailbox_next(&mailbox->box, op->now_ms)) != NULL &&
           (result->take.count == 0 || bytes + entry->message->bytes <= op->take.max_bytes)) {
        result->take.entries = agenda_grown(result->take.entries, result->take.count, &capacity,
                                            sizeof *result->take.entries);
        mailbox->box.picks += entry->key.due_ms > 0 ? 0 : 1;
        bytes += entry->message->bytes;
        entry->claimed = true;
        result->take.entries[result->take.count++] =
            (struct store_entry){.key = entry->key,
                                 .attempts = entry->attempts,
                                 .accepted_ms = entry->message->accepted_ms,
                                 .expires_ms = entry->message->expires_ms,
                                 .message = memory_message_share(entry->message)};
    }
    result->take.more = memory_mailbox_next(&mailbox->box, op->now_ms) != NULL;
    result->take.next_due_ms = memory_mailbox_next_due(&mailbox->box, op->now_ms);
}

static void write_one(struct disk *disk, struct disk_op *op)
{
    struct disk_result result = {.note = op->note,
                                 .result = {.kind = op->op.kind, .ticket = op->op.ticket}};
    if (op->op.kind != STORE_TAKE && op->op.now_ms > disk->last_time_ms) {
        disk->last_time_ms = op->op.now_ms;
    }
    switch (op->op.kind) {
    case STORE_TRACK:
        disk_track(disk, op, &result.result);
        break;
    case STORE_CANCEL:
        disk_cancel(disk, op, &result.result);
        break;
    case STORE_KNOWN:
        result.result.status = op->tracked && op->tracked->stored ? STORE_DONE : STORE_NOT_FOUND;
        break;
    case STORE_EXPIRE:
        disk_expire(disk, op, &result.result);
        break;
    case STORE_MAILBOX:
    case STORE_MAILBOXES:
        write_mailboxes(disk, op, &result.result);
        break;
    case STORE_APPEND:
        write_append(disk, op, &result.result);
        held_message_drop(&op->op.append.message);
        break;
    case STORE_TAKE:
        write_take(disk, &op->op, &result.result);
        break;
    case STORE_RELEASE:
        write_release(disk, &op->op.release);
        return;
    case STORE_DEAD_LIST:
    case STORE_DEAD_READ:
    case STORE_REPLAY:
    case STORE_DROP:
        disk_dead(disk, &op->op, &result.result);
        break;
    default:
        write_answer(disk, op, &result.result);
        break;
    }
    disk->results = agenda_grown(disk->results, disk->result_count, &disk->result_capacity,
                                 sizeof *disk->results);
    disk->results[disk->result_count++] = result;
}

void disk_write(struct disk *disk, size_t count)
{
    for (size_t i = 0; i < count && disk->op_first < disk->op_count; i++) {
        write_one(disk, &disk->ops[disk->op_first++]);
    }
    if (disk->op_first == disk->op_count) {
        disk->op_first = 0;
        disk->op_count = 0;
    }
}

void disk_sync(struct disk *disk)
{
    for (size_t i = 0; i < disk->undo_count; i++) {
        const struct disk_undo *undo = &disk->undos[i];
        if (undo->kind == STORE_ACK || undo->kind == STORE_DROP) {
            memory_message_unref(undo->before.message);
        }
        disk->ledger->lives += undo->kind == STORE_ACK || undo->kind == STORE_BURY;
    }
    disk->undo_count = 0;
    disk->synced_sequence = disk->next_sequence;
    disk->synced_time_ms = disk->last_time_ms;
    disk->result_synced = disk->result_count;
}

bool disk_collect(struct disk *disk, struct disk_result *out_result)
{
    if (disk->result_first == disk->result_synced) {
        return false;
    }
    *out_result = disk->results[disk->result_first++];
    if (disk->result_first == disk->result_count) {
        disk->result_first = 0;
        disk->result_synced = 0;
        disk->result_count = 0;
    }
    return true;
}

static void unclaim_all(struct disk *disk)
{
    for (size_t i = 0; i < disk->mailbox_count; i++) {
        disk->mailboxes[i].box.picks = 0;
        for (int k = 0; k < MEMORY_LISTS; k++) {
            struct entry_list *list = &disk->mailboxes[i].box.lists[k];
            for (size_t at = 0; at < list->count; at++) {
                list->items[list->first + at].claimed = false;
            }
        }
    }
}

void disk_crash(struct disk *disk)
{
    for (size_t i = disk->op_first; i < disk->op_count; i++) {
        if (disk->ops[i].op.kind == STORE_APPEND) {
            held_message_drop(&disk->ops[i].op.append.message);
        }
    }
    for (size_t i = disk->result_first; i < disk->result_count; i++) {
        store_result_drop(&disk->results[i].result);
    }
    while (disk->undo_count > 0) {
        disk_undo_one(disk, &disk->undos[--disk->undo_count]);
    }
    unclaim_all(disk);
    disk->op_first = disk->op_count = 0;
    disk->result_first = disk->result_synced = disk->result_count = 0;
    disk->next_sequence = disk->synced_sequence;
    disk->last_time_ms = disk->synced_time_ms;
}

void disk_close(struct disk *disk)
{
    disk_write(disk, disk_waiting(disk));
    disk_sync(disk);
    disk_crash(disk);
}

static void count_list(const struct entry_list *list, struct stored_mailbox *out)
{
    out->waiting += list->count;
    for (size_t at = 0; at < list->count; at++) {
        out->waiting_bytes += entry_list_at(list, at)->message->bytes;
    }
}

size_t disk_mailboxes(const struct disk *disk, struct stored_mailbox *out_mailboxes)
{
    size_t count = 0;
    for (size_t id = 0; id < disk->mailbox_count; id++) {
        const struct disk_mailbox *mailbox = &disk->mailboxes[id];
        if (!mailbox->known) {
            continue;
        }
        struct stored_mailbox *out = &out_mailboxes[count++];
        *out = (struct stored_mailbox){.id = (uint32_t)id,
                                       .name = TOWN_ADDRESSES[mailbox->place].address,
                                       .dead = mailbox->box.dead.count};
        count_list(&mailbox->box.behind, out);
        for (int k = 0; k < MEMORY_LISTS; k++) {
            count_list(&mailbox->box.lists[k], out);
        }
    }
    return count;
}

bool disk_offers(struct disk *disk, unsigned place, int64_t now_ms)
{
    for (size_t id = 0; id < disk->mailbox_count; id++) {
        struct disk_mailbox *mailbox = &disk->mailboxes[id];
        if (mailbox->known && mailbox->place == place) {
            const struct memory_entry *entry = memory_mailbox_next(&mailbox->box, now_ms);
            return entry && entry->key.due_ms == 0;
        }
    }
    return false;
}
