/* SPDX-License-Identifier: EUPL-1.2
 *
 * Preloaded: every file system says that it is NFS. Built by check_disk.py. glibc gives statfs64()
 * the same place as statfs() on 64-bit machines; both names are taken.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <stddef.h>
#include <sys/vfs.h>

enum { NFS_MAGIC = 0x6969 };

int statfs(const char *path, struct statfs *out_about)
{
    int (*real)(const char *, struct statfs *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "statfs");
    int rc = real(path, out_about);
    out_about->f_type = NFS_MAGIC;
    return rc;
}

int fstatfs(int descriptor, struct statfs *out_about)
{
    int (*real)(int, struct statfs *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "fstatfs");
    int rc = real(descriptor, out_about);
    out_about->f_type = NFS_MAGIC;
    return rc;
}
