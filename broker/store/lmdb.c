/* SPDX-License-Identifier: EUPL-1.2
 *
 * The LMDB engine: opens and closes the environment, reads what a start needs, and is the engine's
 * side of store.h. Neither NOSYNC, NOMETASYNC nor WRITEMAP: a commit is on disk when it returns.
 * NORDAHEAD stays off: payload segments are read in the order in which they lie.
 */
#include "store/lmdb_store.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text_of(int rc)
{
    return mdb_strerror(rc);
}

void lmdb_problem(struct store_problem *out_problem, const char *path, const char *what, int rc)
{
    enum store_problem_kind kind = STORE_PROBLEM_IO;
    switch (rc) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PANIC:
    case MDB_INCOMPATIBLE:
    case MDB_NOTFOUND:
    case MDB_KEYEXIST:
        kind = STORE_PROBLEM_DAMAGED;
        break;
    case MDB_VERSION_MISMATCH:
        kind = STORE_PROBLEM_VERSION;
        break;
    case ENOMEM:
        kind = STORE_PROBLEM_MEMORY;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        kind = STORE_PROBLEM_PATH;
        break;
    default:
        break;
    }
    store_problem_set(out_problem, kind, rc > 0 ? rc : 0, "%s: %s: %s", path, what, text_of(rc));
}

static bool failed(struct lmdb_store *store, struct store_problem *problem, const char *what,
                   int rc)
{
    lmdb_problem(problem, store->path, what, rc);
    return false;
}

static bool open_environment(struct lmdb_store *store, struct store_problem *problem)
{
    size_t page_bytes = store->page_bytes;
    size_t map_bytes = (size_t)store->settings.map_bytes / page_bytes * page_bytes;
    int rc = mdb_env_create(&store->env);
    if (rc == 0) {
        rc = mdb_env_set_mapsize(store->env, map_bytes);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    }
    if (rc == 0) {
        rc = mdb_env_open(store->env, store->path, MDB_NOTLS, 0600);
    }
    if (rc != 0) {
        return failed(store, problem, "cannot open the store", rc);
    }
    int dead = 0;
    rc = mdb_reader_check(store->env, &dead);
    return rc == 0 ? true : failed(store, problem, "cannot check for stale readers", rc);
}

/* One value of `meta`; *out_found is false when it is not there. */
static int get_meta(struct lmdb_store *store, MDB_txn *txn, struct record_key *key,
                    struct bytes *out_record)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value;
    int rc = mdb_get(txn, store->tables[TABLE_META], &key_value, &value);
    if (rc == 0) {
        *out_record = bytes_of_val(&value);
    }
    return rc;
}

static int put_meta(struct lmdb_store *store, MDB_txn *txn, struct record_key *key,
                    struct small_record *record)
{
    MDB_val key_value = val_of_key(key);
    MDB_val value = val_of_record(record);
    return mdb_put(txn, store->tables[TABLE_META], &key_value, &value, 0);
}

static int open_tables(struct lmdb_store *store, MDB_txn *txn, unsigned flags)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        int rc = mdb_dbi_open(txn, table_name((enum table)table), flags, &store->tables[table]);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int create(struct lmdb_store *store)
{
    MDB_txn *txn = NULL;
    struct record_key key;
    struct small_record record;
    int rc = room_extend_file(store, 0);
    if (rc == 0) {
        rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    }
    if (rc != 0) {
        return rc;
    }
    rc = open_tables(store, txn, MDB_CREATE);
    if (rc == 0) {
        key_text(&key, "version");
        record_write_number(&record, TABLE_META, &key, RECORD_LAYOUT);
        rc = put_meta(store, txn, &key, &record);
    }
    if (rc == 0) {
        struct state_record state = {.next_sequence = 1, .transaction = mdb_txn_id(txn)};
        key_text(&key, "state");
        record_write_state(&record, &key, &state);
        rc = put_meta(store, txn, &key, &record);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static bool read_version(struct lmdb_store *store, MDB_txn *txn, struct store_problem *problem)
{
    struct record_key key;
    struct bytes record = {0};
    uint32_t version = 0;
    key_text(&key, "version");
    int rc = get_meta(store, txn, &key, &record);
    if (rc != 0) {
        return failed(store, problem, "the version of the layout is missing", rc);
    }
    if (!record_read_number(TABLE_META, key_bytes(&key), record, &version)) {
        return failed(store, problem, "the version of the layout is broken", MDB_CORRUPTED);
    }
    if (version != RECORD_LAYOUT) {
        store_problem_set(problem, STORE_PROBLEM_VERSION, 0,
                          "%s: has layout %" PRIu32 ", this release knows layout %d", store->path,
                          version, RECORD_LAYOUT);
        return false;
    }
    return true;
}

/* The highest sequence that a message has; 0 without messages. */
static int last_sequence(struct lmdb_store *store, MDB_txn *txn, uint64_t *out_sequence)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_MESSAGE], &cursor);
    if (rc != 0) {
        return rc;
    }
    *out_sequence = 0;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (rc == 0) {
        rc = key_read_sequence(bytes_of_val(&key), out_sequence) ? 0 : MDB_CORRUPTED;
    } else if (rc == MDB_NOTFOUND) {
        rc = 0;
    }
    mdb_cursor_close(cursor);
    return rc;
}

static bool read_state(struct lmdb_store *store, MDB_txn *txn, struct store_problem *problem)
{
    struct record_key key;
    struct bytes record = {0};
    struct state_record state = {0};
    MDB_envinfo info;
    uint64_t last = 0;
    key_text(&key, "state");
    int rc = get_meta(store, txn, &key, &record);
    if (rc != 0 || !record_read_state(key_bytes(&key), record, &state)) {
        return failed(store, problem, "the record of the state is broken", MDB_CORRUPTED);
    }
    (void)mdb_env_info(store->env, &info);
    /* A compacted copy (mdb_copy -c) begins again at transaction 1. */
    if (state.transaction != info.me_last_txnid && info.me_last_txnid != 1) {
        return failed(store, problem, "the state is not that of the last transaction",
                      MDB_CORRUPTED);
    }
    rc = last_sequence(store, txn, &last);
    if (rc != 0 || last >= state.next_sequence) {
        return failed(store, problem, "messages and state do not belong together", MDB_CORRUPTED);
    }
    store->next_sequence = state.next_sequence;
    atomic_store(&store->last_time_ms, state.last_time_ms);
    return true;
}

static int read_mailbox(struct lmdb_store *store, const MDB_val *key, const MDB_val *value)
{
    struct mailbox_record record;
    uint32_t id = 0;
    char name[MAILBOX_NAME_BYTES + 1];
    if (!key_read_mailbox(bytes_of_val(key), &id) ||
        !record_read_mailbox(bytes_of_val(key), bytes_of_val(value), &record) ||
        record.name.size > MAILBOX_NAME_BYTES) {
        return MDB_CORRUPTED;
    }
    memcpy(name, record.name.data, record.name.size);
    name[record.name.size] = '\0';
    struct mailbox *mailbox = mailbox_add(&store->mailboxes, id, name);
    if (mailbox == NULL) {
        return ENOMEM;
    }
    mailbox->counts = (struct mailbox_counts){
        .waiting = record.waiting, .waiting_bytes = record.waiting_bytes, .dead = record.dead};
    mailbox->committed = mailbox->counts;
    return 0;
}

static bool read_mailboxes(struct lmdb_store *store, MDB_txn *txn, struct store_problem *problem)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_MAILBOX], &cursor);
    if (rc == 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        while (rc == 0) {
            rc = read_mailbox(store, &key, &value);
            rc = rc != 0 ? rc : mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
    }
    if (rc != MDB_NOTFOUND) {
        return failed(store, problem, "the table of mailboxes is broken", rc);
    }
    size_t count = store->mailboxes.count;
    store->found = calloc(count + 1, sizeof *store->found);
    store->found_names = calloc(count + 1, MAILBOX_NAME_BYTES + 1);
    if (store->found == NULL || store->found_names == NULL) {
        return failed(store, problem, "no memory for the mailboxes", ENOMEM);
    }
    for (size_t i = 0; i < count; i++) {
        const struct mailbox *mailbox = store->mailboxes.items[i];
        char *name = store->found_names + i * (MAILBOX_NAME_BYTES + 1);
        memcpy(name, mailbox->name, sizeof mailbox->name);
        store->found[i] = (struct stored_mailbox){.id = mailbox->id,
                                                  .name = name,
                                                  .waiting = mailbox->counts.waiting,
                                                  .waiting_bytes = mailbox->counts.waiting_bytes,
                                                  .dead = mailbox->counts.dead};
    }
    store->found_count = count;
    return true;
}

static bool read_start(struct lmdb_store *store, struct store_problem *problem)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = open_tables(store, txn, 0);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return failed(store, problem, "the tables cannot be opened", rc);
    }
    bool fine = read_version(store, txn, problem) && read_state(store, txn, problem) &&
                read_mailboxes(store, txn, problem);
    /* Handles opened in a transaction stay only when it commits. */
    if (fine) {
        rc = mdb_txn_commit(txn);
        fine = rc == 0 ? true : failed(store, problem, "the tables cannot be opened", rc);
    } else {
        mdb_txn_abort(txn);
    }
    return fine;
}

static void release(struct lmdb_store *store)
{
    if (store->env != NULL) {
        mdb_env_close(store->env);
    }
    folder_close(&store->folder);
    mailbox_table_fini(&store->mailboxes);
    inbox_fini(&store->inbox);
    outbox_fini(&store->outbox);
    free(store->found);
    free(store->found_names);
    free(store->path);
    free(store);
}

static void lmdb_close(struct store *base)
{
    struct lmdb_store *store = (struct lmdb_store *)base;
    inbox_close(&store->inbox);
    pthread_join(store->writer, NULL);
    release(store);
}

static const struct stored_mailbox *lmdb_mailboxes(const struct store *base, size_t *out_count)
{
    const struct lmdb_store *store = (const struct lmdb_store *)base;
    *out_count = store->found_count;
    return store->found;
}

static int64_t lmdb_last_time(const struct store *base)
{
    return atomic_load(&((const struct lmdb_store *)base)->last_time_ms);
}

static void lmdb_submit(struct store *base, struct store_op *ops, size_t count)
{
    struct lmdb_store *store = (struct lmdb_store *)base;
    if (!inbox_put(&store->inbox, ops, count)) {
        outbox_fail(&store->outbox, &(struct store_problem){.kind = STORE_PROBLEM_MEMORY,
                                                            .detail = "no memory for operations"});
        inbox_stop(&store->inbox);
    }
}

static int lmdb_event_fd(const struct store *base)
{
    return ((const struct lmdb_store *)base)->outbox.event_fd;
}

static size_t lmdb_collect(struct store *base, struct store_result *out_results, size_t max)
{
    return outbox_collect(&((struct lmdb_store *)base)->outbox, out_results, max);
}

static bool lmdb_failed(const struct store *base, struct store_problem *out_problem)
{
    /* The outbox' mutex is not part of what const promises. */
    return outbox_failed((struct outbox *)&((const struct lmdb_store *)base)->outbox, out_problem);
}

static void lmdb_size(const struct store *base, uint64_t *out_used, uint64_t *out_limit)
{
    const struct lmdb_store *store = (const struct lmdb_store *)base;
    *out_used = atomic_load(&store->used_bytes);
    *out_limit = store->room.append_bytes;
}

static void lmdb_pulse(const struct store *base, int64_t *out_last_ms, bool *out_busy)
{
    const struct lmdb_store *store = (const struct lmdb_store *)base;
    *out_last_ms = atomic_load(&store->last_commit_ms);
    *out_busy = atomic_load(&store->busy);
}

static const struct store_engine LMDB_ENGINE = {
    .close = lmdb_close,
    .mailboxes = lmdb_mailboxes,
    .last_time = lmdb_last_time,
    .submit = lmdb_submit,
    .event_fd = lmdb_event_fd,
    .collect = lmdb_collect,
    .failed = lmdb_failed,
    .size = lmdb_size,
    .pulse = lmdb_pulse,
};

static struct lmdb_store *allocate(const struct store_settings *settings)
{
    struct lmdb_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->base.engine = &LMDB_ENGINE;
    store->settings = *settings;
    store->folder = (struct folder){.fd = -1, .lock_fd = -1};
    store->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    store->path = strdup(settings->path);
    bool has_inbox = inbox_init(&store->inbox);
    bool has_outbox = has_inbox && outbox_init(&store->outbox);
    if (store->path != NULL && has_outbox) {
        store->settings.path = store->path;
        return store;
    }
    if (has_outbox) {
        outbox_fini(&store->outbox);
    }
    if (has_inbox) {
        inbox_fini(&store->inbox);
    }
    free(store->path);
    free(store);
    return NULL;
}

static bool open_files(struct lmdb_store *store, struct store_problem *problem)
{
    bool exists = false;
    if (!folder_open(&store->folder, store->path, problem) ||
        !lmdb_check_file(&store->folder, store->path, &exists, problem) ||
        (exists && !folder_mark(&store->folder, store->path, problem)) ||
        !open_environment(store, problem)) {
        return false;
    }
    if (!exists) {
        int rc = create(store);
        if (rc != 0) {
            return failed(store, problem, "cannot make a new store", rc);
        }
        if (!folder_mark(&store->folder, store->path, problem)) {
            return false;
        }
    }
    return read_start(store, problem);
}

/* Signals are for the threads of the program: the writer must not take them away. */
static int start_writer(struct lmdb_store *store)
{
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int rc = pthread_create(&store->writer, NULL, lmdb_writer, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

bool store_open_lmdb(const struct store_settings *settings, struct store **out_store,
                     struct store_problem *out_problem)
{
    struct store_problem problem = {0};
    struct lmdb_store *store = allocate(settings);
    if (store == NULL) {
        store_problem_set(out_problem, STORE_PROBLEM_MEMORY, ENOMEM, "%s: no memory",
                          settings->path);
        return false;
    }
    bool fine = open_files(store, &problem);
    if (fine) {
        room_init(store);
        int rc = room_measure(store);
        rc = rc != 0 ? rc : start_writer(store);
        fine = rc == 0 ? true : failed(store, &problem, "cannot start", rc);
    }
    if (!fine) {
        *out_problem = problem;
        release(store);
        return false;
    }
    *out_store = &store->base;
    return true;
}
