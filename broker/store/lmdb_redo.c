/* SPDX-License-Identifier: EUPL-1.2
 *
 * The redo log beside LMDB: batches share one transaction, which is committed when the log is full,
 * when it has grown old, and before anything reads the file as it was committed.
 *
 * Invariants: 1. what the log has promised is in the open transaction, or is put there again from
 * the log before anything else happens; 2. `meta` names the log (key "redo") from before its first
 * frame until a commit after its last: with the name and without the file something is missing,
 * without the name the file means nothing; 3. a start begins without a log: what one holds is
 * committed first, and the file goes. Writer thread, and the thread that opens.
 */
#include "store/lmdb_redo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    /* A record may touch a page of its own, which stays in memory until the commit. */
    CHECKPOINT_RECORDS = 256 * 1024,
    CHECKPOINT_BYTES = 24 * 1024 * 1024, /* and what was appended is there whole */
    CHECKPOINT_MS = 1000,
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The log's name, and the state, which belongs to the transaction that wrote it last. */

static int write_state_again(struct lmdb_store *store, MDB_txn *txn)
{
    struct record_key key;
    struct small_record record;
    struct state_record state = {0};
    MDB_val value;
    key_text(&key, "state");
    MDB_val key_value = val_of_key(&key);
    int rc = mdb_get(txn, store->tables[TABLE_META], &key_value, &value);
    if (rc != 0 || !record_read_state(key_bytes(&key), bytes_of_val(&value), &state)) {
        return rc != 0 ? rc : MDB_CORRUPTED;
    }
    state.transaction = mdb_txn_id(txn);
    record_write_state(&record, &key, &state);
    value = val_of_record(&record);
    return mdb_put(txn, store->tables[TABLE_META], &key_value, &value, 0);
}

static int write_name(struct lmdb_store *store, MDB_txn *txn)
{
    struct record_key key;
    struct small_record record;
    key_text(&key, "redo");
    record_write_redo(&record, &key, store->redo.identity);
    MDB_val key_value = val_of_key(&key);
    MDB_val value = val_of_record(&record);
    return mdb_put(txn, store->tables[TABLE_META], &key_value, &value, 0);
}

static int remove_name(struct lmdb_store *store, MDB_txn *txn)
{
    struct record_key key;
    key_text(&key, "redo");
    MDB_val key_value = val_of_key(&key);
    int rc = mdb_del(txn, store->tables[TABLE_META], &key_value, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* MDB_NOTFOUND: no log is in use. */
static int read_name(struct lmdb_store *store, MDB_txn *txn, uint64_t *out_identity)
{
    struct record_key key;
    MDB_val value;
    key_text(&key, "redo");
    MDB_val key_value = val_of_key(&key);
    int rc = mdb_get(txn, store->tables[TABLE_META], &key_value, &value);
    if (rc == 0 && !record_read_redo(key_bytes(&key), bytes_of_val(&value), out_identity)) {
        rc = MDB_CORRUPTED;
    }
    return rc;
}

/* The transaction. */

int lmdb_begin(struct lmdb_store *store)
{
    if (store->txn != NULL) {
        return 0;
    }
    int rc = mdb_txn_begin(store->env, NULL, 0, &store->txn);
    if (rc != 0) {
        store->txn = NULL;
    } else if (store->redo.next_number == 0) {
        store->open_from = store->next_sequence;
    }
    return rc;
}

static int put_again(struct lmdb_store *store, MDB_txn *txn, const struct redo_record *record)
{
    MDB_dbi table = store->tables[record->table];
    MDB_val key = {.mv_size = record->key.size, .mv_data = (void *)record->key.data};
    MDB_val value = {.mv_size = record->record.size, .mv_data = (void *)record->record.data};
    int rc =
        record->deleted ? mdb_del(txn, table, &key, NULL) : mdb_put(txn, table, &key, &value, 0);
    return record->deleted && rc == MDB_NOTFOUND ? 0 : rc;
}

static int put_frame_again(struct lmdb_store *store, MDB_txn *txn, struct bytes body,
                           uint64_t *records)
{
    struct redo_record record;
    int rc = 0;
    while (rc == 0 && body.size > 0) {
        rc = redo_next(&body, &record) ? put_again(store, txn, &record) : MDB_CORRUPTED;
        *records += 1;
    }
    return rc;
}

static int code_of(enum redo_step step)
{
    return step == REDO_END ? 0 : step == REDO_FAILED ? errno : MDB_CORRUPTED;
}

static int replay(struct lmdb_store *store, MDB_txn *txn, struct redo_reader *reader,
                  enum redo_step *out_last, uint64_t *out_records)
{
    int rc = 0;
    *out_records = 0;
    while (rc == 0 && (*out_last = redo_read(reader)) == REDO_FRAME) {
        rc = put_frame_again(store, txn, reader->body, out_records);
    }
    return rc != 0 ? rc : code_of(*out_last);
}

static void abort_open(struct lmdb_store *store)
{
    if (store->txn != NULL) {
        mdb_txn_abort(store->txn);
        store->txn = NULL;
    }
}

static int replay_own(struct lmdb_store *store)
{
    enum redo_step last = REDO_END;
    uint64_t records = 0;
    int fd = openat(store->folder.fd, REDO_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno;
    }
    struct redo_reader reader = {
        .fd = fd, .identity = store->redo.identity, .transaction = mdb_txn_id(store->txn)};
    int rc = replay(store, store->txn, &reader, &last, &records);
    bool all = reader.number == store->redo.next_number;
    redo_reader_fini(&reader);
    close(fd);
    return rc == 0 && !all ? MDB_CORRUPTED : rc;
}

int lmdb_roll_back(struct lmdb_store *store)
{
    abort_open(store);
    if (store->redo.next_number == 0) {
        return 0;
    }
    int rc = lmdb_begin(store);
    rc = rc != 0 ? rc : replay_own(store);
    if (rc != 0) {
        abort_open(store);
    }
    /* A batch that finds the map full is done again; this one must be the last. */
    return rc == MDB_MAP_FULL || rc == MDB_TXN_FULL ? ENOSPC : rc;
}

int lmdb_checkpoint(struct lmdb_store *store)
{
    if (store->txn == NULL) {
        return 0;
    }
    int rc = room_extend_file(store, store->pending_bytes, store->redo.records);
    if (rc != 0) {
        return rc;
    }
    MDB_txn *txn = store->txn;
    store->txn = NULL;
    rc = mdb_txn_commit(txn);
    if (rc == 0) {
        store->pending_bytes = 0;
        store->open_bytes = 0;
        rc = redo_restart(&store->redo);
    }
    return rc;
}

/* The first batch of a life: the log is made, and the commit that holds the batch names it. Without
 * room on the disk there is none, and each batch is committed by itself. */
static int start_log(struct lmdb_store *store)
{
    uint64_t identity = 0;
    int rc = 0;
    if (store->redo.fd < 0) {
        if (getrandom(&identity, sizeof identity, 0) != (ssize_t)sizeof identity) {
            return errno;
        }
        rc = redo_create(&store->redo, store->folder.fd, identity, store->settings.redo_bytes);
        if (rc == ENOSPC || rc == EDQUOT) {
            store->log_wanted = false;
            return lmdb_checkpoint(store);
        }
    }
    rc = rc != 0 ? rc : write_name(store, store->txn);
    rc = rc != 0 ? rc : lmdb_checkpoint(store);
    store->log_wanted = rc != 0;
    return rc;
}

int lmdb_make_durable(struct lmdb_store *store)
{
    if (store->log_wanted) {
        return start_log(store);
    }
    if (!redo_fits(&store->redo)) {
        return lmdb_checkpoint(store);
    }
    if (store->redo.next_number == 0) {
        store->oldest_ms = monotonic_ms();
    }
    return redo_write(&store->redo, mdb_txn_id(store->txn));
}

int64_t lmdb_checkpoint_in_ms(const struct lmdb_store *store)
{
    if (store->txn == NULL) {
        return INT64_MAX;
    }
    if (store->redo.records >= CHECKPOINT_RECORDS || store->open_bytes >= CHECKPOINT_BYTES ||
        redo_is_nearly_full(&store->redo)) {
        return 0;
    }
    int64_t left = store->oldest_ms + CHECKPOINT_MS - monotonic_ms();
    return left > 0 ? left : 0;
}

void lmdb_end_log(struct lmdb_store *store)
{
    if (store->redo.fd < 0) {
        return; /* nothing is open */
    }
    int rc = lmdb_begin(store);
    rc = rc != 0 ? rc : remove_name(store, store->txn);
    rc = rc != 0 ? rc : write_state_again(store, store->txn);
    rc = rc != 0 ? rc : lmdb_checkpoint(store);
    if (rc == 0) {
        (void)unlinkat(store->folder.fd, REDO_NAME, 0);
    }
}

/* A start that finds a log. */

static bool failed(struct lmdb_store *store, struct store_problem *problem, const char *what,
                   int rc)
{
    lmdb_problem(problem, store->path, what, rc);
    return false;
}

static bool is_broken(struct lmdb_store *store, struct store_problem *problem,
                      const struct redo_reader *reader, enum redo_step last)
{
    const char *what = last == REDO_AHEAD
                           ? "is ahead of data.mdb, whose last commit is missing: restore a backup"
                           : "is damaged here; accepted messages are in it. Put a good copy back, "
                             "or empty the file to go on without them";
    store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s/" REDO_NAME ": byte %" PRIu64 ": %s",
                      store->path, reader->at, what);
    return false;
}

static bool replay_file(struct lmdb_store *store, MDB_txn *txn, int fd, uint64_t identity,
                        struct store_problem *problem)
{
    struct redo_reader reader = {.fd = fd, .identity = identity, .transaction = mdb_txn_id(txn)};
    enum redo_step last = REDO_END;
    uint64_t records = 0;
    int rc = replay(store, txn, &reader, &last, &records);
    rc = rc != 0 ? rc : room_extend_file(store, reader.next, records);
    bool fine = rc == 0;
    if (last == REDO_DAMAGED || last == REDO_AHEAD) {
        fine = is_broken(store, problem, &reader, last);
    } else if (rc != 0) {
        fine = failed(store, problem, "the redo log cannot be put into the store", rc);
    }
    redo_reader_fini(&reader);
    return fine;
}

static bool commit_replayed(struct lmdb_store *store, MDB_txn *txn, struct store_problem *problem)
{
    int rc = remove_name(store, txn);
    rc = rc != 0 ? rc : write_state_again(store, txn);
    if (rc != 0) {
        mdb_txn_abort(txn);
    } else {
        rc = mdb_txn_commit(txn);
    }
    return rc == 0 || failed(store, problem, "the redo log cannot be put into the store", rc);
}

/* What is put again may take more pages than when it was appended in order, and a start that finds
 * no room for what was accepted would never find any: for this life the map is larger. */
static int widen_map(struct lmdb_store *store, int fd)
{
    enum { PAGES_A_BLOCK = 16 };
    MDB_envinfo info;
    struct stat file;
    if (fd < 0) {
        return 0;
    }
    (void)mdb_env_info(store->env, &info);
    if (fstat(fd, &file) != 0) {
        return errno;
    }
    size_t more = (size_t)file.st_size / store->page_bytes * store->page_bytes;
    return mdb_env_set_mapsize(store->env, info.me_mapsize + PAGES_A_BLOCK * more);
}

/* `fd` -1: the file is not there. *out_useless: no log was in use. */
static bool recover(struct lmdb_store *store, int fd, bool *out_useless,
                    struct store_problem *problem)
{
    MDB_txn *txn = NULL;
    uint64_t identity = 0;
    int rc = widen_map(store, fd);
    rc = rc != 0 ? rc : mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc == 0 && lmdb_open_tables(store, txn) != 0) {
        mdb_txn_abort(txn);
        return true; /* another layout, or damage: the next step says so */
    }
    rc = rc != 0 ? rc : read_name(store, txn, &identity);
    *out_useless = rc == MDB_NOTFOUND;
    if (rc != 0) {
        mdb_txn_abort(txn);
        return *out_useless ||
               failed(store, problem, "whether a redo log is in use cannot be read", rc);
    }
    if (fd < 0) {
        mdb_txn_abort(txn);
        store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s/" REDO_NAME ": is missing, and the messages accepted last are in it. "
                          "Put it back, or make an empty one to go on without them",
                          store->path);
        return false;
    }
    if (!replay_file(store, txn, fd, identity, problem)) {
        mdb_txn_abort(txn);
        return false;
    }
    *out_useless = commit_replayed(store, txn, problem);
    return *out_useless;
}

bool lmdb_recover(struct lmdb_store *store, struct store_problem *out_problem)
{
    bool useless = false;
    int fd = openat(store->folder.fd, REDO_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT) {
        store_problem_set(out_problem, STORE_PROBLEM_PATH, errno,
                          "%s/" REDO_NAME ": cannot be read", store->path);
        return false;
    }
    bool fine = recover(store, fd, &useless, out_problem);
    if (fd >= 0) {
        close(fd);
    }
    if (fine && fd >= 0 && useless && unlinkat(store->folder.fd, REDO_NAME, 0) != 0) {
        store_problem_set(out_problem, STORE_PROBLEM_PATH, errno,
                          "%s/" REDO_NAME ": cannot be removed", store->path);
        fine = false;
    }
    return fine;
}
