/* SPDX-License-Identifier: EUPL-1.2
 *
 * What a start needs of an environment: makes the tables of a new one, reads version, state and
 * mailboxes of an old one, and nothing that grows with the messages.
 *
 * Every transaction of ours writes its own number into the state: when the last one of the file is
 * another, LMDB was led to an older tree, or somebody else wrote here.
 */
#include "store/lmdb_store.h"
#include "store/lmdb_upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool failed(struct lmdb_store *store, struct store_problem *problem, const char *what,
                   int rc)
{
    lmdb_problem(problem, store->path, what, rc);
    return false;
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

static int make_tables(struct lmdb_store *store, MDB_txn *txn, unsigned flags)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        int rc = mdb_dbi_open(txn, table_name((enum table)table), flags, &store->tables[table]);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int lmdb_open_tables(struct lmdb_store *store, MDB_txn *txn)
{
    return make_tables(store, txn, 0);
}

/* Version and state of a new store, when it has none. */
static int write_first(struct lmdb_store *store, MDB_txn *txn)
{
    struct record_key key;
    struct small_record record;
    struct bytes found = {0};
    struct state_record state = {.next_sequence = 1, .transaction = mdb_txn_id(txn)};
    key_text(&key, "version");
    int rc = get_meta(store, txn, &key, &found);
    if (rc != MDB_NOTFOUND) {
        return rc;
    }
    record_write_number(&record, TABLE_META, &key, RECORD_LAYOUT);
    rc = put_meta(store, txn, &key, &record);
    if (rc != 0) {
        return rc;
    }
    key_text(&key, "state");
    record_write_state(&record, &key, &state);
    return put_meta(store, txn, &key, &record);
}

static int create(struct lmdb_store *store)
{
    MDB_txn *txn = NULL;
    int rc = room_extend_file(store, 0, 0);
    if (rc == 0) {
        rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    }
    if (rc != 0) {
        return rc;
    }
    rc = make_tables(store, txn, MDB_CREATE);
    rc = rc != 0 ? rc : write_first(store, txn);
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
                          "%s: has layout %" PRIu32 ", this release knows layout %d alone: %s",
                          store->path, version, RECORD_LAYOUT,
                          version < RECORD_LAYOUT
                              ? "empty it with the release that wrote it, then begin a new folder"
                              : "start the release that wrote it");
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
    mailbox->counts = (struct mailbox_counts){.waiting = record.waiting,
                                              .waiting_bytes = record.waiting_bytes,
                                              .dead = record.dead,
                                              .behind = record.behind};
    mailbox->committed = mailbox->counts;
    return 0;
}

/* The mailboxes as the caller may read them while the writer changes its own. */
static bool list_found(struct lmdb_store *store)
{
    size_t count = store->mailboxes.count;
    store->found = calloc(count + 1, sizeof *store->found);
    store->found_names = calloc(count + 1, MAILBOX_NAME_BYTES + 1);
    if (store->found == NULL || store->found_names == NULL) {
        return false;
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

static bool read_mailboxes(struct lmdb_store *store, MDB_txn *txn, struct store_problem *problem)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, store->tables[TABLE_MAILBOX], &cursor);
    if (rc == 0) {
        while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
            rc = read_mailbox(store, &key, &value);
        }
        mdb_cursor_close(cursor);
    }
    if (rc != MDB_NOTFOUND) {
        return failed(store, problem, "the table of mailboxes is broken", rc);
    }
    rc = lmdb_read_senders(store, txn);
    if (rc != 0) {
        return failed(store, problem, "the table of senders is broken", rc);
    }
    rc = lmdb_read_uploads(store, txn);
    if (rc != 0) {
        return failed(store, problem, "the table of uploads is broken", rc);
    }
    return list_found(store) ? true : failed(store, problem, "no memory for the mailboxes", ENOMEM);
}

static int find_doomed(struct lmdb_store *store, MDB_txn *txn)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, store->tables[TABLE_DOOMED], &stat);
    store->doomed = rc == 0 && stat.ms_entries > 0;
    return rc;
}

bool lmdb_read_start(struct lmdb_store *store, struct store_problem *problem)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = lmdb_open_tables(store, txn);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return failed(store, problem, "the tables cannot be opened", rc);
    }
    if (!read_version(store, txn, problem) || !read_state(store, txn, problem) ||
        !read_mailboxes(store, txn, problem)) {
        mdb_txn_abort(txn);
        return false;
    }
    rc = find_doomed(store, txn);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return failed(store, problem, "the tables cannot be opened", rc);
    }
    /* Handles opened in a transaction stay only when it commits. */
    rc = mdb_txn_commit(txn);
    return rc == 0 || failed(store, problem, "the tables cannot be opened", rc);
}

bool lmdb_create(struct lmdb_store *store, struct store_problem *out_problem)
{
    int rc = create(store);
    if (rc != 0) {
        lmdb_problem(out_problem, store->path, "cannot make a new store", rc);
    }
    return rc == 0;
}
