/* SPDX-License-Identifier: EUPL-1.2
 *
 * A temporary folder for one test: see folders.h.
 */
#include "tests/unit/adapters/folders.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folders_make(char *out_path)
{
    /* kills are the same in memory, and thousands of syncs take no time there */
    const char *base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(out_path, FOLDERS_PATH_BYTES, "%s/relais-files-XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(out_path));
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void folders_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void join(const char *folder, const char *name, char *out_path)
{
    (void)snprintf(out_path, FOLDERS_PATH_BYTES + 300, "%s/%s", folder, name);
}

void folders_write(const char *folder, const char *name, const char *text)
{
    char path[FOLDERS_PATH_BYTES + 300];
    join(folder, name, path);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

bool folders_holds(const char *folder, const char *name, const char *text)
{
    char path[FOLDERS_PATH_BYTES + 300];
    char found[4096];
    join(folder, name, path);
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    size_t got = fread(found, 1, sizeof found, file);
    (void)fclose(file);
    return got == strlen(text) && memcmp(found, text, got) == 0;
}

bool folders_has(const char *folder, const char *name)
{
    char path[FOLDERS_PATH_BYTES + 300];
    struct stat about;
    join(folder, name, path);
    return lstat(path, &about) == 0;
}

size_t folders_count(const char *folder)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    ck_assert_ptr_nonnull(open);
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(open);
    return count;
}
