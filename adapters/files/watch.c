/* SPDX-License-Identifier: EUPL-1.2
 *
 * inotify on one folder: see watch.h. Source: inotify(7).
 */
#include "adapters/files/watch.h"

#include <stdalign.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    EVENT_BYTES = 16384,
    READS_MAX = 64, /* a folder that is written without pause must not keep us here */
};

int watch_open(const char *path)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool read_events(const char *buffer, size_t size,
                        void (*see)(void *context, const char *name), void *context)
{
    bool whole = true;
    for (size_t at = 0; at + sizeof(struct inotify_event) <= size;) {
        struct inotify_event event;
        memcpy(&event, buffer + at, sizeof event);
        if (event.mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT)) {
            whole = false;
        } else if (event.len > 0 && !(event.mask & IN_ISDIR)) {
            see(context, buffer + at + sizeof event);
        }
        at += sizeof event + event.len;
    }
    return whole;
}

bool watch_read(int fd, void (*see)(void *context, const char *name), void *context)
{
    alignas(struct inotify_event) char buffer[EVENT_BYTES];
    bool whole = true;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got <= 0) {
            break;
        }
        whole = read_events(buffer, (size_t)got, see, context) && whole;
    }
    return whole;
}
