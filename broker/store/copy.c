/* SPDX-License-Identifier: EUPL-1.2
 *
 * The state is written last, with the number of the transaction that writes it: a copy that was cut
 * short has none.
 */
#include "store/copy.h"

#include "store/folder.h"
#include "store/inspection.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_SPARE_BYTES = 64 * 1024 * 1024 }; /* of the map, beyond what the source has */

struct copying {
    struct copy *copy;
    struct store_problem *problem;
    struct pages pages;
    struct walk walk;
    struct inspection inspection;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi tables[TABLE_COUNT];
    uint64_t step_bytes; /* in the running transaction */
    struct state_record state;
    bool has_state;
};

static bool failed(struct copying *copying, const char *what, int rc)
{
    store_problem_set(copying->problem, rc == ENOMEM ? STORE_PROBLEM_MEMORY : STORE_PROBLEM_IO,
                      rc > 0 ? rc : 0, "%s: %s: %s", copying->copy->target, what, mdb_strerror(rc));
    return false;
}

static bool broken(struct copying *copying, const char *what)
{
    store_problem_set(copying->problem, STORE_PROBLEM_DAMAGED, 0,
                      "the store has a page that cannot be read (%s): check it", what);
    return false;
}

static bool open_target(struct copying *copying)
{
    const struct copy *copy = copying->copy;
    size_t map_bytes =
        (size_t)(copy->meta.last_page + 1) * copying->pages.page_bytes + COPY_SPARE_BYTES;
    /* MDB_NOLOCK: nobody else knows the file yet. */
    const unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS;
    int rc = mdb_env_create(&copying->env);
    rc = rc != 0 ? rc : mdb_env_set_mapsize(copying->env, map_bytes);
    rc = rc != 0 ? rc : mdb_env_set_maxdbs(copying->env, TABLE_COUNT);
    rc = rc != 0 ? rc : mdb_env_open(copying->env, copy->target, flags, 0600);
    rc = rc != 0 ? rc : mdb_txn_begin(copying->env, NULL, 0, &copying->txn);
    for (int table = 0; rc == 0 && table < TABLE_COUNT; table++) {
        rc = mdb_dbi_open(copying->txn, table_name((enum table)table), MDB_CREATE,
                          &copying->tables[table]);
    }
    return rc == 0 || failed(copying, "cannot be made", rc);
}

static bool commit(struct copying *copying, bool again)
{
    int rc = mdb_txn_commit(copying->txn);
    copying->txn = NULL;
    copying->step_bytes = 0;
    if (rc == 0 && again) {
        rc = mdb_txn_begin(copying->env, NULL, 0, &copying->txn);
    }
    return rc == 0 || failed(copying, "cannot be written", rc);
}

static bool end_step(struct copying *copying)
{
    const struct copy *copy = copying->copy;
    if (!commit(copying, true)) {
        return false;
    }
    if (copy->go_on == NULL || copy->go_on(copy->context, copying->pages.read_bytes)) {
        return true;
    }
    store_problem_set(copying->problem, STORE_PROBLEM_NONE, 0, "the copy was stopped");
    return false;
}

static bool put(struct copying *copying, enum table table, struct bytes key, struct bytes record)
{
    MDB_val key_value = {.mv_size = key.size, .mv_data = (void *)key.data};
    MDB_val value = {.mv_size = record.size, .mv_data = (void *)record.data};
    int rc = mdb_put(copying->txn, copying->tables[table], &key_value, &value, MDB_APPEND);
    if (rc != 0) {
        return failed(copying, "cannot be written", rc);
    }
    copying->copy->records++;
    copying->step_bytes += key.size + record.size;
    return copying->step_bytes < COPY_STEP_BYTES || end_step(copying);
}

static bool is_key(struct bytes key, const char *text)
{
    struct record_key named;
    key_text(&named, text);
    return key.size == named.size && memcmp(key.data, named.data, named.size) == 0;
}

/* The state waits for the last transaction. */
static bool is_state(struct copying *copying, enum table table, struct bytes key,
                     struct bytes record)
{
    if (table != TABLE_META || !is_key(key, "state")) {
        return false;
    }
    copying->has_state = record_read_state(key, record, &copying->state);
    return true;
}

static bool copy_record(struct copying *copying, enum table table)
{
    const struct walk *walk = &copying->walk;
    struct bytes body;
    if (is_state(copying, table, walk->key, walk->record)) {
        return true;
    }
    if (copying->copy->lives_alone && table == TABLE_META && is_key(walk->key, "redo")) {
        return true;
    }
    if (!record_open(table, walk->key, walk->record, &body)) {
        copying->copy->damaged++;
    }
    return put(copying, table, walk->key, walk->record);
}

static bool copy_table(struct copying *copying, enum table table)
{
    struct walk *walk = &copying->walk;
    enum walk_step step = walk_begin(walk, &copying->inspection.trees[table]);
    for (; step == WALK_RECORD; step = walk_next(walk)) {
        if (walk->key.data != NULL && !copy_record(copying, table)) {
            return false;
        }
    }
    return step == WALK_END || broken(copying, walk->broken_what);
}

static bool write_state(struct copying *copying)
{
    struct record_key key;
    struct small_record record;
    if (!copying->has_state) {
        return broken(copying, "the record of its state");
    }
    copying->state.transaction = mdb_txn_id(copying->txn);
    key_text(&key, "state");
    record_write_state(&record, &key, &copying->state);
    MDB_val key_value = {.mv_size = key.size, .mv_data = key.data};
    MDB_val value = {.mv_size = record.size, .mv_data = record.data};
    int rc = mdb_put(copying->txn, copying->tables[TABLE_META], &key_value, &value, 0);
    copying->copy->records++;
    return rc == 0 ? commit(copying, false) : failed(copying, "cannot be written", rc);
}

static bool copy_tables(struct copying *copying)
{
    for (int table = 0; table < TABLE_COUNT; table++) {
        if (!copy_table(copying, (enum table)table)) {
            return false;
        }
    }
    return write_state(copying);
}

/* As long as its meta page says, and on the disk. */
static bool finish_file(struct copying *copying)
{
    MDB_envinfo info;
    mdb_filehandle_t fd = -1;
    struct stat file;
    (void)mdb_env_info(copying->env, &info);
    off_t needed = (off_t)((info.me_last_pgno + 1) * copying->pages.page_bytes);
    int rc = mdb_env_get_fd(copying->env, &fd);
    if (rc == 0 && (fstat(fd, &file) != 0 ||
                    (file.st_size < needed && ftruncate(fd, needed) != 0) || fsync(fd) != 0)) {
        rc = errno;
    }
    return rc == 0 || failed(copying, "cannot be written", rc);
}

bool copy_run(struct copy *copy, struct store_problem *out_problem)
{
    struct copying copying = {.copy = copy, .problem = out_problem};
    copying.pages = (struct pages){
        .fd = copy->source, .page_bytes = copy->meta.page_bytes, .last_page = copy->meta.last_page};
    walk_init(&copying.walk, &copying.pages, RECORD_SEGMENT_BYTES);
    inspection_init(&copying.inspection, &copying.pages);
    bool fine = inspection_read_tables(&copying.inspection, &copying.walk, &copy->meta.names) &&
                copying.inspection.findings == 0;
    fine = fine ? open_target(&copying) && copy_tables(&copying) && finish_file(&copying)
                : broken(&copying, "the names of its tables");
    if (copying.txn != NULL) {
        mdb_txn_abort(copying.txn);
    }
    if (copying.env != NULL) {
        mdb_env_close(copying.env);
    }
    walk_fini(&copying.walk);
    inspection_fini(&copying.inspection);
    return fine;
}
