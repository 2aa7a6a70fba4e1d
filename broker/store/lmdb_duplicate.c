/* SPDX-License-Identifier: EUPL-1.2
 *
 * Which (sender, id) were accepted: within the window, so that a repeated submit is stored once;
 * longer, so that it is known what became of the message (lmdb_track.c). The table `duplicate`
 * finds them, `duplicate_age` says which are the oldest.
 *
 * Invariants: 1. each record of `duplicate` has its age, written in the same transaction; an age
 * can be left of an id that was accepted anew, and leads to the rows of the first alone; 2. a
 * broken record counts as unknown, for storing twice is allowed and losing is not; 3. what is
 * remembered goes with its rows in `track`; while an entry holds the message it gets a new age
 * instead; when there are too many the id goes all the same, but never the rows; 4.
 * when there are too many those go first, the oldest of them, whose senders have the most: nobody's
 * flood makes the broker forget what others have sent.
 */
#include "store/lmdb_known.h"

#include <string.h>

enum {
    /* Beyond one for each append of the batch, so that a backlog shrinks but no batch is long. */
    PRUNE_SPARE = 64,
    HEAVY_SHARE = 8,    /* looks at ages for each append, while there are too many */
    HEAVY_LOOKS = 4096, /* until it is found out anew who has the most */
    PRUNE_ROWS = 1024,  /* of track, beyond one for each append: of a notice to all, some a batch */
};

static int64_t remembered_ms(const struct batch *batch)
{
    const struct store_settings *settings = &batch->store->settings;
    return settings->track_ms > settings->duplicate_window_ms ? settings->track_ms
                                                              : settings->duplicate_window_ms;
}

static int read_known(struct batch *batch, const struct record_key *key,
                      struct duplicate_record *out_known)
{
    struct bytes record = {0};
    int rc = batch_get(batch, TABLE_DUPLICATE, key, &record);
    if (rc != 0) {
        return rc;
    }
    return record_read_duplicate(key_bytes(key), record, out_known) ? 0 : MDB_NOTFOUND;
}

int duplicate_find(struct batch *batch, const char *sender, const char *id, int64_t now_ms,
                   uint64_t *out_sequence)
{
    struct record_key key;
    struct duplicate_record known = {0};
    key_duplicate(&key, sender, id);
    int rc = read_known(batch, &key, &known);
    if (rc == 0 && now_ms - known.accepted_ms >= batch->store->settings.duplicate_window_ms) {
        rc = MDB_NOTFOUND;
    }
    if (rc == 0) {
        *out_sequence = known.sequence;
    }
    return rc;
}

int duplicate_known(struct batch *batch, const char *sender, const char *id,
                    struct duplicate_record *out_known)
{
    struct record_key key;
    key_duplicate(&key, sender, id);
    return read_known(batch, &key, out_known);
}

int batch_known(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    uint64_t sequence = 0;
    int rc = duplicate_find(batch, op->known.sender, op->known.id, op->now_ms, &sequence);
    result->status = rc == 0 ? STORE_DONE : STORE_NOT_FOUND;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_age(struct batch *batch, const struct duplicate_record *duplicate,
                     const struct record_key *name)
{
    struct record_key age;
    struct small_record record;
    key_duplicate_age(&age, duplicate);
    record_write_duplicate_age(&record, &age, name);
    return batch_put(batch, TABLE_DUPLICATE_AGE, &age, &record, 0);
}

static int64_t deadline_of(const struct store_op *op)
{
    return op->append.deadline != NULL ? op->append.deadline->deadline_ms : 0;
}

int duplicate_remember(struct batch *batch, const struct store_op *op, uint64_t sequence)
{
    const struct duplicate_record fresh = {.sequence = sequence,
                                           .accepted_ms = op->now_ms,
                                           .age_ms = op->now_ms,
                                           .expires_ms = op->append.expires_ms,
                                           .flow = op->append.flow,
                                           .order = op->append.order,
                                           .deadline_ms = deadline_of(op)};
    struct record_key key;
    struct small_record record;
    key_duplicate(&key, op->append.sender, op->append.id);
    record_write_duplicate(&record, &key, &fresh);
    int rc = batch_put(batch, TABLE_DUPLICATE, &key, &record, MDB_NOOVERWRITE);
    if (rc == 0) {
        batch_count_known(batch, op->append.sender, true);
    } else if (rc == MDB_KEYEXIST) { /* beyond the window, or broken */
        rc = batch_put(batch, TABLE_DUPLICATE, &key, &record, 0);
    }
    return rc != 0 ? rc : write_age(batch, &fresh, &key);
}

/* What the oldest age leads to. `own`: the record of (sender, id) is of the same message. */
struct oldest {
    struct duplicate_record record;
    struct record_key name;
    bool own;
};

static int read_oldest(struct batch *batch, const MDB_val *key, const MDB_val *value,
                       struct oldest *out_oldest)
{
    struct bytes name = {0};
    struct duplicate_record known = {0};
    if (!key_read_duplicate_age(bytes_of_val(key), &out_oldest->record) ||
        !record_read_duplicate_age(bytes_of_val(key), bytes_of_val(value), &name)) {
        return MDB_NOTFOUND;
    }
    memcpy(out_oldest->name.data, name.data, name.size);
    out_oldest->name.size = name.size;
    int rc = read_known(batch, &out_oldest->name, &known);
    out_oldest->own = rc == 0 && known.sequence == out_oldest->record.sequence;
    if (out_oldest->own) {
        out_oldest->record = known;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* An entry holds the message: remembered as if it had been accepted now. */
static int renew(struct batch *batch, struct oldest *oldest)
{
    struct small_record record;
    int rc = 0;
    oldest->record.age_ms = batch->last_time_ms;
    if (oldest->own) {
        record_write_duplicate(&record, &oldest->name, &oldest->record);
        rc = batch_put(batch, TABLE_DUPLICATE, &oldest->name, &record, 0);
    }
    return rc != 0 ? rc : write_age(batch, &oldest->record, &oldest->name);
}

/* How far a batch goes. */
struct pruning {
    MDB_cursor *cursor; /* in duplicate_age */
    size_t rows;        /* of track that may still be deleted */
    bool too_many;
    bool done;
    bool forgot; /* an id */
};

/* The name begins with the slug of the sender, and a zero. */
static const char *sender_of(const struct record_key *name)
{
    return (const char *)name->data;
}

/* The id alone, when it is the message's. */
static int forget_id(struct batch *batch, struct pruning *pruning, struct oldest *oldest)
{
    pruning->forgot = oldest->own;
    oldest->own = false;
    if (pruning->forgot) {
        batch_count_known(batch, sender_of(&oldest->name), false);
    }
    return pruning->forgot ? batch_del(batch, TABLE_DUPLICATE, &oldest->name) : 0;
}

/* The batch is done when it has deleted its share of rows: the others are for the next. */
static int forget(struct batch *batch, struct pruning *pruning, struct oldest *oldest)
{
    struct record_key message;
    struct bytes bytes;
    key_message(&message, oldest->record.sequence, 0);
    int rc = batch_get(batch, TABLE_MESSAGE, &message, &bytes);
    if (rc == 0) {
        rc = pruning->too_many ? forget_id(batch, pruning, oldest) : 0;
        return rc != 0 ? rc : renew(batch, oldest);
    }
    rc = rc != MDB_NOTFOUND ? rc : track_forget(batch, oldest->record.sequence, &pruning->rows);
    pruning->done = pruning->rows == 0;
    return rc != 0 || pruning->done ? rc : forget_id(batch, pruning, oldest);
}

static void keep_key(struct record_key *out_key, const MDB_val *key)
{
    out_key->size = key->mv_size < sizeof out_key->data ? key->mv_size : sizeof out_key->data;
    memcpy(out_key->data, key->mv_data, out_key->size);
}

static int prune_one(struct batch *batch, struct pruning *pruning)
{
    MDB_val key;
    MDB_val value;
    struct oldest oldest = {0};
    struct record_key age = {0};
    int rc = mdb_cursor_get(pruning->cursor, &key, &value, MDB_FIRST);
    if (rc != 0) {
        pruning->done = true;
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    rc = read_oldest(batch, &key, &value, &oldest);
    if (rc == MDB_NOTFOUND) {
        return batch_del_current(batch, TABLE_DUPLICATE_AGE, pruning->cursor);
    }
    keep_key(&age, &key);
    pruning->done = batch->last_time_ms - oldest.record.age_ms < remembered_ms(batch);
    if (rc == 0 && !pruning->done) {
        rc = forget(batch, pruning, &oldest);
    }
    return rc != 0 || pruning->done ? rc : batch_del(batch, TABLE_DUPLICATE_AGE, &age);
}

/* Has its sender as much as the heaviest? */
static bool is_heavy(struct batch *batch, const struct oldest *oldest)
{
    struct sender_table *table = &batch->store->senders;
    const struct sender *sender = sender_find(table, sender_of(&oldest->name));
    if (table->heavy_looks == 0) {
        table->heavy_known = sender_heavy(table);
        table->heavy_looks = HEAVY_LOOKS;
    }
    table->heavy_looks--;
    return oldest->own && (sender == NULL || sender->known > table->heavy_known);
}

/* The next age behind the last look; it goes when it is of the heaviest. */
static int prune_heavy(struct batch *batch, struct pruning *pruning)
{
    struct sender_table *table = &batch->store->senders;
    struct oldest oldest = {
        .record = {.age_ms = table->heavy_age_ms, .sequence = table->heavy_sequence}};
    struct record_key age;
    MDB_val value;
    key_duplicate_age(&age, &oldest.record);
    MDB_val key = val_of_key(&age);
    int rc = mdb_cursor_get(pruning->cursor, &key, &value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        table->heavy_age_ms = 0; /* from the beginning */
        table->heavy_sequence = 0;
        return 0;
    }
    rc = rc != 0 ? rc : read_oldest(batch, &key, &value, &oldest);
    if (rc == MDB_NOTFOUND) {
        return batch_del_current(batch, TABLE_DUPLICATE_AGE, pruning->cursor);
    }
    if (rc != 0) {
        return rc;
    }
    keep_key(&age, &key);
    (void)key_read_duplicate_age(key_bytes(&age), &oldest.record);
    table->heavy_age_ms = oldest.record.age_ms;
    table->heavy_sequence = oldest.record.sequence;
    if (is_heavy(batch, &oldest)) {
        rc = forget(batch, pruning, &oldest);
        rc = rc != 0 || pruning->done ? rc : batch_del(batch, TABLE_DUPLICATE_AGE, &age);
    }
    table->heavy_sequence += pruning->done ? 0 : 1;
    return rc;
}

static int prune_too_many(struct batch *batch, struct pruning *pruning)
{
    MDB_stat stat;
    const uint64_t most = batch->store->settings.duplicate_max;
    int rc = mdb_stat(batch->txn, batch->store->tables[TABLE_DUPLICATE], &stat);
    uint64_t count = rc == 0 ? stat.ms_entries : 0;
    size_t looks = batch->append_count * HEAVY_SHARE + PRUNE_SPARE;
    pruning->too_many = true;
    pruning->done = false;
    for (size_t i = 0; rc == 0 && !pruning->done && count > most && i < looks; i++) {
        pruning->forgot = false;
        rc = prune_heavy(batch, pruning);
        count -= pruning->forgot ? 1 : 0;
    }
    return rc;
}

int duplicate_prune(struct batch *batch)
{
    struct pruning pruning = {.rows = batch->append_count + PRUNE_ROWS};
    int rc =
        mdb_cursor_open(batch->txn, batch->store->tables[TABLE_DUPLICATE_AGE], &pruning.cursor);
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; rc == 0 && !pruning.done && i < batch->append_count + PRUNE_SPARE; i++) {
        rc = prune_one(batch, &pruning);
    }
    rc = rc != 0 || pruning.rows == 0 ? rc : prune_too_many(batch, &pruning);
    mdb_cursor_close(pruning.cursor);
    return rc;
}
