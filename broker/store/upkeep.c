/* SPDX-License-Identifier: EUPL-1.2
 *
 * A restore links the old file under another name before the new one takes its place, so that there
 * is a whole data.mdb at each moment, and the old one stays.
 */
#include "store/upkeep.h"

#include "store/compact.h"
#include "store/file_check.h"
#include "store/redo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RESTORE_NAME "data.mdb.restoring"

enum { COPY_BLOCK_BYTES = 1024 * 1024 };

static bool system_problem(struct store_problem *problem, const char *name, const char *what)
{
    int error = errno;
    store_problem_set(problem,
                      error == ENOSPC || error == EIO ? STORE_PROBLEM_IO : STORE_PROBLEM_PATH,
                      error, "%s: %s", name, what);
    return false;
}

bool store_check_file(const char *file, const struct store_listener *listener,
                      struct store_report *out_report, struct store_problem *out_problem)
{
    *out_report = (struct store_report){0};
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return system_problem(out_problem, file, "cannot be read");
    }
    bool checked = file_check(fd, file, listener, out_report, out_problem);
    close(fd);
    return checked;
}

static void tell_log(const struct store_listener *listener, struct store_report *report,
                     enum stored_fault fault)
{
    const struct store_finding finding = {.fault = fault, .table = REDO_NAME};
    report->findings++;
    if (listener != NULL && listener->tell != NULL) {
        listener->tell(listener->context, &finding);
    }
}

/* The redo log that the store names: what was accepted last is in it. */
static bool check_log(const struct folder *folder, const struct store_listener *listener,
                      struct store_report *report, struct store_problem *problem)
{
    enum redo_step step = REDO_END;
    if (report->redo_identity == 0) {
        return true;
    }
    int fd = openat(folder->fd, REDO_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        tell_log(listener, report, STORED_FAULT_REFERENCE);
        return true;
    }
    struct redo_reader reader = {
        .fd = fd, .identity = report->redo_identity, .transaction = report->transaction + 1};
    while ((step = redo_read(&reader)) == REDO_FRAME) {
        report->redo_frames++;
        report->read_bytes += reader.body.size;
    }
    if (step == REDO_DAMAGED || step == REDO_AHEAD) {
        tell_log(listener, report,
                 step == REDO_DAMAGED ? STORED_FAULT_CHECKSUM : STORED_FAULT_REFERENCE);
    }
    redo_reader_fini(&reader);
    bool read = step != REDO_FAILED || system_problem(problem, REDO_NAME, "cannot be read");
    close(fd);
    return read;
}

/* Without making one. */
static bool open_folder(struct folder *folder, const char *path, struct store_problem *problem)
{
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        return system_problem(problem, path, "cannot be entered");
    }
    return folder_open(folder, path, problem);
}

bool store_check_folder(const char *path, const struct store_listener *listener,
                        struct store_report *out_report, struct store_problem *out_problem)
{
    struct folder folder;
    char name[PATH_MAX];
    *out_report = (struct store_report){0};
    if (!open_folder(&folder, path, out_problem)) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%s/data.mdb", path);
    bool checked = store_check_file(name, listener, out_report, out_problem) &&
                   check_log(&folder, listener, out_report, out_problem);
    folder_close(&folder);
    return checked;
}

/* What the redo log of a broker that was killed holds belongs into the file first. */
static bool commit_log(const struct store_settings *settings, struct store_problem *problem)
{
    struct store *store = NULL;
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/" REDO_NAME, settings->path);
    if (access(name, F_OK) != 0) {
        return true;
    }
    bool opened = store_open_lmdb(settings, &store, problem);
    if (opened) {
        store_close(store);
    }
    return opened;
}

bool store_compact_folder(const struct store_settings *settings, uint64_t *out_before,
                          uint64_t *out_after, struct store_problem *out_problem)
{
    struct folder folder;
    if (!commit_log(settings, out_problem) || !open_folder(&folder, settings->path, out_problem)) {
        return false;
    }
    struct compaction compaction = {
        .folder = &folder, .path = settings->path, .reserve_bytes = settings->reserve_bytes};
    bool done = compact_run(&compaction, out_problem);
    folder_close(&folder);
    *out_before = compaction.before_bytes;
    *out_after = compaction.after_bytes;
    return done;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    uint8_t *block = malloc(COPY_BLOCK_BYTES);
    bool fine = block != NULL;
    while (fine) {
        ssize_t got = read(from, block, COPY_BLOCK_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got == 0) {
            break;
        }
        fine = got > 0 && write_all(to, block, (size_t)got);
    }
    free(block);
    return fine && fsync(to) == 0;
}

/* The backup's bytes into the folder, under a name that is no store's. */
static bool fetch(const struct folder *folder, const char *file, struct store_problem *problem)
{
    (void)unlinkat(folder->fd, RESTORE_NAME, 0); /* of an attempt that was cut short */
    int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return system_problem(problem, file, "cannot be read");
    }
    int to = openat(folder->fd, RESTORE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = to >= 0 && copy_bytes(from, to);
    if (!fine) {
        (void)system_problem(problem, file, "cannot be copied into the store's folder");
    }
    if (to >= 0) {
        close(to);
    }
    close(from);
    return fine;
}

static bool check_fetched(const struct folder *folder, struct store_restore *restore,
                          struct store_problem *problem)
{
    int fd = openat(folder->fd, RESTORE_NAME, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return system_problem(problem, restore->file, "its copy cannot be read");
    }
    bool checked = file_check(fd, restore->file, restore->listener, &restore->report, problem);
    close(fd);
    if (checked && restore->report.findings > 0 && !restore->force) {
        store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s: is damaged", restore->file);
        return false;
    }
    return checked;
}

/* The file that is put aside may need its redo log, and until it is replaced it still does here:
 * the next start removes the name that is left. */
static bool put_log_aside(const struct folder *folder, const struct store_restore *restore)
{
    char name[sizeof restore->aside + sizeof REDO_NAME];
    (void)snprintf(name, sizeof name, "%s." REDO_NAME, restore->aside);
    return linkat(folder->fd, REDO_NAME, folder->fd, name, 0) == 0 || errno == ENOENT;
}

/* A name that was never there, for the file that is. */
static bool put_aside(const struct folder *folder, struct store_restore *restore,
                      struct store_problem *problem)
{
    struct timespec now = {0};
    struct tm utc = {0};
    char stamp[32];
    struct stat info;
    if (fstatat(folder->fd, "data.mdb", &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT || system_problem(problem, restore->path, "cannot be looked into");
    }
    if (!restore->force) {
        store_problem_set(problem, STORE_PROBLEM_PATH, EEXIST,
                          "%s/data.mdb: a store is there; --force puts it aside", restore->path);
        return false;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    (void)snprintf(restore->aside, sizeof restore->aside, "data.mdb.before-%s", stamp);
    return (linkat(folder->fd, "data.mdb", folder->fd, restore->aside, 0) == 0 &&
            put_log_aside(folder, restore)) ||
           system_problem(problem, restore->path, "the store there cannot be put aside");
}

static bool install(struct folder *folder, struct store_restore *restore,
                    struct store_problem *problem)
{
    if (!put_aside(folder, restore, problem)) {
        return false;
    }
    if (fsync(folder->fd) != 0 || renameat(folder->fd, RESTORE_NAME, folder->fd, "data.mdb") != 0 ||
        fsync(folder->fd) != 0) {
        return system_problem(problem, restore->path, "the backup cannot be put in place");
    }
    return folder_mark(folder, restore->path, problem);
}

bool store_restore(struct store_restore *restore, struct store_problem *out_problem)
{
    struct folder folder;
    struct stat info;
    restore->aside[0] = '\0';
    if (!folder_open(&folder, restore->path, out_problem)) {
        return false;
    }
    bool there = fstatat(folder.fd, "data.mdb", &info, AT_SYMLINK_NOFOLLOW) == 0;
    bool done = there && !restore->force ? put_aside(&folder, restore, out_problem)
                                         : fetch(&folder, restore->file, out_problem) &&
                                               check_fetched(&folder, restore, out_problem) &&
                                               install(&folder, restore, out_problem);
    if (!done) {
        (void)unlinkat(folder.fd, RESTORE_NAME, 0);
    }
    folder_close(&folder);
    return done;
}
