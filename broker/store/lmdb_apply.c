/* SPDX-License-Identifier: EUPL-1.2
 *
 * One op into the running transaction: entries, counters, references and what they hold in place.
 *
 * Invariants: 1. a message is deleted with its last entry, dead ones included; 2. an entry that is
 * removed has its claim dropped and is counted out, in the same transaction; 3. appends are refused
 * before anything of them is written.
 */
#include "store/lmdb_attempt.h"
#include "store/lmdb_deadline.h"
#include "store/lmdb_expiry.h"
#include "store/lmdb_known.h"
#include "store/lmdb_order.h"
#include "store/lmdb_store.h"
#include "store/lmdb_supersede.h"
#include "store/lmdb_upload.h"
#include "store/track.h"

#include <errno.h>
#include <string.h>

static struct mailbox *find_mailbox(const struct batch *batch, uint32_t id)
{
    return mailbox_find(&batch->store->mailboxes, id);
}

int batch_put_entry(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                    const struct entry_record *entry)
{
    struct record_key record_key;
    struct small_record record;
    enum table table = key->due_ms > 0 ? TABLE_LATER : TABLE_READY;
    key_entry(&record_key, key);
    record_write_entry(&record, table, &record_key, entry);
    int rc = batch_put(batch, table, &record_key, &record, MDB_NOOVERWRITE);
    if (rc == 0) {
        rc = batch_touch(batch, mailbox);
    }
    if (rc == 0) {
        claims_lower(&mailbox->claims, key);
        mailbox_count_in(mailbox, entry->bytes);
    }
    return rc;
}

/* Takes an entry out of its lane or its time; those behind it stay there. A broken record is taken
 * out as well. */
static int take_out(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                    struct entry_record *out_entry)
{
    struct record_key record_key;
    struct bytes record = {0};
    enum table table = key->due_ms > 0 ? TABLE_LATER : TABLE_READY;
    key_entry(&record_key, key);
    int rc = batch_get(batch, table, &record_key, &record);
    if (rc != 0) {
        return rc;
    }
    *out_entry = (struct entry_record){0};
    if (!record_read_entry(table, key_bytes(&record_key), record, out_entry)) {
        rc = order_find(batch, mailbox->id, key->sequence, &out_entry->order);
    }
    rc = rc != 0 ? rc : batch_del(batch, table, &record_key);
    if (rc == 0) {
        rc = batch_touch(batch, mailbox);
    }
    if (rc == 0) {
        enum undo_kind kind = claims_drop(&mailbox->claims, key) ? UNDO_UNCLAIMED : UNDO_REMOVED;
        rc = batch_note(batch, kind, mailbox, key);
        mailbox_count_out(mailbox, out_entry->bytes);
    }
    return rc;
}

int batch_remove_entry(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                       struct entry_record *out_entry, struct store_turn *out_turn)
{
    int rc = take_out(batch, mailbox, key, out_entry);
    return rc != 0 ? rc : order_pass(batch, mailbox, out_entry->order, out_turn);
}

/* The entry counts no more for the sender, whom the message names when the entry does not. */
static int count_entry_out(struct batch *batch, uint64_t sequence, const struct entry_record *gone)
{
    struct message_head head = {.sender = gone->sender};
    int rc = gone->sender == 0 ? message_head_of(batch, sequence, &head) : 0;
    batch_count_entry_out(batch, head.sender);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int batch_release_message(struct batch *batch, uint64_t sequence, const struct entry_record *gone)
{
    struct record_key key;
    struct bytes record = {0};
    struct small_record counted;
    uint32_t remaining = 0;
    key_refs(&key, sequence);
    int rc = count_entry_out(batch, sequence, gone);
    rc = rc != 0 ? rc : batch_get(batch, TABLE_REFS, &key, &record);
    if (rc == MDB_NOTFOUND) {
        return message_delete(batch, sequence, gone);
    }
    if (rc != 0) {
        return rc;
    }
    if (!record_read_number(TABLE_REFS, key_bytes(&key), record, &remaining)) {
        return 0; /* bytes that nobody needs are better than an entry without bytes */
    }
    if (remaining > 1) {
        record_write_number(&counted, TABLE_REFS, &key, remaining - 1);
        return batch_put(batch, TABLE_REFS, &key, &counted, 0);
    }
    rc = batch_del(batch, TABLE_REFS, &key);
    return rc != 0 ? rc : message_delete(batch, sequence, gone);
}

/* The broker's own from the beginning, when that was asked for: the entry that was just put. */
static int claim_entry(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    if (!claims_asked(op)) {
        return 0;
    }
    const struct store_recipient *recipient = &op->append.recipients[0];
    struct entry_key key = {.mailbox = recipient->mailbox,
                            .lane = recipient->lane,
                            .sequence = result->append.sequence};
    struct mailbox *mailbox = find_mailbox(batch, key.mailbox);
    if (!claims_add(&mailbox->claims, &key)) {
        return ENOMEM;
    }
    result->append.claimed = true;
    return batch_note(batch, UNDO_CLAIMED, mailbox, &key);
}

static int append_entries(struct batch *batch, const struct store_op *op, uint32_t sender,
                          uint64_t sequence)
{
    const struct held_message *message = &op->append.message;
    struct entry_record entry = {.bytes = message->envelope.size + message->payload.size +
                                          op->append.stored_bytes,
                                 .sender = sender,
                                 .order = op->append.order};
    uint32_t count = op->append.recipient_count;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        const struct store_recipient *recipient = &op->append.recipients[i];
        struct entry_key key = {.mailbox = recipient->mailbox,
                                .lane = recipient->lane,
                                .due_ms = recipient->due_ms > 0 ? recipient->due_ms : 0,
                                .sequence = sequence};
        rc = order_admit(batch, find_mailbox(batch, key.mailbox), &key, &entry);
    }
    if (rc == 0 && count > 1) {
        struct record_key key;
        struct small_record record;
        key_refs(&key, sequence);
        record_write_number(&record, TABLE_REFS, &key, count);
        rc = batch_put(batch, TABLE_REFS, &key, &record, MDB_APPEND);
    }
    return rc;
}

static enum store_status admit(struct batch *batch, const struct store_op *op)
{
    for (uint32_t i = 0; i < op->append.recipient_count; i++) {
        const struct store_recipient *recipient = &op->append.recipients[i];
        if (find_mailbox(batch, recipient->mailbox) == NULL || recipient->lane >= LANE_COUNT) {
            return STORE_NOT_FOUND;
        }
    }
    const struct held_message *message = &op->append.message;
    bool fits = message->envelope.size + message->payload.size <= MESSAGE_CONTENT_BYTES;
    if (batch->refuse_appends || !fits || !room_take(batch->store, room_cost(op))) {
        return STORE_NO_ROOM;
    }
    return STORE_DONE;
}

/* What an append writes, once it is let in. */
static int write_append(struct batch *batch, const struct store_op *op, uint32_t sender,
                        uint64_t content, struct store_result *result)
{
    uint64_t sequence = batch->next_sequence++;
    int rc = 0;
    if (op->append.recipient_count > 0) {
        rc = message_store(batch, sequence, op,
                           &(struct message_head){.sender = sender, .content = content});
        rc = rc != 0 ? rc : expiry_begin(batch, sequence, op->append.expires_ms, op->append.order);
    } else if (content > 0) {
        rc = content_doom(batch, content);
    }
    rc = rc != 0 ? rc : append_entries(batch, op, sender, sequence);
    rc = rc != 0 ? rc : track_begin(batch, op, sequence);
    rc = rc != 0 ? rc : deadline_begin(batch, op, sequence);
    rc = rc != 0 ? rc : duplicate_remember(batch, op, sequence);
    result->append.sequence = sequence;
    rc = rc != 0 ? rc : claim_entry(batch, op, result);
    batch->append_count++;
    batch->appended_bytes += room_cost(op);
    return rc;
}

/* `earlier` NULL: it supersedes nothing. */
static int admit_and_write(struct batch *batch, const struct store_op *op, struct earlier *earlier,
                           struct store_result *result)
{
    uint32_t sender = 0;
    uint64_t content = 0;
    int rc = batch_sender_in(batch, op, result, &sender);
    if (rc == 0 && result->status == STORE_DONE) {
        result->status = admit(batch, op);
    }
    if (rc != 0 || result->status != STORE_DONE) {
        return rc;
    }
    rc = op->append.stored_bytes > 0 ? batch_upload_claim(batch, op, &content) : 0;
    if (rc != 0) {
        result->status = STORE_NOT_FOUND;
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    rc = earlier != NULL ? supersede_replace(batch, op, earlier, result) : 0;
    return rc != 0 ? rc : write_append(batch, op, sender, content, result);
}

int batch_append_new(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    return admit_and_write(batch, op, NULL, result);
}

static int apply_append(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct earlier earlier = {0};
    struct store_op wide = *op;
    int rc = duplicate_find(batch, op->append.sender, op->append.id, op->now_ms,
                            &result->append.sequence);
    if (rc != MDB_NOTFOUND) {
        result->append.duplicate = rc == 0;
        return rc;
    }
    if (op->append.supersedes == NULL) {
        return admit_and_write(batch, op, NULL, result);
    }
    rc = supersede_begin(batch, &wide, &earlier);
    if (rc == 0) {
        rc = admit_and_write(batch, &wide, &earlier, result);
    } else if (rc == MDB_NOTFOUND) {
        result->status = STORE_UNKNOWN_EARLIER;
        rc = 0;
    }
    supersede_end(&earlier);
    return rc;
}

static int apply_ack(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    const struct entry_key *key = &op->ack;
    struct mailbox *mailbox = find_mailbox(batch, key->mailbox);
    struct entry_record entry;
    int rc = mailbox != NULL ? batch_remove_entry(batch, mailbox, key, &entry, &result->turn)
                             : MDB_NOTFOUND;
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    if (rc == 0 && entry.attempts > 0) {
        struct dead_key name = {.mailbox = key->mailbox, .sequence = key->sequence};
        rc = attempts_forget(batch, &name);
    }
    if (rc == 0) {
        const struct track_record fields = {.state = TRACK_ACKNOWLEDGED,
                                            .lane = key->lane,
                                            .attempts = entry.attempts + 1,
                                            .since_ms = op->now_ms};
        rc = track_move(batch, key->sequence, key->mailbox, &fields);
    }
    return rc != 0 ? rc : batch_release_message(batch, key->sequence, &entry);
}

static int apply_defer(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct entry_key key = op->defer.key;
    struct mailbox *mailbox = find_mailbox(batch, key.mailbox);
    struct entry_record entry;
    int rc = mailbox != NULL ? take_out(batch, mailbox, &key, &entry) : MDB_NOTFOUND;
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    key.due_ms = op->defer.due_ms > 0 ? op->defer.due_ms : 1;
    entry.attempts = op->defer.attempts;
    rc = rc != 0 ? rc : attempt_keep(batch, &key, op->defer.attempt);
    rc = rc != 0 ? rc : batch_put_entry(batch, mailbox, &key, &entry);
    if (rc == 0) {
        const struct track_record fields = {.state = TRACK_WAITING,
                                            .lane = key.lane,
                                            .attempts = entry.attempts,
                                            .since_ms = op->now_ms,
                                            .due_ms = key.due_ms};
        rc = track_move(batch, key.sequence, key.mailbox, &fields);
    }
    return rc;
}

int batch_put_dead(struct batch *batch, struct mailbox *mailbox, const struct entry_key *key,
                   const struct dead_record *dead)
{
    struct record_key record_key;
    struct small_record record;
    const struct track_record fields = {.state = (uint8_t)track_of_code(dead->code),
                                        .lane = key->lane,
                                        .attempts = dead->attempts,
                                        .code = dead->code,
                                        .since_ms = dead->died_ms};
    key_dead(&record_key, key->mailbox, key->sequence);
    record_write_dead(&record, &record_key, dead);
    mailbox->counts.dead++;
    int rc = batch_put(batch, TABLE_DEAD, &record_key, &record, 0);
    return rc != 0 ? rc : track_move(batch, key->sequence, key->mailbox, &fields);
}

int batch_bury(struct batch *batch, const struct entry_key *key, struct dead_record *dead,
               struct store_turn *out_turn)
{
    struct mailbox *mailbox = find_mailbox(batch, key->mailbox);
    struct entry_record entry;
    int rc =
        mailbox != NULL ? batch_remove_entry(batch, mailbox, key, &entry, out_turn) : MDB_NOTFOUND;
    if (rc != 0) {
        return rc;
    }
    dead->bytes = entry.bytes;
    dead->lane = key->lane;
    dead->order = entry.order;
    dead->sender = entry.sender;
    return batch_put_dead(batch, mailbox, key, dead);
}

static int apply_bury(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    const char *reason = op->bury.reason;
    struct dead_record dead = {.attempts = op->bury.attempts,
                               .code = op->bury.code,
                               .died_ms = op->now_ms,
                               .reason = {(const uint8_t *)reason, strlen(reason)}};
    int rc = batch_bury(batch, &op->bury.key, &dead, &result->turn);
    if (rc == MDB_NOTFOUND) {
        result->status = STORE_NOT_FOUND;
        return 0;
    }
    return rc != 0 ? rc : attempt_keep(batch, &op->bury.key, op->bury.attempt);
}

static int apply_release(struct batch *batch, const struct entry_key *key)
{
    struct mailbox *mailbox = find_mailbox(batch, key->mailbox);
    if (mailbox == NULL || !claims_drop(&mailbox->claims, key)) {
        return 0;
    }
    claims_lower(&mailbox->claims, key);
    return batch_note(batch, UNDO_UNCLAIMED, mailbox, key);
}

static int apply_mailbox(struct batch *batch, const struct store_op *op)
{
    struct mailbox *mailbox =
        mailbox_add(&batch->store->mailboxes, op->mailbox.id, op->mailbox.name);
    return mailbox != NULL ? batch_touch(batch, mailbox) : ENOMEM;
}

static int apply_mailboxes(struct batch *batch, const struct store_op *op)
{
    struct mailbox_table *table = &batch->store->mailboxes;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < op->announce.count; i++) {
        const struct store_name *name = &op->announce.names[i];
        struct mailbox *mailbox = mailbox_add(table, name->id, name->name);
        rc = mailbox != NULL ? batch_touch(batch, mailbox) : ENOMEM;
    }
    return rc;
}

int batch_apply(struct batch *batch, const struct store_op *op)
{
    if (op->kind == STORE_RELEASE) {
        return apply_release(batch, &op->release);
    }
    struct store_result *result = &batch->results[batch->result_count++];
    *result = (struct store_result){.kind = op->kind, .ticket = op->ticket};
    if (op->kind != STORE_TAKE && op->now_ms > batch->last_time_ms) {
        batch->last_time_ms = op->now_ms;
    }
    switch (op->kind) {
    case STORE_MAILBOX:
        return apply_mailbox(batch, op);
    case STORE_MAILBOXES:
        return apply_mailboxes(batch, op);
    case STORE_TRACK:
        return batch_track(batch, op, result);
    case STORE_CANCEL:
        return batch_cancel(batch, op, result);
    case STORE_KNOWN:
        return batch_known(batch, op, result);
    case STORE_EXPIRE:
        return batch_expire(batch, op, result);
    case STORE_APPEND:
        return op->append.pass.sequence > 0 ? batch_pass(batch, op, result)
                                            : apply_append(batch, op, result);
    case STORE_DUE:
        return batch_due(batch, op, result);
    case STORE_TAKE:
        return batch_take(batch, op, result);
    case STORE_ACK:
        return apply_ack(batch, op, result);
    case STORE_DEFER:
        return apply_defer(batch, op, result);
    case STORE_BURY:
        return apply_bury(batch, op, result);
    case STORE_DEAD_LIST:
        return batch_dead_list(batch, op, result);
    case STORE_DEAD_READ:
        return batch_dead_read(batch, op, result);
    case STORE_REPLAY:
        return batch_replay(batch, op, result);
    case STORE_DROP:
        return batch_drop(batch, op, result);
    case STORE_BACKUP:
        return batch_backup(batch, op, result);
    case STORE_BACKED_UP:
        return batch_backed_up(batch, result);
    case STORE_CHECK:
        return batch_check(batch, op, result);
    case STORE_USAGE:
        batch_usage(batch, op, result);
        return 0;
    case STORE_UPLOAD:
        return batch_upload_open(batch, op, result);
    case STORE_CHUNK:
        return batch_upload_chunk(batch, op, result);
    case STORE_FETCH:
        return content_fetch(batch, op, result);
    case STORE_RELEASE:
        break;
    }
    return 0;
}

static int write_mailbox(struct batch *batch, const struct mailbox *mailbox)
{
    struct record_key key;
    struct small_record record;
    struct mailbox_record fields = {
        .waiting = mailbox->counts.waiting,
        .waiting_bytes = mailbox->counts.waiting_bytes,
        .dead = mailbox->counts.dead,
        .behind = mailbox->counts.behind,
        .name = {(const uint8_t *)mailbox->name, strlen(mailbox->name)},
    };
    key_mailbox(&key, mailbox->id);
    record_write_mailbox(&record, &key, &fields);
    return batch_put(batch, TABLE_MAILBOX, &key, &record, 0);
}

int batch_write_state(struct batch *batch)
{
    struct record_key key;
    struct small_record record;
    int rc = duplicate_prune(batch);
    rc = rc != 0 ? rc : batch_upload_prune(batch);
    rc = rc != 0 ? rc : content_erase(batch);
    for (size_t i = 0; rc == 0 && i < batch->touched_count; i++) {
        rc = write_mailbox(batch, batch->touched[i]);
    }
    rc = rc != 0 ? rc : batch_write_senders(batch);
    if (rc != 0) {
        return rc;
    }
    struct state_record state = {.next_sequence = batch->next_sequence,
                                 .last_time_ms = batch->last_time_ms,
                                 .transaction = mdb_txn_id(batch->txn)};
    key_text(&key, "state");
    record_write_state(&record, &key, &state);
    return batch_put(batch, TABLE_META, &key, &record, 0);
}
