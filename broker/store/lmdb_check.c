/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looks at data.mdb with pread() before LMDB maps it. LMDB believes the numbers in its two meta
 * pages: a file that is shorter than they say is a SIGBUS later, and a wrong page size a crash at
 * once. The layout read here is LMDB 0.9's MDB_DATA_VERSION 1 (mdb.c, MDB_page and MDB_meta).
 *
 * Invariant: room_extend_file() keeps the file at least as long as its newest meta page says, so
 * that a shorter one has been cut.
 */
#include "store/lmdb_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    META_PAGES = 2,
    META_FLAG = 0x08, /* P_META */
    META_DATA_VERSION = 1,
    META_BYTES = 16 + 136,
};
static const uint32_t META_MAGIC = 0xBEEFC0DE;

struct meta {
    uint32_t page_bytes;
    uint64_t roots[2];
    uint64_t last_page;
    uint64_t transaction;
};

static uint32_t number32(const uint8_t *at)
{
    uint32_t value = 0;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t number64(const uint8_t *at)
{
    uint64_t value = 0;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Page header: number u64, pad u16, flags u16, 4 bytes. Meta: magic u32, version u32, address
 * u64, map size u64, two trees of 48 bytes (the first begins with the page size u32, each ends
 * with its root u64), last page u64, transaction u64. */
static bool read_meta(const uint8_t *page, uint64_t number, struct meta *out_meta)
{
    const uint8_t *meta = page + 16;
    const uint8_t *trees = meta + 24;
    uint16_t flags = 0;
    memcpy(&flags, page + 10, sizeof flags);
    out_meta->page_bytes = number32(trees);
    out_meta->roots[0] = number64(trees + 40);
    out_meta->roots[1] = number64(trees + 48 + 40);
    out_meta->last_page = number64(trees + 96);
    out_meta->transaction = number64(trees + 104);
    return number64(page) == number && (flags & META_FLAG) != 0 && number32(meta) == META_MAGIC &&
           number32(meta + 4) == META_DATA_VERSION;
}

/* Only of the newest: after a write of a meta page that failed, LMDB leaves one that has the
 * number of the transaction before and the trees of the one that failed. */
static bool has_roots_inside(const struct meta *meta)
{
    for (int i = 0; i < 2; i++) {
        if (meta->roots[i] != UINT64_MAX && meta->roots[i] > meta->last_page) {
            return false;
        }
    }
    return true;
}

static bool damaged(struct store_problem *problem, const char *path, const char *what)
{
    store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s/data.mdb: %s", path, what);
    return false;
}

/* LMDB writes the meta of transaction n into page n & 1: the two are neighbours. */
static bool are_neighbours(const struct meta metas[META_PAGES])
{
    uint64_t even = metas[0].transaction;
    uint64_t odd = metas[1].transaction;
    if (even == 0 && odd == 0) {
        return true;
    }
    return even % 2 == 0 && odd % 2 == 1 && (even + 1 == odd || odd + 1 == even);
}

static bool check_metas(int fd, const char *path, uint64_t size, struct store_problem *out_problem)
{
    struct meta metas[META_PAGES];
    long page_bytes = sysconf(_SC_PAGESIZE);
    for (int i = 0; i < META_PAGES; i++) {
        uint8_t page[META_BYTES];
        if (pread(fd, page, sizeof page, i * page_bytes) != (ssize_t)sizeof page) {
            return damaged(out_problem, path, "is cut short: a meta page is missing");
        }
        if (!read_meta(page, (uint64_t)i, &metas[i])) {
            return damaged(out_problem, path, "is not a store, or its meta pages are broken");
        }
        if (metas[i].page_bytes != (uint32_t)page_bytes) {
            return damaged(out_problem, path, "has pages of another size than this machine");
        }
    }
    if (!are_neighbours(metas)) {
        return damaged(out_problem, path, "has meta pages that do not belong together");
    }
    const struct meta *newest = &metas[metas[1].transaction > metas[0].transaction ? 1 : 0];
    if (!has_roots_inside(newest)) {
        return damaged(out_problem, path, "has a meta page that points beyond its end");
    }
    if (newest->last_page >= size / (uint64_t)page_bytes) {
        store_problem_set(out_problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s/data.mdb: is cut short: it has %" PRIu64 " bytes and says %" PRIu64
                          " pages of %ld",
                          path, size, newest->last_page + 1, page_bytes);
        return false;
    }
    return true;
}

static bool check_open_file(int fd, const struct folder *folder, const char *path,
                            struct store_problem *out_problem)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        store_problem_set(out_problem, STORE_PROBLEM_PATH, errno, "%s/data.mdb: cannot be read",
                          path);
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        return damaged(out_problem, path, "is not a regular file");
    }
    if (info.st_size > 0) {
        return check_metas(fd, path, (uint64_t)info.st_size, out_problem);
    }
    return !folder->used || damaged(out_problem, path, "is empty, though a store was in use here");
}

bool lmdb_check_file(const struct folder *folder, const char *path,
                     struct store_problem *out_problem)
{
    int fd = openat(folder->fd, "data.mdb", O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !folder->used) {
        return true;
    }
    if (fd < 0 && errno == ENOENT) {
        store_problem_set(out_problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s/data.mdb: is missing, though a store was in use here; remove "
                          "%s/lock to begin an empty one",
                          path, path);
        return false;
    }
    if (fd < 0) {
        store_problem_set(out_problem, STORE_PROBLEM_PATH, errno,
                          "%s/data.mdb: cannot be opened for writing", path);
        return false;
    }
    bool fine = check_open_file(fd, folder, path, out_problem);
    close(fd);
    return fine;
}
