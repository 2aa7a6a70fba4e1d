/* SPDX-License-Identifier: EUPL-1.2
 *
 * The LMDB engine: opens and closes the environment, and is the engine's side of store.h. Neither
 * NOSYNC, NOMETASYNC nor WRITEMAP: a commit is on disk when it returns. NORDAHEAD stays off:
 * payload segments are read in the order in which they lie.
 */
#include "store/compact.h"
#include "store/lmdb_redo.h"
#include "store/lmdb_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF_MADE_NAME "data.mdb.new"

/* What an LMDB or system code means for whoever runs the broker. */
static enum store_problem_kind kind_of(int rc)
{
    static const int damages[] = {MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID,  MDB_CURSOR_FULL,
                                  MDB_PANIC,     MDB_INCOMPATIBLE,  MDB_NOTFOUND, MDB_KEYEXIST};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        if (rc == damages[i]) {
            return STORE_PROBLEM_DAMAGED;
        }
    }
    switch (rc) {
    case MDB_VERSION_MISMATCH:
        return STORE_PROBLEM_VERSION;
    case ENOMEM:
        return STORE_PROBLEM_MEMORY;
    case EACCES:
    case EPERM:
    case EROFS:
        return STORE_PROBLEM_PATH;
    default:
        return STORE_PROBLEM_IO;
    }
}

void lmdb_problem(struct store_problem *out_problem, const char *path, const char *what, int rc)
{
    store_problem_set(out_problem, kind_of(rc), rc > 0 ? rc : 0, "%s: %s: %s", path, what,
                      mdb_strerror(rc));
}

static bool failed(struct lmdb_store *store, struct store_problem *problem, const char *what,
                   int rc)
{
    lmdb_problem(problem, store->path, what, rc);
    return false;
}

static bool open_environment(struct lmdb_store *store, const char *path, unsigned flags,
                             struct store_problem *problem)
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
        rc = mdb_env_open(store->env, path, MDB_NOTLS | flags, 0600);
    }
    if (rc != 0) {
        return failed(store, problem, "cannot open the store", rc);
    }
    int dead = 0;
    rc = mdb_reader_check(store->env, &dead);
    return rc == 0 || failed(store, problem, "cannot check for stale readers", rc);
}

static void release(struct lmdb_store *store)
{
    backup_fini(store);
    if (store->txn != NULL) {
        mdb_txn_abort(store->txn);
    }
    redo_fini(&store->redo);
    free(store->round);
    if (store->env != NULL) {
        mdb_env_close(store->env);
    }
    folder_close(&store->folder);
    mailbox_table_fini(&store->mailboxes);
    sender_table_fini(&store->senders);
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

static const struct store_compaction *lmdb_compaction(const struct store *base)
{
    return &((const struct lmdb_store *)base)->compaction;
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
    .compaction = lmdb_compaction,
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
    redo_init(&store->redo);
    store->log_wanted = settings->redo_bytes > 0;
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

/* A store that cannot be made smaller is opened as it is. */
static bool compact_at_start(struct lmdb_store *store, struct store_problem *problem)
{
    struct store_problem ignored = {0};
    struct compaction compaction = {.folder = &store->folder,
                                    .path = store->path,
                                    .reserve_bytes = store->settings.reserve_bytes};
    compact_clean(&store->folder);
    store->compaction.due = compact_is_due(&store->folder);
    if (!store->compaction.due) {
        return true;
    }
    mdb_env_close(store->env);
    store->env = NULL;
    store->compaction.done = compact_run(&compaction, &ignored);
    store->compaction.before_bytes = compaction.before_bytes;
    store->compaction.after_bytes = compaction.after_bytes;
    (void)snprintf(store->compaction.detail, sizeof store->compaction.detail, "%s", ignored.detail);
    return lmdb_check_file(&store->folder, store->path, problem) &&
           open_environment(store, store->path, 0, problem);
}

static void remove_half_made(const struct folder *folder)
{
    (void)unlinkat(folder->fd, HALF_MADE_NAME, 0);
    (void)unlinkat(folder->fd, HALF_MADE_NAME "-lock", 0);
}

/* Under another name until it is whole and on the disk: LMDB writes the first pages of a file
 * without a sync, and a power cut may leave half of them. */
static bool make_new(struct lmdb_store *store, struct store_problem *problem)
{
    const struct folder *folder = &store->folder;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/" HALF_MADE_NAME, store->path);
    remove_half_made(folder);
    bool made = open_environment(store, path, MDB_NOSUBDIR, problem) && lmdb_create(store, problem);
    if (store->env != NULL) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    if (made && (renameat(folder->fd, HALF_MADE_NAME, folder->fd, "data.mdb") != 0 ||
                 fsync(folder->fd) != 0)) {
        made = failed(store, problem, "cannot make a new store", errno);
    }
    remove_half_made(folder);
    return made;
}

static bool open_files(struct lmdb_store *store, struct store_problem *problem)
{
    if (!folder_open(&store->folder, store->path, problem)) {
        return false;
    }
    bool used = store->folder.used;
    if (!used && faccessat(store->folder.fd, "data.mdb", F_OK, 0) != 0 &&
        !make_new(store, problem)) {
        return false;
    }
    if (!lmdb_check_file(&store->folder, store->path, problem) ||
        (used && !folder_mark(&store->folder, store->path, problem)) ||
        !open_environment(store, store->path, 0, problem)) {
        return false;
    }
    if (!lmdb_recover(store, problem) || (used && !compact_at_start(store, problem))) {
        return false;
    }
    /* Without a mark the store is new or was copied here: what is missing is made. With one,
     * nothing may be missing. */
    if (!used &&
        (!lmdb_create(store, problem) || !folder_mark(&store->folder, store->path, problem))) {
        return false;
    }
    return lmdb_read_start(store, problem);
}

/* Signals are for the threads of the program: the store's must not take them away. */
static int start_thread(pthread_t *out_thread, void *(*run)(void *), void *argument)
{
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int rc = pthread_create(out_thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct opening {
    struct lmdb_store *store;
    struct store_problem *problem;
    bool fine;
};

static void *run_opening(void *argument)
{
    struct opening *opening = argument;
    struct lmdb_store *store = opening->store;
    pthread_setname_np(pthread_self(), STORE_THREAD_NAME);
    opening->fine = open_files(store, opening->problem);
    if (opening->fine && !backup_init(store)) {
        opening->fine = failed(store, opening->problem, "no memory", ENOMEM);
    }
    if (opening->fine) {
        room_init(store);
        int rc = room_measure(store);
        opening->fine = rc == 0 || failed(store, opening->problem, "cannot measure its room", rc);
    }
    return NULL;
}

static void *run_writer(void *store)
{
    pthread_setname_np(pthread_self(), STORE_THREAD_NAME);
    return lmdb_writer(store);
}

/* In a thread of the store's: its file is read here too, and may be broken. */
static bool open_and_start(struct lmdb_store *store, struct store_problem *problem)
{
    struct opening opening = {.store = store, .problem = problem};
    pthread_t opener;
    int rc = start_thread(&opener, run_opening, &opening);
    if (rc == 0) {
        pthread_join(opener, NULL);
        if (!opening.fine) {
            return false;
        }
        rc = start_thread(&store->writer, run_writer, store);
    }
    return rc == 0 || failed(store, problem, "cannot start a thread", rc);
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
    if (!open_and_start(store, &problem)) {
        *out_problem = problem;
        release(store);
        return false;
    }
    *out_store = &store->base;
    return true;
}
