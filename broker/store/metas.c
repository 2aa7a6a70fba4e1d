/* SPDX-License-Identifier: EUPL-1.2
 *
 * Invariant: room_extend_file() keeps the file at least as long as its newest meta page says, so
 * that a shorter one has been cut.
 */
#include "store/metas.h"

#include "store/folder.h"

#include <inttypes.h>
#include <unistd.h>

/* Only of the newest: after a write of a meta page that failed, LMDB leaves one that has the
 * number of the transaction before and the trees of the one that failed. */
static bool has_roots_inside(const struct page_meta *meta)
{
    const uint64_t roots[] = {meta->free_pages.root, meta->names.root};
    for (int i = 0; i < 2; i++) {
        if (roots[i] != PAGES_NONE && roots[i] > meta->last_page) {
            return false;
        }
    }
    return true;
}

static bool damaged(struct store_problem *problem, const char *name, const char *what)
{
    store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s: %s", name, what);
    return false;
}

/* LMDB writes the meta of transaction n into page n & 1: the two are neighbours. */
static bool are_neighbours(const struct page_meta metas[PAGES_META])
{
    uint64_t even = metas[0].transaction;
    uint64_t odd = metas[1].transaction;
    if (even == 0 && odd == 0) {
        return true;
    }
    return even % 2 == 0 && odd % 2 == 1 && (even + 1 == odd || odd + 1 == even);
}

static const struct page_meta *newest_of(const struct page_meta metas[PAGES_META])
{
    return &metas[metas[1].transaction > metas[0].transaction ? 1 : 0];
}

static bool read_metas(int fd, struct page_meta metas[PAGES_META], bool *out_short)
{
    long page_bytes = sysconf(_SC_PAGESIZE);
    *out_short = false;
    for (int i = 0; i < PAGES_META; i++) {
        uint8_t page[PAGES_META_BYTES];
        *out_short = pread(fd, page, sizeof page, i * page_bytes) != (ssize_t)sizeof page;
        if (*out_short || !page_meta_read(page, (uint64_t)i, &metas[i])) {
            return false;
        }
    }
    return true;
}

bool metas_read_newest(int fd, struct page_meta *out_newest)
{
    struct page_meta metas[PAGES_META];
    bool cut = false;
    if (!read_metas(fd, metas, &cut)) {
        return false;
    }
    *out_newest = *newest_of(metas);
    return true;
}

bool metas_check(int fd, const char *name, uint64_t size, struct page_meta *out_newest,
                 struct store_problem *out_problem)
{
    struct page_meta metas[PAGES_META];
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    bool cut = false;
    if (!read_metas(fd, metas, &cut)) {
        return damaged(out_problem, name,
                       cut ? "is cut short: a meta page is missing"
                           : "is not a store, or its meta pages are broken");
    }
    if (metas[0].page_bytes != page_bytes || metas[1].page_bytes != page_bytes) {
        return damaged(out_problem, name, "has pages of another size than this machine");
    }
    if (!are_neighbours(metas)) {
        return damaged(out_problem, name, "has meta pages that do not belong together");
    }
    *out_newest = *newest_of(metas);
    if (!has_roots_inside(out_newest)) {
        return damaged(out_problem, name, "has a meta page that points beyond its end");
    }
    if (out_newest->last_page >= size / page_bytes) {
        store_problem_set(out_problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s: is cut short: it has %" PRIu64 " bytes and says %" PRIu64
                          " pages of %" PRIu64,
                          name, size, out_newest->last_page + 1, page_bytes);
        return false;
    }
    return true;
}
