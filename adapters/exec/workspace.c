/* SPDX-License-Identifier: EUPL-1.2
 *
 * See workspace.h.
 */
#include "adapters/exec/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODE_FOLDER = 0700,
    MODE_FILE = 0600,
    DEPTH_MAX = 64, /* a command that nests deeper keeps its folders until somebody looks */
};

static void empty(int folder, int depth);

static void remove_entry(int folder, const char *name, int depth)
{
    if (unlinkat(folder, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) {
        return;
    }
    if (depth < DEPTH_MAX) {
        if (fchmodat(folder, name, MODE_FOLDER, 0) != 0) {
            return; /* gone, or not ours; a folder that its command has shut is opened so */
        }
        int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            empty(fd, depth + 1);
        }
    }
    (void)unlinkat(folder, name, AT_REMOVEDIR);
}

/* Takes the descriptor. */
static void empty(int folder, int depth)
{
    DIR *entries = fdopendir(folder);
    if (!entries) {
        (void)close(folder);
        return;
    }
    for (struct dirent *entry = readdir(entries); entry; /* NOLINT(concurrency-mt-unsafe) */
         entry = readdir(entries)) {                     /* NOLINT(concurrency-mt-unsafe) */
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            remove_entry(dirfd(entries), entry->d_name, depth);
        }
    }
    (void)closedir(entries);
}

int workspace_prepare(const char *folder)
{
    if (mkdir(folder, MODE_FOLDER) != 0 && errno != EEXIST) {
        return errno;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    empty(fd, 0);
    return 0;
}

int workspace_make(const char *folder, struct workspace *out_workspace)
{
    struct workspace made = {.fd = -1};
    int length = snprintf(made.path, sizeof made.path, "%s/job-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof made.path) {
        return ENAMETOOLONG;
    }
    if (!mkdtemp(made.path)) {
        return errno;
    }
    made.fd = open(made.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made.fd < 0) {
        int number = errno;
        (void)rmdir(made.path);
        return number;
    }
    *out_workspace = made;
    return 0;
}

void workspace_remove(struct workspace *workspace)
{
    if (workspace->fd >= 0) {
        (void)fchmod(workspace->fd, MODE_FOLDER);
        empty(workspace->fd, 0);
        (void)rmdir(workspace->path);
        workspace->fd = -1;
    }
}

int workspace_create(const struct workspace *workspace, const char *name)
{
    return openat(workspace->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  MODE_FILE);
}
