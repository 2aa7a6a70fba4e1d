/* SPDX-License-Identifier: EUPL-1.2
 *
 * See compact.h.
 */
#include "store/compact.h"

#include "store/copy.h"
#include "store/file_check.h"
#include "store/inspection.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define COMPACT_NAME "data.mdb.compact"

static const uint64_t DUE_FILE_BYTES = UINT64_C(64) << 20; /* smaller: not worth it */
static const uint64_t DUE_LIVE_BYTES = UINT64_C(2) << 30;  /* a start takes seconds, not minutes */

/* How many pages the list of free pages holds; false when it cannot be read. */
static bool count_free(int fd, const struct page_meta *meta, uint64_t *out_pages)
{
    enum { LIST_BYTES = 64 * 1024 * 1024 };
    struct pages pages = {.fd = fd, .page_bytes = meta->page_bytes, .last_page = meta->last_page};
    struct walk walk;
    *out_pages = 0;
    walk_init(&walk, &pages, LIST_BYTES);
    walk.numbers = true;
    enum walk_step step = walk_begin(&walk, &meta->free_pages);
    for (; step == WALK_RECORD; step = walk_next(&walk)) {
        uint64_t count = 0;
        if (walk.key.data != NULL && walk.record.size >= sizeof count) {
            memcpy(&count, walk.record.data, sizeof count);
            *out_pages += count;
        }
    }
    walk_fini(&walk);
    return step == WALK_END && *out_pages <= meta->last_page;
}

void compact_clean(const struct folder *folder)
{
    (void)unlinkat(folder->fd, COMPACT_NAME, 0);
}

bool compact_is_due(const struct folder *folder)
{
    struct page_meta meta;
    uint64_t free_pages = 0;
    int fd = openat(folder->fd, "data.mdb", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool read = metas_read_newest(fd, &meta) &&
                (meta.last_page + 1) * meta.page_bytes > DUE_FILE_BYTES &&
                count_free(fd, &meta, &free_pages);
    close(fd);
    uint64_t pages = read ? meta.last_page + 1 : 0;
    return read && free_pages > pages / 2 &&
           (pages - free_pages) * meta.page_bytes < DUE_LIVE_BYTES;
}

static bool has_room(struct compaction *compaction, uint64_t live_bytes,
                     struct store_problem *problem)
{
    struct statvfs info;
    uint64_t needed = live_bytes + live_bytes / 8 + COPY_STEP_BYTES + compaction->reserve_bytes;
    if (fstatvfs(compaction->folder->fd, &info) == 0 &&
        (uint64_t)info.f_bavail * info.f_frsize >= needed) {
        return true;
    }
    store_problem_set(problem, STORE_PROBLEM_IO, ENOSPC,
                      "%s: a packed copy needs %" PRIu64 " MiB of free room", compaction->path,
                      needed >> 20);
    return false;
}

static bool check_copy(const struct folder *folder, const char *name, const struct copy *copy,
                       uint64_t *out_bytes, struct store_problem *problem)
{
    struct store_report report;
    int fd = openat(folder->fd, COMPACT_NAME, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        store_problem_set(problem, STORE_PROBLEM_IO, errno, "%s: cannot be read", name);
        return false;
    }
    bool fine = file_check(fd, name, NULL, &report, problem);
    close(fd);
    *out_bytes = report.file_bytes;
    if (fine && report.records != copy->records) {
        store_problem_set(problem, STORE_PROBLEM_IO, 0, "%s: is not what was written", name);
        fine = false;
    }
    /* The copy has other transactions: the log would never fit it. */
    if (fine && report.redo_identity != 0) {
        store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0,
                          "data.mdb needs its redo.log, which is missing: put it back");
        fine = false;
    }
    return fine;
}

static bool replace(struct compaction *compaction, int source, const struct page_meta *meta,
                    struct store_problem *problem)
{
    const struct folder *folder = compaction->folder;
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/%s", compaction->path, COMPACT_NAME);
    struct copy copy = {.source = source, .meta = *meta, .target = name};
    compact_clean(folder);
    if (!copy_run(&copy, problem) ||
        !check_copy(folder, name, &copy, &compaction->after_bytes, problem)) {
        compact_clean(folder);
        return false;
    }
    if (renameat(folder->fd, COMPACT_NAME, folder->fd, "data.mdb") != 0 || fsync(folder->fd) != 0) {
        store_problem_set(problem, STORE_PROBLEM_IO, errno, "%s: cannot become data.mdb", name);
        return false;
    }
    return true;
}

bool compact_run(struct compaction *compaction, struct store_problem *out_problem)
{
    struct page_meta meta;
    struct stat info;
    uint64_t free_pages = 0;
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/data.mdb", compaction->path);
    int fd = openat(compaction->folder->fd, "data.mdb", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        store_problem_set(out_problem, STORE_PROBLEM_PATH, errno, "%s: cannot be read", name);
        return false;
    }
    bool fine = metas_check(fd, name, (uint64_t)info.st_size, &meta, out_problem);
    if (fine && !count_free(fd, &meta, &free_pages)) {
        store_problem_set(out_problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s: its list of free pages is broken", name);
        fine = false;
    }
    compaction->before_bytes = fine ? (meta.last_page + 1) * meta.page_bytes : 0;
    fine = fine &&
           has_room(compaction, (meta.last_page + 1 - free_pages) * meta.page_bytes, out_problem) &&
           replace(compaction, fd, &meta, out_problem);
    close(fd);
    return fine;
}
