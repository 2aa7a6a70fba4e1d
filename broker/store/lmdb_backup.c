/* SPDX-License-Identifier: EUPL-1.2
 *
 * The hot backup: a thread of its own copies a snapshot of the store into a file (copy.h), reads
 * that back, every record and every reference (file_check.h), and only then gives it its name.
 *
 * Invariants: 1. a file under a backup's name is whole, checked and synced: until then it is
 * `.NAME.partial`; 2. no file is overwritten; 3. one at a time; 4. the snapshot is let go as soon
 * as it is copied: while it is held LMDB uses no page again that was freed since, so a backup ends
 * when the store's file has grown by more than GROWTH_BYTES or as much as it held.
 * The mutex guards `state`; everything else is the writer's until the thread runs, then the
 * thread's, until it is joined.
 */
#include "store/copy.h"
#include "store/file_check.h"
#include "store/lmdb_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { BACKUP_NICE = 10 /* the broker's threads come first */ };

static const uint64_t GROWTH_BYTES = UINT64_C(1) << 30;
static const char PARTIAL[] = ".partial";

struct backup {
    struct lmdb_store *store;
    pthread_mutex_t mutex;
    struct store_backup state;
    char *path; /* NULL: none are made */
    pthread_t thread;
    bool started; /* and not joined */
    atomic_bool stop;
    MDB_txn *txn; /* holds the snapshot */
    struct copy copy;
    int folder;
    uint64_t first_pages; /* of the file when it began */
    uint64_t growth_pages;
    int64_t start_ms;
    char partial[STORED_BACKUP_BYTES + sizeof PARTIAL + 1];
    char target[PATH_MAX];
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_state(struct backup *backup, const struct store_backup *state)
{
    pthread_mutex_lock(&backup->mutex);
    backup->state = *state;
    pthread_mutex_unlock(&backup->mutex);
}

static struct store_backup get_state(struct backup *backup)
{
    pthread_mutex_lock(&backup->mutex);
    struct store_backup state = backup->state;
    pthread_mutex_unlock(&backup->mutex);
    return state;
}

bool backup_init(struct lmdb_store *store)
{
    struct backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL) {
        return false;
    }
    backup->store = store;
    backup->folder = -1;
    const char *path = store->settings.backup_path;
    backup->path = path != NULL ? strdup(path) : NULL;
    if ((path != NULL && backup->path == NULL) || pthread_mutex_init(&backup->mutex, NULL) != 0) {
        free(backup->path);
        free(backup);
        return false;
    }
    store->backup = backup;
    return true;
}

static void join(struct backup *backup)
{
    if (backup->started) {
        pthread_join(backup->thread, NULL);
        backup->started = false;
    }
}

void backup_fini(struct lmdb_store *store)
{
    struct backup *backup = store->backup;
    if (backup == NULL) {
        return;
    }
    atomic_store(&backup->stop, true);
    join(backup);
    pthread_mutex_destroy(&backup->mutex);
    free(backup->path);
    free(backup);
    store->backup = NULL;
}

static bool fail(struct backup *backup, struct store_backup *state, const char *detail,
                 int system_errno)
{
    char system[96] = "";
    if (system_errno != 0) {
        (void)snprintf(system, sizeof system, ": %s",
                       strerror(system_errno)); /* NOLINT(concurrency-mt-unsafe): glibc's is safe */
    }
    (void)backup;
    state->phase = BACKUP_FAILED;
    (void)snprintf(state->detail, sizeof state->detail, "%.150s%s", detail, system);
    return false;
}

/* The thread. */

static bool go_on(void *context, uint64_t done_bytes)
{
    struct backup *backup = context;
    struct statvfs info;
    MDB_envinfo now;
    (void)mdb_env_info(backup->store->env, &now);
    pthread_mutex_lock(&backup->mutex);
    backup->state.done_bytes = done_bytes;
    pthread_mutex_unlock(&backup->mutex);
    bool grown = now.me_last_pgno + 1 > backup->first_pages + backup->growth_pages;
    bool room = fstatvfs(backup->folder, &info) != 0 ||
                (uint64_t)info.f_bavail * info.f_frsize > backup->store->settings.reserve_bytes;
    return !atomic_load(&backup->stop) && !grown && room;
}

static bool copy_snapshot(struct backup *backup, struct store_backup *state)
{
    struct store_problem problem = {0};
    bool copied = copy_run(&backup->copy, &problem);
    mdb_txn_abort(backup->txn);
    backup->txn = NULL;
    if (copied) {
        return true;
    }
    if (problem.kind == STORE_PROBLEM_NONE) {
        return fail(backup, state,
                    "stopped: the broker ends, the disk is nearly full, or the store's file grew "
                    "too much meanwhile",
                    0);
    }
    return fail(backup, state, problem.detail, problem.system_errno);
}

/* Faults of single records were in the store before; others are the copy's own. */
static void count_fault(void *context, const struct store_finding *finding)
{
    uint64_t *faults = context;
    *faults += finding->fault == STORED_FAULT_PAGE || finding->fault == STORED_FAULT_TABLE ? 1 : 0;
}

static bool check_copy(struct backup *backup, struct store_backup *state)
{
    struct store_report report;
    struct store_problem problem = {0};
    uint64_t faults = 0;
    const struct store_listener listener = {.tell = count_fault, .context = &faults};
    int fd = openat(backup->folder, backup->partial, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(backup, state, "the copy cannot be read", errno);
    }
    /* From the disk, as far as the system lets it go. */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    bool checked = file_check(fd, backup->partial, &listener, &report, &problem);
    close(fd);
    if (!checked) {
        return fail(backup, state, problem.detail, problem.system_errno);
    }
    if (faults > 0 || report.records != backup->copy.records) {
        return fail(backup, state, "the copy is not what was written: check the disk", 0);
    }
    state->file_bytes = report.file_bytes;
    state->records = report.records;
    state->findings = report.findings;
    return true;
}

/* A link never replaces what has the name already. */
static bool give_name(struct backup *backup, struct store_backup *state)
{
    if (linkat(backup->folder, backup->partial, backup->folder, state->name, 0) != 0) {
        return fail(backup, state, "the copy cannot be given its name", errno);
    }
    if (unlinkat(backup->folder, backup->partial, 0) != 0 || fsync(backup->folder) != 0) {
        return fail(backup, state, "the folder cannot be written", errno);
    }
    return true;
}

static void *run_backup(void *argument)
{
    struct backup *backup = argument;
    pthread_setname_np(pthread_self(), "relaisd-backup");
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKUP_NICE);
    struct store_backup state = get_state(backup);
    bool fine = copy_snapshot(backup, &state);
    if (fine) {
        state.phase = BACKUP_CHECKING;
        state.done_bytes = state.total_bytes;
        set_state(backup, &state);
        fine = check_copy(backup, &state) && give_name(backup, &state);
    }
    if (fine) {
        state.phase = BACKUP_DONE;
    } else {
        (void)unlinkat(backup->folder, backup->partial, 0);
    }
    close(backup->folder);
    backup->folder = -1;
    state.took_ms = monotonic_ms() - backup->start_ms;
    set_state(backup, &state);
    return NULL;
}

/* Before it: in the writer thread. */

/* What a backup left that was cut short. */
static void remove_partials(int folder)
{
    int fd = dup(folder);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(entries)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] == '.' && size > sizeof PARTIAL &&
            strcmp(entry->d_name + size - (sizeof PARTIAL - 1), PARTIAL) == 0) {
            (void)unlinkat(folder, entry->d_name, 0);
        }
    }
    closedir(entries);
}

static bool open_folder(struct backup *backup, struct store_backup *state)
{
    struct stat info;
    if (backup->path == NULL) {
        return fail(backup, state, "backup.path is not set in relaisd.yaml", 0);
    }
    if (mkdir(backup->path, 0700) != 0 && errno != EEXIST) {
        return fail(backup, state, "the folder backup.path cannot be made", errno);
    }
    backup->folder = open(backup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (backup->folder < 0) {
        return fail(backup, state, "the folder backup.path cannot be entered", errno);
    }
    if (fstatat(backup->folder, state->name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        return fail(backup, state, "a backup of this name exists; none is ever overwritten", 0);
    }
    remove_partials(backup->folder);
    return true;
}

static bool check_room(struct backup *backup, struct store_backup *state)
{
    struct statvfs info;
    char detail[160];
    uint64_t used = backup->store->room.used_bytes;
    uint64_t needed = used + used / 8 + COPY_STEP_BYTES + backup->store->settings.reserve_bytes;
    state->total_bytes = used;
    if (fstatvfs(backup->folder, &info) == 0 && (uint64_t)info.f_bavail * info.f_frsize >= needed) {
        return true;
    }
    (void)snprintf(detail, sizeof detail,
                   "the disk of backup.path is too full: %" PRIu64 " MiB free, %" PRIu64
                   " MiB needed",
                   (uint64_t)info.f_bavail * info.f_frsize >> 20, needed >> 20);
    return fail(backup, state, detail, 0);
}

/* The file is as it was committed last: no batch of the writer runs. */
static bool hold_snapshot(struct backup *backup, struct store_backup *state)
{
    struct lmdb_store *store = backup->store;
    struct page_meta *meta = &backup->copy.meta;
    mdb_filehandle_t fd = -1;
    if (mdb_env_get_fd(store->env, &fd) != 0 ||
        mdb_txn_begin(store->env, NULL, MDB_RDONLY, &backup->txn) != 0) {
        return fail(backup, state, "the store cannot be read", 0);
    }
    if (!metas_read_newest(fd, meta) || meta->transaction != mdb_txn_id(backup->txn)) {
        mdb_txn_abort(backup->txn);
        backup->txn = NULL;
        return fail(backup, state, "the store's meta pages cannot be read", 0);
    }
    backup->copy = (struct copy){.lives_alone = true,
                                 .source = fd,
                                 .meta = *meta,
                                 .target = backup->target,
                                 .go_on = go_on,
                                 .context = backup};
    backup->first_pages = meta->last_page + 1;
    uint64_t held = meta->last_page + 1;
    uint64_t least = GROWTH_BYTES / store->page_bytes;
    backup->growth_pages = held > least ? held : least;
    return true;
}

static void name_it(struct store_backup *state, const struct store_op *op)
{
    struct tm utc = {0};
    time_t seconds = (time_t)(op->now_ms / 1000);
    (void)snprintf(state->name, sizeof state->name, "%s", op->backup.name);
    if (state->name[0] == '\0' && gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(state->name, sizeof state->name, "relais-%Y%m%dT%H%M%SZ.mdb", &utc);
    }
}

static int start(struct backup *backup)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&backup->thread, NULL, run_backup, backup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    backup->started = rc == 0;
    return rc;
}

static bool prepare(struct backup *backup, struct store_backup *state)
{
    if (!open_folder(backup, state) || !check_room(backup, state) ||
        !hold_snapshot(backup, state)) {
        return false;
    }
    (void)snprintf(backup->partial, sizeof backup->partial, ".%s%s", state->name, PARTIAL);
    (void)snprintf(backup->target, sizeof backup->target, "%s/%s", backup->path, backup->partial);
    backup->start_ms = monotonic_ms();
    state->phase = BACKUP_COPYING;
    set_state(backup, state);
    int rc = start(backup);
    if (rc != 0) {
        mdb_txn_abort(backup->txn);
        backup->txn = NULL;
        return fail(backup, state, "no thread can be started", rc);
    }
    return true;
}

int batch_backup(struct batch *batch, const struct store_op *op, struct store_result *result)
{
    struct backup *backup = batch->store->backup;
    struct store_backup state = get_state(backup);
    result->backup = calloc(1, sizeof *result->backup);
    if (result->backup == NULL) {
        return ENOMEM;
    }
    if (state.phase == BACKUP_COPYING || state.phase == BACKUP_CHECKING) {
        (void)fail(backup, &state, "a backup is being made; one at a time", 0);
        result->status = STORE_REFUSED;
        *result->backup = state;
        return 0;
    }
    join(backup);
    state = (struct store_backup){0};
    name_it(&state, op);
    if (!prepare(backup, &state)) {
        if (backup->folder >= 0) {
            close(backup->folder);
            backup->folder = -1;
        }
        set_state(backup, &state);
        result->status = STORE_REFUSED;
    }
    *result->backup = state;
    return 0;
}

int batch_backed_up(struct batch *batch, struct store_result *result)
{
    result->backup = calloc(1, sizeof *result->backup);
    if (result->backup == NULL) {
        return ENOMEM;
    }
    *result->backup = get_state(batch->store->backup);
    return 0;
}
