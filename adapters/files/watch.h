/* SPDX-License-Identifier: EUPL-1.2
 *
 * inotify on one folder: hints that a file is there. Hints get lost (queue overflow, network
 * mounts), so whoever listens scans now and then. Thread: that of its owner.
 */
#ifndef RELAIS_FILES_WATCH_H
#define RELAIS_FILES_WATCH_H

#include <stdbool.h>

/* The descriptor to poll, or -1: no inotify here, the scan must do. `path` may be one of
 * /proc/self/fd. */
int watch_open(const char *path);

/* Reads what is there and calls `see` for each name. False: hints were lost, scan. */
bool watch_read(int fd, void (*see)(void *context, const char *name), void *context);

#endif
