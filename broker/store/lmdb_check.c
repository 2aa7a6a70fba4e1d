/* SPDX-License-Identifier: EUPL-1.2
 *
 * Looks at data.mdb with pread() before LMDB maps it.
 */
#include "store/lmdb_store.h"
#include "store/metas.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool damaged(struct store_problem *problem, const char *path, const char *what)
{
    store_problem_set(problem, STORE_PROBLEM_DAMAGED, 0, "%s/data.mdb: %s", path, what);
    return false;
}

static bool check_metas(int fd, const char *path, uint64_t size, struct store_problem *out_problem)
{
    struct page_meta newest;
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/data.mdb", path);
    return metas_check(fd, name, size, &newest, out_problem);
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
