/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looks at data.mdb with pread() before LMDB maps it: its meta pages, and the root of each table. A
 * bit in the head of a page decides what LMDB does with it, a wrong one even that it is not written
 * again; deeper pages are left to the checks of the store, which take their time.
 */
#include "store/inspection.h"
#include "store/lmdb_store.h"
#include "store/metas.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES_MOST = 65536 }; /* of any machine */

static bool damaged(struct store_problem *problem, const char *path, const char *what)
{
    store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s/data.mdb: %s", path, what);
    return false;
}

static bool check_root(struct pages *pages, const struct page_tree *tree)
{
    uint8_t page[PAGE_BYTES_MOST];
    const char *what = NULL;
    enum page_kind kind = tree->depth > 1 ? PAGE_BRANCH : PAGE_LEAF;
    return tree->depth == 0 || tree->root == PAGES_NONE ||
           pages_read(pages, tree->root, kind, page, &what) == PAGE_READ;
}

/* Tables that are missing, or cannot be listed, are what opening them will say. */
static bool check_roots(int fd, const char *path, const struct page_meta *meta,
                        struct store_problem *problem)
{
    struct pages pages = {.fd = fd, .page_bytes = meta->page_bytes, .last_page = meta->last_page};
    struct inspection inspection;
    struct walk walk;
    int table = 0;
    if (!check_root(&pages, &meta->names) || !check_root(&pages, &meta->free_pages)) {
        return damaged(problem, path, "the list of its tables or of its free pages is broken");
    }
    inspection_init(&inspection, &pages);
    walk_init(&walk, &pages, RECORD_SEGMENT_BYTES);
    bool read = inspection_read_tables(&inspection, &walk, &meta->names);
    while (read && table < TABLE_COUNT && check_root(&pages, &inspection.trees[table])) {
        table++;
    }
    walk_fini(&walk);
    inspection_fini(&inspection);
    if (read && table < TABLE_COUNT) {
        store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0,
                          "%s/data.mdb: the first page of its table %s is broken", path,
                          table_name((enum table)table));
    }
    return !read || table == TABLE_COUNT;
}

static bool check_pages(int fd, const char *path, uint64_t size, struct store_problem *out_problem)
{
    struct page_meta newest;
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/data.mdb", path);
    return metas_check(fd, name, size, &newest, out_problem) &&
           check_roots(fd, path, &newest, out_problem);
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
        return check_pages(fd, path, (uint64_t)info.st_size, out_problem);
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
