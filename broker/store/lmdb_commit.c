/* SPDX-License-Identifier: EUPL-1.2
 *
 * The writer thread: everything that was submitted while the last commit was syncing becomes the
 * next batch, up to a bound, so that throughput grows with load and a lone op commits at once.
 *
 * A batch is tried reading when no op of it writes, else writing; again, writing, when a reading
 * one met damage; again, without its appends, when the file is full. Any other failure latches:
 * LMDB itself would go on after a failed sync, and a sync that succeeds later proves nothing about
 * the pages of the one that failed.
 */
#include "core/stored_message.h"
#include "store/lmdb_redo.h"
#include "store/lmdb_store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    /* Of one batch, so that its dirty pages stay far below LMDB's 131,071 and its time short. */
    BATCH_OPS = 4096,
    BATCH_RECIPIENTS = 16384, /* one append may have more */
    BATCH_APPEND_BYTES = 8 * 1024 * 1024,
    BATCH_MOVED_BYTES = 64 * 1024 * 1024, /* read by takes, deleted by acks */
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What a batch did to memory. */

int batch_note(struct batch *batch, enum undo_kind kind, struct mailbox *mailbox,
               const struct entry_key *key)
{
    if (batch->undo_count == batch->undo_capacity) {
        size_t capacity = batch->undo_capacity == 0 ? 64 : batch->undo_capacity * 2;
        struct undo *undos = realloc(batch->undos, capacity * sizeof *undos);
        if (undos == NULL) {
            return ENOMEM;
        }
        batch->undos = undos;
        batch->undo_capacity = capacity;
    }
    batch->undos[batch->undo_count++] =
        (struct undo){.kind = kind, .mailbox = mailbox, .key = *key};
    return 0;
}

int batch_touch(struct batch *batch, struct mailbox *mailbox)
{
    if (mailbox->touched) {
        return 0;
    }
    if (batch->touched_count == batch->touched_capacity) {
        size_t capacity = batch->touched_capacity == 0 ? 16 : batch->touched_capacity * 2;
        struct mailbox **touched = realloc(batch->touched, capacity * sizeof(struct mailbox *));
        if (touched == NULL) {
            return ENOMEM;
        }
        batch->touched = touched;
        batch->touched_capacity = capacity;
    }
    mailbox->touched = true;
    batch->touched[batch->touched_count++] = mailbox;
    return 0;
}

static int undo_one(const struct undo *undo)
{
    struct claims *claims = &undo->mailbox->claims;
    bool kept = true;
    switch (undo->kind) {
    case UNDO_CLAIMED:
        (void)claims_drop(claims, &undo->key);
        break;
    case UNDO_TAKEN:
        (void)claims_drop(claims, &undo->key);
        undo->mailbox->picks -= undo->key.due_ms > 0 ? 0 : 1;
        break;
    case UNDO_UNCLAIMED:
        kept = claims_add(claims, &undo->key);
        break;
    case UNDO_REMOVED:
        break;
    }
    claims_lower(claims, &undo->key);
    return kept ? 0 : ENOMEM;
}

/* Back to what is committed; the ops can be done again. */
static int batch_undo(struct batch *batch)
{
    int rc = 0;
    for (size_t i = batch->undo_count; i > 0; i--) {
        int undone = undo_one(&batch->undos[i - 1]);
        rc = rc != 0 ? rc : undone;
    }
    for (size_t i = 0; i < batch->touched_count; i++) {
        batch->touched[i]->counts = batch->touched[i]->committed;
        batch->touched[i]->touched = false;
    }
    batch_end_senders(batch, false);
    for (size_t i = 0; i < batch->result_count; i++) {
        store_result_drop(&batch->results[i]);
    }
    batch->undo_count = 0;
    batch->touched_count = 0;
    batch->result_count = 0;
    return rc;
}

static void batch_keep(struct batch *batch)
{
    struct lmdb_store *store = batch->store;
    for (size_t i = 0; i < batch->touched_count; i++) {
        batch->touched[i]->committed = batch->touched[i]->counts;
        batch->touched[i]->touched = false;
    }
    batch_end_senders(batch, true);
    store->next_sequence = batch->next_sequence;
    store->doomed = store->doomed && !batch->erased_all;
    batch->undo_count = 0;
    batch->touched_count = 0;
}

/* The results are on disk. Messages that were claimed go along with theirs; the others are let go
 * at once, not with the whole list. */
static void part_messages(struct batch *batch, struct store_op *ops, size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        struct store_result *result = &batch->results[next];
        next += ops[i].kind != STORE_RELEASE ? 1 : 0;
        if (ops[i].kind != STORE_APPEND) {
            continue;
        }
        if (result->append.claimed) {
            result->append.message = ops[i].append.message;
            ops[i].append.message = (struct held_message){0};
        } else {
            held_message_drop(&ops[i].append.message);
        }
    }
}

static void batch_fini(struct batch *batch)
{
    free(batch->results);
    free(batch->undos);
    free(batch->touched);
}

/* One try. */

static bool is_full(int rc)
{
    return rc == MDB_MAP_FULL || rc == MDB_TXN_FULL;
}

static void batch_begin(struct batch *batch)
{
    batch->next_sequence = batch->store->next_sequence;
    batch->last_time_ms = atomic_load(&batch->store->last_time_ms);
    batch->moved_bytes = 0;
    batch->appended_bytes = 0;
    batch->recalled_bytes = 0;
    batch->changed = false;
    batch->erased_all = false;
    batch->append_count = 0;
    batch->result_count = 0;
    batch->track = NULL;
    redo_begin(&batch->store->redo);
}

/* A batch reads what is open, or else what is committed. */
static int batch_open(struct batch *batch)
{
    struct lmdb_store *store = batch->store;
    if (!batch->writes && store->txn == NULL) {
        return mdb_txn_begin(store->env, NULL, MDB_RDONLY, &batch->txn);
    }
    int rc = lmdb_begin(store);
    batch->txn = store->txn;
    return rc;
}

static void batch_close(struct batch *batch)
{
    if (batch->track != NULL) {
        mdb_cursor_close(batch->track);
        batch->track = NULL;
    }
    if (batch->txn != batch->store->txn) {
        mdb_txn_abort(batch->txn);
    }
    batch->txn = NULL;
}

/* What it wrote goes; what it only read has changed nothing. */
static int batch_give_up(struct batch *batch, int rc)
{
    batch_close(batch);
    int rolled_back = batch->writes ? lmdb_roll_back(batch->store) : 0;
    return rolled_back != 0 ? rolled_back : rc;
}

/* Durable, when it changed anything. */
static int batch_end(struct batch *batch)
{
    struct lmdb_store *store = batch->store;
    bool idle = batch->touched_count == 0 && batch->append_count == 0 && !batch->changed;
    if (idle && !batch->erases) {
        batch_close(batch);
        return 0;
    }
    assert(batch->writes);
    int rc = batch_write_state(batch);
    if (rc != 0) {
        return batch_give_up(batch, rc);
    }
    batch_close(batch);
    store->pending_bytes += batch->appended_bytes;
    store->open_bytes += batch->appended_bytes;
    store->open_bytes -=
        batch->recalled_bytes < store->open_bytes ? batch->recalled_bytes : store->open_bytes;
    rc = lmdb_make_durable(store);
    if (rc != 0) {
        return is_full(rc) ? batch_give_up(batch, rc) : rc;
    }
    atomic_store(&store->last_time_ms, batch->last_time_ms);
    return 0;
}

/* Does ops until a bound is reached; *out_done says how many. */
static int batch_try(struct batch *batch, const struct store_op *ops, size_t count,
                     size_t *out_done)
{
    struct lmdb_store *store = batch->store;
    batch_begin(batch);
    int rc = batch->writes ? room_measure(store) : 0;
    rc = rc != 0 ? rc : batch_open(batch);
    if (rc != 0) {
        return rc;
    }
    size_t done = 0;
    while (rc == 0 && done < count && batch->moved_bytes < BATCH_MOVED_BYTES) {
        rc = batch_apply(batch, &ops[done++]);
    }
    if (rc != 0) {
        return batch_give_up(batch, rc);
    }
    *out_done = done;
    return batch_end(batch);
}

static int batch_run(struct batch *batch, const struct store_op *ops, size_t count,
                     size_t *out_done)
{
    struct lmdb_store *store = batch->store;
    int rc = batch_try(batch, ops, count, out_done);
    while (rc == BATCH_NEEDS_WRITE || (is_full(rc) && !batch->refuse_appends)) {
        /* Pages that were given back since the last commit can be used after the next. */
        bool commits = is_full(rc) && store->txn != NULL;
        batch->refuse_appends = is_full(rc) && !commits;
        batch->writes = true;
        rc = batch_undo(batch);
        rc = rc == 0 && commits ? lmdb_checkpoint(store) : rc;
        if (rc != 0) {
            return rc; /* what the log promised is not in the transaction: nothing may follow */
        }
        rc = batch_try(batch, ops, count, out_done);
    }
    return rc;
}

static bool op_writes(enum store_op_kind kind)
{
    return kind != STORE_TAKE && kind != STORE_RELEASE && kind != STORE_DEAD_LIST &&
           kind != STORE_DEAD_READ && kind != STORE_USAGE && kind != STORE_BACKUP &&
           kind != STORE_BACKED_UP && kind != STORE_CHECK && kind != STORE_FETCH &&
           kind != STORE_TRACK && kind != STORE_DUE && kind != STORE_EXPIRE && kind != STORE_KNOWN;
}

/* These read the file as it was committed, beside what a transaction sees. */
static bool op_is_alone(enum store_op_kind kind)
{
    return kind == STORE_BACKUP || kind == STORE_CHECK;
}

/* How many ops, from the first, may be one batch; whether one of them writes, and how much. */
static size_t batch_size(const struct store_op *ops, size_t count, bool *out_writes,
                         uint64_t *out_bytes)
{
    uint64_t bytes = 0;
    uint64_t recipients = 0;
    size_t size = 0;
    bool writes = false;
    while (size < count && size < BATCH_OPS && bytes < BATCH_APPEND_BYTES &&
           recipients < BATCH_RECIPIENTS) {
        const struct store_op *op = &ops[size];
        if (size > 0 && (op_is_alone(op->kind) || op_is_alone(ops[0].kind))) {
            break;
        }
        size++;
        writes = writes || op_writes(op->kind);
        if (op->kind == STORE_APPEND) {
            bytes += room_cost(op);
            recipients += op->append.recipient_count;
        } else if (op->kind == STORE_CHUNK) {
            bytes += room_cost(op);
        }
    }
    *out_writes = writes;
    *out_bytes = bytes;
    return size;
}

/* What is open may have given room back: it is measured behind a commit. */
static int find_room(struct lmdb_store *store, uint64_t bytes)
{
    if (store->txn == NULL || room_has(store, bytes)) {
        return 0;
    }
    store->room.next_measure_us = 0;
    return lmdb_checkpoint(store);
}

/* One batch of the ops; *out_done says how many they were. */
static int do_some(struct lmdb_store *store, struct store_op *ops, size_t count, size_t *out_done)
{
    struct batch batch = {.store = store};
    uint64_t bytes = 0;
    size_t size = batch_size(ops, count, &batch.writes, &bytes);
    batch.results = calloc(size, sizeof *batch.results);
    if (batch.results == NULL) {
        return ENOMEM;
    }
    int rc = op_is_alone(ops[0].kind) ? lmdb_checkpoint(store) : find_room(store, bytes);
    rc = rc != 0 ? rc : batch_run(&batch, ops, size, out_done);
    if (rc == 0) {
        batch_keep(&batch);
        part_messages(&batch, ops, *out_done);
        atomic_store(&store->last_commit_ms, monotonic_ms());
        outbox_put(&store->outbox, batch.results, batch.result_count);
    } else {
        (void)batch_undo(&batch);
    }
    batch_fini(&batch);
    return rc;
}

/* While nobody wants anything: a batch of its own that erases. */
static int erase_some(struct lmdb_store *store)
{
    struct batch batch = {.store = store, .writes = true, .erases = true};
    size_t done = 0;
    int rc = batch_run(&batch, NULL, 0, &done);
    if (rc == 0) {
        batch_keep(&batch);
        atomic_store(&store->last_commit_ms, monotonic_ms());
    } else {
        (void)batch_undo(&batch);
    }
    batch_fini(&batch);
    return rc;
}

/* After the results have gone: nobody waits for it. */
static int commit_if_due(struct lmdb_store *store)
{
    return lmdb_checkpoint_in_ms(store) == 0 ? lmdb_checkpoint(store) : 0;
}

static int do_all(struct lmdb_store *store, const struct op_list *list)
{
    size_t done = 0;
    int rc = 0;
    while (rc == 0 && done < list->count) {
        size_t some = 0;
        rc = do_some(store, list->items + done, list->count - done, &some);
        rc = rc != 0 ? rc : commit_if_due(store);
        done += some;
    }
    return rc;
}

static void latch(struct lmdb_store *store, int rc)
{
    struct store_problem problem = {0};
    lmdb_problem(&problem, store->path, "a batch could not be read, written or synced", rc);
    if (problem.kind == STORE_PROBLEM_PATH) {
        problem.kind = STORE_PROBLEM_IO;
    }
    inbox_stop(&store->inbox);
    outbox_fail(&store->outbox, &problem);
}

static int64_t longest_wait_ms(const struct lmdb_store *store)
{
    return store->doomed ? 0 : lmdb_checkpoint_in_ms(store);
}

void *lmdb_writer(void *argument)
{
    struct lmdb_store *store = argument;
    struct op_list list = {0};
    int rc = 0;
    atomic_store(&store->last_commit_ms, monotonic_ms());
    while (rc == 0 && inbox_wait(&store->inbox, longest_wait_ms(store), &list)) {
        atomic_store(&store->busy, true);
        if (list.count > 0) {
            rc = do_all(store, &list);
        } else {
            rc = store->doomed ? erase_some(store) : commit_if_due(store);
        }
        op_list_clear(&list);
        if (rc != 0) {
            latch(store, rc);
        }
        atomic_store(&store->busy, false);
    }
    if (rc == 0) {
        lmdb_end_log(store);
    }
    if (store->txn != NULL) {
        mdb_txn_abort(store->txn); /* by the thread that holds LMDB's lock */
        store->txn = NULL;
    }
    op_list_fini(&list);
    return NULL;
}
