/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/chaos/power/disk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 1024 };

/* What is known of a descriptor. */
struct opened {
    bool watched;
    enum disk_file file;
    bool dsync;
};

static struct {
    pthread_mutex_t mutex;
    bool recording;
    bool skip_log_sync;
    struct opened files[FILES];
    struct disk_event *events;
    size_t count;
    size_t capacity;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void *need(void *memory)
{
    if (memory == NULL) {
        (void)fputs("no memory for the record of the disk\n", stderr);
        abort();
    }
    return memory;
}

static void keep(struct disk_event event)
{
    pthread_mutex_lock(&disk.mutex);
    if (disk.recording) {
        if (disk.count == disk.capacity) {
            disk.capacity = disk.capacity == 0 ? 1024 : disk.capacity * 2;
            disk.events = need(realloc(disk.events, disk.capacity * sizeof *disk.events));
        }
        disk.events[disk.count++] = event;
    } else {
        free(event.bytes);
    }
    pthread_mutex_unlock(&disk.mutex);
}

static struct opened look(int fd)
{
    struct opened opened = {0};
    pthread_mutex_lock(&disk.mutex);
    if (fd >= 0 && fd < FILES && disk.recording) {
        opened = disk.files[fd];
    }
    pthread_mutex_unlock(&disk.mutex);
    return opened;
}

static void note(int fd, struct opened opened)
{
    pthread_mutex_lock(&disk.mutex);
    if (fd >= 0 && fd < FILES) {
        disk.files[fd] = opened;
    }
    pthread_mutex_unlock(&disk.mutex);
}

void disk_record_begin(void)
{
    pthread_mutex_lock(&disk.mutex);
    disk.recording = true;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_record_end(struct disk_event **out_events, size_t *out_count)
{
    pthread_mutex_lock(&disk.mutex);
    *out_events = disk.events;
    *out_count = disk.count;
    disk.events = NULL;
    disk.count = 0;
    disk.capacity = 0;
    disk.recording = false;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_events_free(struct disk_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(events[i].bytes);
    }
    free(events);
}

void disk_skip_log_sync(bool skip)
{
    pthread_mutex_lock(&disk.mutex);
    disk.skip_log_sync = skip;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_mark(size_t submitted, size_t confirmed)
{
    keep((struct disk_event){.kind = DISK_MARK, .submitted = submitted, .confirmed = confirmed});
}

/* The calls. */

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    int fd = ((int (*)(const char *, int, ...))real("open"))(path, flags, mode);
    const char *name = strrchr(path, '/');
    bool data =
        name != NULL && (strcmp(name, "/data.mdb") == 0 || strcmp(name, "/data.mdb.new") == 0);
    note(fd, (struct opened){.watched = data, .file = DISK_DATA, .dsync = (flags & O_DSYNC) != 0});
    return fd;
}

int openat(int folder, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    int fd = ((int (*)(int, const char *, int, ...))real("openat"))(folder, path, flags, mode);
    bool log = strcmp(path, "redo.log") == 0 && (flags & O_ACCMODE) != O_RDONLY;
    note(fd, (struct opened){.watched = log, .file = DISK_LOG});
    return fd;
}

int close(int fd)
{
    note(fd, (struct opened){0});
    return ((int (*)(int))real("close"))(fd);
}

static void keep_write(int fd, const struct iovec *parts, int count, size_t written, off_t at)
{
    struct opened opened = look(fd);
    if (!opened.watched || written == 0) {
        return;
    }
    uint8_t *bytes = need(malloc(written));
    size_t left = written;
    for (int i = 0; i < count && left > 0; i++) {
        size_t piece = parts[i].iov_len < left ? parts[i].iov_len : left;
        memcpy(bytes + (written - left), parts[i].iov_base, piece);
        left -= piece;
    }
    keep((struct disk_event){.kind = DISK_WRITE,
                             .file = opened.file,
                             .durable = opened.dsync,
                             .at = (uint64_t)at,
                             .size = written,
                             .bytes = bytes});
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ssize_t written =
        ((ssize_t(*)(int, const void *, size_t, off_t))real("pwrite"))(fd, data, size, at);
    if (written > 0) {
        const struct iovec part = {.iov_base = (void *)data, .iov_len = size};
        keep_write(fd, &part, 1, (size_t)written, at);
    }
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    off_t at = look(fd).watched ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written =
        ((ssize_t(*)(int, const struct iovec *, int))real("writev"))(fd, parts, count);
    if (written > 0) {
        keep_write(fd, parts, count, (size_t)written, at);
    }
    return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
    off_t at = look(fd).watched ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, data, size);
    if (written > 0) {
        const struct iovec part = {.iov_base = (void *)data, .iov_len = size};
        keep_write(fd, &part, 1, (size_t)written, at);
    }
    return written;
}

int ftruncate(int fd, off_t size)
{
    int rc = ((int (*)(int, off_t))real("ftruncate"))(fd, size);
    if (rc == 0 && look(fd).watched) {
        keep((struct disk_event){.kind = DISK_RESIZE, .file = look(fd).file, .at = (uint64_t)size});
    }
    return rc;
}

int renameat(int old_fd, const char *old_name, int new_fd, const char *new_name)
{
    int rc = ((int (*)(int, const char *, int, const char *))real("renameat"))(old_fd, old_name,
                                                                               new_fd, new_name);
    if (rc == 0 && strcmp(new_name, "data.mdb") == 0) {
        keep((struct disk_event){.kind = DISK_NAMED});
    }
    return rc;
}

static int synced(int fd, const char *name)
{
    struct opened opened = look(fd);
    if (opened.watched && opened.file == DISK_LOG && disk.skip_log_sync) {
        return 0;
    }
    int rc = ((int (*)(int))real(name))(fd);
    if (rc == 0 && opened.watched) {
        keep((struct disk_event){.kind = DISK_SYNC, .file = opened.file});
    }
    return rc;
}

int fdatasync(int fd)
{
    return synced(fd, "fdatasync");
}

int fsync(int fd)
{
    return synced(fd, "fsync");
}
